"""An old alert says what became of its thing since, from the state of now; at one cost for one alert and for many."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.log.append import process
from portal.access_requests.actions import decline, lapse, withdraw
from portal.access_requests.models import AccessRequest
from portal.became import became
from portal.campaigns.sweep import run_due as remind_campaigns
from portal.clock import now
from portal.findings import actions as findings
from portal.grants import authorising
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.reviews import actions as reviews
from tests.browsing import browser_of
from tests.portal.campaigns.attested import begun
from tests.portal.reviews.used import FINE, due
from tests.worlds import World, actor, opened, request_of, sealing


def told(viewer: Person, kind: str) -> list[tuple[bool, str]]:
    alerts = list(Alert.objects.filter(recipient=viewer, kind=kind))
    return [(each.over, each.says) for each in became(viewer, alerts).values()]


def lapsed(world: World, request: AccessRequest) -> None:
    AccessRequest.objects.filter(pk=request.pk).update(lapses_at=now() - timedelta(seconds=1))
    request.refresh_from_db()
    lapse(by=process("sweep"), request=request)


ENDS: dict[str, tuple[Callable[[World, AccessRequest], object], str]] = {
    "approved": (lambda world, it: authorising.approve(by=actor(world.jon), request=it), "Approved by Jon."),
    "declined": (lambda world, it: decline(by=actor(world.jon), request=it, comment="No."), "Declined by Jon."),
    "withdrawn": (lambda world, it: withdraw(by=actor(world.ann), request=it), "Taken back by Ann."),
    "lapsed": (lapsed, "Lapsed: nobody answered in time."),
}


@pytest.mark.parametrize("end", ENDS)
def test_request_that_was_asked_says_how_it_was_answered(world: World, end: str) -> None:
    request = request_of(world)
    assert told(world.ines, "request.asked") == [(False, "Waits for a decision.")]
    act, says = ENDS[end]
    act(world, request)
    assert told(world.ines, "request.asked") == [(True, says)]
    page = browser_of(world.ines).get("/alerts/").content.decode()
    assert (says in page, "What you were told then" in page) == (True, True)


def test_request_whose_time_is_over_waits_for_nobody(world: World) -> None:
    AccessRequest.objects.filter(pk=request_of(world).pk).update(lapses_at=now() - timedelta(seconds=1))
    assert told(world.ines, "request.asked") == [(True, "Nobody answered in time.")]


def test_opening_says_whether_it_is_open_still(world: World) -> None:
    from portal.grants import actions, ending

    with sealing():
        grant = opened(world)
        assert told(world.ines, "grant.opened") == [(False, "Open now.")]
        actions.give_back(by=actor(world.ann), grant=grant)
        assert told(world.ines, "grant.opened") == [(False, "Being closed; still live until it is read back.")]
        ending.run(grant.pk)
    assert told(world.ines, "grant.opened") == [(True, "Ended, and read back from the target.")]


def test_review_says_who_has_it(world: World) -> None:
    review = due(world)
    assert told(world.kim, "review.due") == [(False, "Waits for a reviewer.")]
    reviews.claim(by=actor(world.lea), review=review)
    assert (told(world.kim, "review.due"), told(world.lea, "review.due")) == (
        [(True, "Taken by Lea.")],
        [(False, "Taken by you.")],
    )
    reviews.submit(by=actor(world.lea), review=review, answers=FINE, outcome="accepted")
    assert told(world.kim, "review.due") == [(True, "Reviewed by Lea.")]


def test_finding_says_how_far_it_is(world: World) -> None:
    row = findings.raise_finding(by=process("test"), kind="gap", title="A gap", about="w-1", system=world.system)
    assert told(world.mo, "finding.raised") == [(False, "It needs an owner.")]
    findings.assign(by=actor(world.mo), finding=row, owner=world.ben, due_at=now() + timedelta(days=1))
    assert (told(world.mo, "finding.raised"), told(world.ben, "finding.raised")) == (
        [(True, "Ben owns it.")], [(False, "Yours to answer.")],
    )  # fmt: skip
    findings.answer(by=actor(world.ben), finding=row, cause="A disk.", response="Another.")
    assert [over for over, _ in told(world.mo, "finding.raised")] == [False]
    findings.close(by=actor(world.mo), finding=row, retest_ok=True)
    assert told(world.ben, "finding.raised") == [(True, "Closed.")]


def test_attestation_says_how_many_lines_wait(world: World) -> None:
    begun(world)
    remind_campaigns()
    assert told(world.mo, "campaign.item_due") == [(False, "2 lines for you to decide.")]


def test_words_that_stay_true_are_left_alone(world: World) -> None:
    decline(by=actor(world.jon), request=request_of(world), comment="No.")
    assert told(world.ann, "request.declined") == []


def test_page_costs_the_same_for_one_request_and_for_many(world: World) -> None:
    ines, counts = browser_of(world.ines), []
    for turn in range(2):
        for number in range(1 + 4 * turn):
            decline(by=actor(world.jon), request=request_of(world, reason=f"{'x' * 50} {turn} {number}"), comment="No.")
        with CaptureQueriesContext(connection) as queries:
            ines.get("/alerts/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
