"""The drill sheet, from events alone: each step worked, failed, not yet, or not here."""

from typing import Any
from uuid import uuid4

import pytest

from audit.log.read import LoggedEvent
from portal.drills.sheet import Limits, sheet

LIMITS = Limits(alert_minutes=5, removal_grace_minutes=5, gathered=True)
S, MINUTE = 1000, 60_000


def event(name: str, at: int, by: str = "ann", **fields: Any) -> LoggedEvent:
    return LoggedEvent(None, uuid4(), name, at, by, None, None, "case", "", fields)


WHOLE = (
    event("request.made", 0),
    event("alert.queued", 0, alert_id="a", kind="request.asked"),
    event("alert.queued", 0, alert_id="b", kind="request.asked"),
    event("alert.sent", S, alert_id="a", sent_at=S),
    event("alert.sent", 2 * S, alert_id="b", sent_at=2 * S),
    event("request.seen", 20 * S, "ines"),
    event("request.approved", 40 * S, "ines", approvals=1, approvals_needed=1),
    event("grant.activated", 42 * S, "portal", opened_at=42 * S),
    event("activity.recorded", 50 * S, "gather", happened_at=49 * S, received_at=50 * S),
    event("grant.ended", 90 * S, "portal", over_at=80 * S, confirmed_at=81 * S),
    event("completeness.judged", 100 * S, "completeness", grant_id="g", verdict="complete"),
)


def told(events: tuple[LoggedEvent, ...], *, over: bool = False, limits: Limits = LIMITS) -> dict[str, tuple[str, str]]:
    return {each.name: (each.result, each.told) for each in sheet(events, limits, over=over)}


def without(*names: str) -> tuple[LoggedEvent, ...]:
    return tuple(each for each in WHOLE if each.name not in names)


def test_drill_in_which_all_worked_tells_it_in_figures() -> None:
    assert told(WHOLE) == {
        "told": ("ok", "2 of two alerts left the portal, the last after 2.0 s."),
        "answered": ("ok", "One person said that they have seen it, or decided, the first after 20 s."),
        "approved": ("ok", "1 of one approval."),
        "opened": ("ok", "Open 2.0 s after the last approval."),
        "gathered": ("ok", "One action came back, the last after 1.0 s."),
        "record": ("ok", "The record of this access is complete."),
        "ended": ("ok", "The target confirmed after 1.0 s that nothing is left."),
    }


@pytest.mark.parametrize(
    ("gone", "steps"),
    [
        (("alert.sent",), {"told"}),
        (("request.seen", "request.approved"), {"answered", "approved"}),
        (("grant.activated",), {"opened"}),
        (("activity.recorded",), {"gathered"}),
        (("completeness.judged",), {"record"}),
        (("grant.ended",), {"ended"}),
    ],
)
def test_what_is_missing_may_come_until_it_is_over(gone: tuple[str, ...], steps: set[str]) -> None:
    events = without(*gone)
    for over, expected in ((False, "open"), (True, "failed")):
        assert {name for name, (result, _) in told(events, over=over).items() if result != "ok"} == steps
        assert {result for result, _ in told(events, over=over).values() if result != "ok"} == {expected}


@pytest.mark.parametrize(
    ("changed", "step", "sentence"),
    [
        (event("alert.sent", 6 * MINUTE, alert_id="b", sent_at=6 * MINUTE), "told",
         "2 of two alerts left the portal, the last after 6 min, later than the five minutes that the policy gives."),
        (event("request.declined", 60 * S, "jon"), "approved", "It was declined."),
        (event("request.lapsed", 60 * S, "portal"), "approved", "Nobody decided in time."),
        (event("completeness.judged", 200 * S, "completeness", grant_id="g", verdict="gap"), "record", "The record of this access is gap."),
        (event("grant.ended", 800 * S, "portal", over_at=80 * S, confirmed_at=400 * S), "ended",
         "The target confirmed after 5 min that nothing is left."),
    ],
)  # fmt: skip
def test_what_went_wrong_has_failed_at_once(changed: LoggedEvent, step: str, sentence: str) -> None:
    found = told((*WHOLE, changed))
    assert {name for name, (result, _) in found.items() if result != "ok"} == {step}
    assert found[step] == ("failed", sentence)


def test_system_without_a_gathered_log_says_so_and_fails_nothing() -> None:
    bare = Limits(alert_minutes=5, removal_grace_minutes=5, gathered=False)
    found = told(without("activity.recorded", "completeness.judged"), over=True, limits=bare)
    assert {name: result for name, (result, _) in found.items() if result != "ok"} == {
        "gathered": "none",
        "record": "none",
    }
