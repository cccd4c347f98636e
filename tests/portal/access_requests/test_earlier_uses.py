"""What an approver is told of earlier uses: all on the same system, whatever the privilege, bypasses named."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.access_requests.models import AccessRequest
from portal.access_requests.queries import earlier_uses
from portal.clock import now
from portal.grants import authorising, opening
from portal.systems.models import Privilege
from tests.browsing import browser_of
from tests.worlds import World, actor, make_world, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def use_by_bypass(world: World, privilege: Privilege) -> AccessRequest:
    with sealing():
        grant = authorising.bypass(by=actor(world.ann), privilege=privilege, asked=world.asked("bypass"))
        return opening.run(grant.pk).request


def test_another_privilege_of_the_same_system_counts(world: World) -> None:
    first = use_by_bypass(world, world.privilege)
    other = Privilege.objects.create(system=world.system, name="Read invoices", on_target="invoices", added_at=now())
    AccessRequest.objects.filter(pk=first.pk).update(privilege=other)
    asked = request_of(world)
    found = earlier_uses(asked)
    assert (found.uses, found.bypasses, found.of_privilege, found.last_at) == (1, 1, 0, first.requested_at)
    page = browser_of(world.jon).get(f"/requests/{asked.pk}/").content.decode()
    assert "1 on this system (1 by bypass), none of this privilege, in 90 days" in page


def test_another_system_another_person_and_drills_do_not_count(world: World) -> None:
    far = make_world(slug="far", on_target="far_emergency", people=world.people)
    with sealing():
        opened(far)
        opened(world, "ben")
        opened(world, mode="drill")
    assert earlier_uses(request_of(world)).uses == 0


def test_it_costs_one_query(world: World) -> None:
    asked = request_of(world)
    with CaptureQueriesContext(connection) as seen:
        earlier_uses(asked)
    assert len(seen) == 1
