"""Access that another person ends, open or not yet: responder and owner are told who and why, and the log keeps it."""

from collections.abc import Callable, Iterator

import pytest

from audit.log.read import of_case
from portal.grants import actions, ending, opening
from portal.grants.models import Grant
from portal.notifications.messages import message_of
from portal.notifications.models import Alert
from tests.browsing import browser_of
from tests.portal.access_requests.test_asking import text
from tests.worlds import World, actor, authorised, make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Not during the audit."


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        yield make_world()


@pytest.mark.parametrize(
    ("begin", "event", "alert"),
    [(authorised, "grant.failed", "grant.opening_failed"), (opened, "grant.revoked", "grant.ended")],
)
def test_responder_and_owner_are_told_who_ended_it_and_why(
    world: World, begin: Callable[[World], Grant], event: str, alert: str
) -> None:
    grant = begin(world)
    actions.revoke(by=actor(world.jon), grant=grant, reason=f" {WHY} ")
    ending.run(grant.pk)
    said = of_case(grant.request_id, [event])[-1]
    assert (said.fields["ended_by"], said.says("reason")) == (str(world.jon.pk), WHY)
    told = Alert.objects.filter(kind=alert)
    assert {alert.recipient for alert in told} == {world.ann, world.mo}
    for each in told:
        assert "Ended by: Jon" in message_of(each).text
        assert f"Reason: {WHY}" in message_of(each).text


def test_case_shows_who_ended_what_was_never_opened(world: World) -> None:
    grant = authorised(world)
    actions.revoke(by=actor(world.jon), grant=grant, reason=WHY)
    shown = text(browser_of(world.otto).get(f"/cases/{grant.request_id}/").content)
    assert "Not opened Ended before it was opened. By Jon Why Not during the audit." in shown


def test_what_the_portal_ends_by_itself_names_nobody(world: World) -> None:
    grant = authorised(world)
    actions.revoke(by=opening.PORTAL, grant=grant, reason=WHY)
    told = Alert.objects.filter(kind="grant.opening_failed").first()
    assert told
    assert "Ended by" not in message_of(told).text
    assert f"Reason: {WHY}" in message_of(told).text
