"""What was owed on a schedule and missed is tested again by being done: late, or once more. It stays missed."""

from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.facts.given import Period
from audit.packs.retests import Outcome, run_again
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, HOUR, MINUTE, Stream, at, judge
from tests.audit.facts.test_duties import drilled, registered

DUE = at("06-01", "01:00") + 90 * DAY  # of the first drill and the first attestation
CATALOGUE = load_catalogue()


def found(log: Stream, test: str, about: str, when: int) -> dict[str, Any]:
    """A finding that was answered an hour later; what is asked of its retest."""
    log.say(
        "finding.raised",
        when,
        story.SWEEP,
        finding_id="F",
        kind="k",
        test_id=test,
        about_id=about,
        system_id="billing",
        owner_id="mo",
        title="t",
    )
    said: dict[str, Any] = {"cause": "x", "response": "y", "cause_given": 1, "response_given": 1}
    log.say("finding.answered", when + HOUR, "mo", finding_id="F", **said)
    return {"finding_id": "F", "test_id": test, "about_id": about, "system_id": "billing", "since": when + HOUR}


def retested(log: Stream, given: dict[str, Any], now: int) -> Outcome:
    known = Stream([body for body in log.bodies if body["at"] <= now])
    db = judge(known, period=Period(given["since"], now + 1, now)).db
    return run_again(db, CATALOGUE, CATALOGUE.tests[given["test_id"]], given, "")


def test_drill_that_failed_is_tested_again_by_one_that_works_long_before_the_next_is_due() -> None:
    log, failed = story.organisation(), at("07-10", "10:00")
    over = drilled(log, "C", failed, worked=0)
    given = found(log, "T-34", "D-C", over + 2 * MINUTE)
    before = retested(log, given, over + DAY)
    assert (before.ok, before.rows, before.failed) == (False, 0, 0)
    again = drilled(log, "D", failed + 2 * DAY, worked=1)
    assert again < DUE - 30 * DAY
    after = retested(log, given, again + HOUR)
    assert (after.ok, after.failed) == (True, 0)
    assert after.says.endswith("0 rows since the answer, 0 of them did not pass; done since it was found: 1.")


@pytest.mark.parametrize("worked", [0, 1])
def test_another_failure_and_what_worked_before_are_no_retest(worked: int) -> None:
    log = story.organisation()
    if worked:
        drilled(log, "B", at("07-08"), worked=1)
    over = drilled(log, "C", at("07-10"), worked=0)
    given = found(log, "T-34", "D-C", over + 2 * MINUTE)
    if not worked:
        drilled(log, "D", at("07-12"), worked=0)
    assert retested(log, given, at("07-14")).ok is False


def test_drill_that_works_after_its_time_does_not_undo_that_it_was_missed() -> None:
    log = story.organisation()
    over = drilled(log, "C", DUE - 5 * DAY, worked=0)
    given = found(log, "T-34", "D-C", over + 2 * MINUTE)
    again = drilled(log, "D", DUE + 3 * DAY, worked=1)
    outcome = retested(log, given, again + HOUR)
    assert (outcome.ok, outcome.rows, outcome.failed) == (False, 1, 1)  # what fell due since the answer failed
    later = retested(log, given | {"since": DUE + 2 * DAY}, again + 2 * HOUR)  # answered again since
    assert (later.ok, later.failed) == (True, 0)


def test_attestation_that_was_missed_is_tested_again_by_being_held_late() -> None:
    log, started = story.organisation(), at("09-05")
    due = at("09-04")
    story.attestation(log, "K", started, due)
    closed = log.find("campaign.closed")["fields"]["closed_at"]
    given = found(log, "T-20", "D-K", due + MINUTE)
    early = retested(log, given, started)
    assert (early.ok, early.subject) == (False, "deviation")
    late = retested(log, given, closed + DAY)
    assert (late.ok, late.failed, late.subject) == (True, 0, "deviation")
    assert late.says.endswith("what the finding is about gives: deviation; done since it was found: 1.")


def test_drill_that_failed_again_before_its_time_was_over_is_no_retest() -> None:
    log = story.organisation()
    over = drilled(log, "C", DUE - 5 * DAY, worked=0)
    given = found(log, "T-34", "D-C", over + 2 * MINUTE)
    drilled(log, "D", DUE - 3 * DAY, worked=0)
    assert retested(log, given | {"since": DUE + 2 * DAY}, DUE + 3 * DAY).ok is False


def test_next_attestation_that_is_late_as_well_fails_the_retest() -> None:
    log, due = story.organisation(), at("08-01")
    story.attestation(log, "K", due + DAY, due)
    given = found(log, "T-20", "D-K", due + MINUTE)
    story.attestation(log, "K2", due + 30 * DAY, due + 25 * DAY)
    outcome = retested(log, given, due + 40 * DAY)
    assert (outcome.ok, outcome.failed) == (False, 1)


def test_attestation_of_another_list_is_no_retest() -> None:
    log, due = story.organisation(), at("08-10")
    registered(log, due - 30 * DAY)
    log.say(
        "duty.set", due - 30 * DAY, story.SWEEP, duty_id="D-A", kind="campaign", subject_kind="accounts", system_id="billing",
        days_since_previous=30, due_at=due,
    )  # fmt: skip
    story.attestation(log, "K", due + DAY, due + 10 * DAY)
    given = found(log, "T-20", "D-A", due + MINUTE)
    outcome = retested(log, given, due + 5 * DAY)
    assert (outcome.ok, outcome.subject) == (False, "deviation")
