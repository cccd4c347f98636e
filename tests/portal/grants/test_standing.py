"""What a use rests on must still stand when somebody says yes, and when it opens: the list, the role, the person, the time."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.access_requests.asking import ask
from portal.clock import now
from portal.eligibility.models import RESPONDER, Eligibility, RoleAssignment
from portal.errors import NotAllowed, RefusedByPolicy
from portal.grants import authorising, narrowing, opening, sweep
from portal.grants.models import Grant
from tests.worlds import World, actor, authorised, make_world, names_of, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def off_the_list(world: World) -> None:
    narrowing.revoke_eligibility(by=actor(world.pia), eligibility=Eligibility.objects.get(person=world.ann))


def no_responder(world: World) -> None:
    narrowing.end_role(by=actor(world.pia), assignment=RoleAssignment.objects.get(person=world.ann, role=RESPONDER))


def gone(world: World) -> None:
    RoleAssignment.objects.filter(person=world.pia, role="administrator").update(system=None)
    narrowing.note_leaving(by=actor(world.pia), person=world.ann)


@pytest.mark.parametrize("ends", [off_the_list, no_responder, gone])
def test_what_ended_while_a_request_waits_cannot_be_approved(world: World, ends: Callable[[World], None]) -> None:
    waiting = request_of(world)
    ends(world)
    with pytest.raises(RefusedByPolicy):
        authorising.approve(by=actor(world.ines), request=waiting)
    assert not Grant.objects.exists()
    assert names_of(waiting.pk)[-1] == "request.approval_refused"


@pytest.mark.parametrize("ends", [off_the_list, no_responder])
def test_nobody_asks_or_bypasses_without_list_and_role(world: World, ends: Callable[[World], None]) -> None:
    ends(world)
    with pytest.raises(NotAllowed):
        ask(by=actor(world.ann), privilege=world.privilege, asked=world.asked())
    with pytest.raises(NotAllowed):
        authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass"))


def test_list_that_ended_beside_the_approval_opens_nothing(world: World) -> None:
    grant = authorised(world)
    Eligibility.objects.filter(person=world.ann).update(to_at=now() - timedelta(seconds=1))
    with sealing():
        grant = opening.run(grant.pk)
    assert (grant.state, grant.end_cause, grant.secret) == ("failed", "revoked", None)
    assert not world.state.exists()
    assert names_of(grant.request_id)[-1] == "grant.failed"


def test_authorisation_older_than_its_own_minutes_opens_nothing(world: World) -> None:
    grant = authorised(world, minutes=30)
    Grant.objects.filter(pk=grant.pk).update(authorised_at=now() - timedelta(minutes=31))
    with sealing():
        sweep.run_due("test")
    grant.refresh_from_db()
    assert (grant.state, world.state.exists()) == ("failed", False)
