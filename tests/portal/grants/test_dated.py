"""No access outlives the dated list or role that it rests on, and the people concerned read so beforehand."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction

from audit.log.read import of_case
from portal.clock import ms, now
from portal.connectors.simulated import Simulated
from portal.eligibility.models import RESPONDER, Eligibility, RoleAssignment
from portal.errors import RefusedByPolicy
from portal.grants import actions, authorising, narrowing, opening
from portal.grants.models import Grant
from portal.grants.targets import target_of
from portal.notifications.models import Alert
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.servers import wait_until
from tests.worlds import World, actor, make_world, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
SOON = timedelta(minutes=5)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


def list_ends(world: World, at: datetime) -> None:
    Eligibility.objects.filter(person=world.ann).update(to_at=at)


def role_ends(world: World, at: datetime) -> None:
    RoleAssignment.objects.filter(person=world.ann, role=RESPONDER).update(to_at=at)


@pytest.mark.parametrize("ends", [list_ends, role_ends])
@pytest.mark.parametrize("mode", ["approved", "bypass"])
def test_access_ends_with_the_list_and_the_role_on_the_target_too(
    world: World, ends: Callable[[World, datetime], None], mode: str
) -> None:
    last = now() + SOON
    ends(world, last)
    if mode == "approved":
        grant = opened(world, minutes=60)
    else:
        grant = opening.run(
            authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked(mode)).pk
        )
    assert (grant.state, grant.expires_at, grant.planned_expires_at) == ("active", last, last)
    listed = Simulated().list_access(target_of(world.system), [world.privilege.on_target]).logins
    assert [each.expires_at_ms for each in listed] == [ms(last)]


def test_access_within_the_list_is_as_long_as_it_was_asked_for(world: World) -> None:
    list_ends(world, now() + timedelta(hours=3))
    grant = opened(world, minutes=60)
    assert grant.expires_at is not None
    assert grant.opened_at is not None
    assert grant.expires_at - grant.opened_at > timedelta(minutes=59)


def test_everybody_reads_beforehand_that_the_list_ends_it(world: World) -> None:
    last = now() + SOON
    list_ends(world, last)
    form = text(browser_of(world.ann).get(f"/requests/new/?privilege={world.privilege.pk}").content)
    assert "because your place on the list ends then" in form
    line = f"/requests/ends/?privilege={world.privilege.pk}&minutes="
    assert "because your place on the list ends then" in text(browser_of(world.ann).get(f"{line}30").content)
    assert "because" not in text(browser_of(world.ann).get(f"{line}3").content)
    request = request_of(world, minutes=60)
    assert "when the place of Ann on the list ends" in text(
        browser_of(world.ines).get(f"/requests/{request.pk}/").content
    )
    assert "with the place on the list" in text(browser_of(world.ann).get(f"/requests/{request.pk}/").content)
    told = {alert.facts["ends_about"] for alert in Alert.objects.filter(kind="request.asked")}
    made = of_case(request.pk, ["request.made"])[0]
    assert (told, made.fields["ends_about"]) == ({ms(last)}, ms(last))


def _five_more(world: World, grant: Grant) -> datetime:
    assert grant.expires_at is not None
    return grant.expires_at + SOON + timedelta(seconds=30)


def test_extension_beyond_the_list_is_neither_asked_nor_given(world: World) -> None:
    grant = opened(world)
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=15)
    list_ends(world, _five_more(world, grant))
    with pytest.raises(RefusedByPolicy, match="ends before that: at most 5 minutes more"):
        actions.decide_extension(by=actor(world.jon), extension=asked, give=True)
    actions.decide_extension(by=actor(world.jon), extension=asked, give=False)
    with pytest.raises(RefusedByPolicy, match="ends before that: at most 5 minutes more"):
        actions.ask_extension(by=actor(world.ann), grant=grant, minutes=6)
    shorter = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=5)
    extended = actions.decide_extension(by=actor(world.jon), extension=shorter, give=True)
    assert grant.expires_at is not None
    assert extended.expires_at == grant.expires_at + SOON


def test_access_that_ends_with_the_list_is_not_extended(world: World) -> None:
    list_ends(world, now() + SOON)
    grant = opened(world)
    with pytest.raises(RefusedByPolicy, match="no more time can be given"):
        actions.ask_extension(by=actor(world.ann), grant=grant, minutes=1)


def test_extension_waits_for_a_list_that_is_being_shortened(world: World) -> None:
    grant = opened(world)
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=15)
    refused: list[str] = []

    def decide() -> None:
        try:
            actions.decide_extension(by=actor(world.jon), extension=asked, give=True)
        except RefusedByPolicy as refusal:
            refused.append(refusal.sentence)
        finally:
            connection.close()

    thread = threading.Thread(target=decide)
    with transaction.atomic():
        row = Eligibility.objects.get(person=world.ann)
        narrowing.shorten_eligibility(by=actor(world.pia), eligibility=row, to_at=_five_more(world, grant))
        thread.start()
        with connection.cursor() as cursor:

            def waits() -> bool:
                cursor.execute(WAITING)
                return bool(cursor.fetchone()[0])

            wait_until(lambda: waits() or not thread.is_alive(), "the decision to wait")
    thread.join()
    grant.refresh_from_db()
    assert refused == ["The place on the list for this privilege ends before that: at most 5 minutes more."]
    assert grant.state == "active"
