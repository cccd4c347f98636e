"""What a case says once its events are folded."""

from typing import Any

import pytest

from audit.cases.asked import Later
from audit.cases.case import Case
from audit.cases.fold import HANDLERS, fold
from audit.cases.statements import tabs
from audit.cases.status import STATUSES, status_of
from audit.events import catalogue
from audit.log.logged import event_of
from audit.packs.case_lines import as_line
from tests.audit.facts import story
from tests.audit.facts.stream import HOUR, MINUTE, Stream, at

START = at("07-03", "02:00")
SWEEP, JUDGE, GATHER = "process:sweep", "process:completeness", "process:gather"


def folded(log: Stream, case: str = "C1") -> Case:
    """The case of a stream, without personal values."""
    events = (event_of(entry.body, entry.index) for entry in log.entries())
    return fold(case, [event for event in events if event.case == case])


def used(*acts: tuple[str, str], mode: str = "approved", **asked: Any) -> Stream:
    """A use with these classes and outcomes, open since its seventh minute."""
    log = Stream()
    story.ask(log, "C1", START, mode=mode, **asked)
    if mode != "bypass":
        story.approve(log, "C1", START + 5 * MINUTE)
    story.open_it(log, "C1", START + 6 * MINUTE, mode=mode)
    story.session(log, "C1", START + 7 * MINUTE, START + 40 * MINUTE)
    for number, (kind, outcome) in enumerate(acts, 1):
        story.act(log, "C1", number, START + (8 + number) * MINUTE, kind, outcome=outcome)
    return log


def judged(log: Stream, says: str, when: int, source: str = "S-billing") -> None:
    log.say(
        "completeness.judged", when, JUDGE, case="C1", window_id=f"{source}-window", source_id=source, system_id="billing", kind="grant",
        grant_id="G-C1", from_at=START, to_at=when, verdict=says, ranges=["session 1.1: 4"] if says == "gap" else None,
    )  # fmt: skip


def test_whole_use_is_told_from_asking_to_review() -> None:
    case = folded(story.quarter())
    assert case.asked is not None
    assert case.grant is not None
    assert case.review is not None
    assert (case.asked.by, case.asked.system, case.asked.minutes, case.asked.classes) == (
        "ann",
        "billing",
        60,
        ("schema_change",),
    )
    assert [(each.by, each.approved, each.at) for each in case.decisions] == [("ines", True, START + 5 * MINUTE)]
    assert (case.grant.opened_at, case.grant.over, case.grant.over_at) == (
        START + 6 * MINUTE,
        "returned",
        START + 50 * MINUTE,
    )
    assert (case.grant.confirmed_at, case.grant.revealed) == (START + 51 * MINUTE, (START + 7 * MINUTE,))
    assert [(each.class_, each.outside) for each in case.activities] == [
        ("catalogue_read", False),
        ("schema_change", False),
    ]
    assert [(each.name, each.state, each.ended_at) for each in case.sessions] == [
        ("1.1", "complete", START + 40 * MINUTE)
    ]
    assert [(each.recipient, each.seen_at) for each in case.alerts] == [("mo", START + 8 * MINUTE)]
    assert (case.review.reviewer, case.review.submitted_at, case.review.upheld) == ("kim", START + 410 * MINUTE, True)
    assert [(each.by, each.sentence) for each in case.refusals] == [("ann", "Nobody approves their own request.")]
    assert (case.verdict, status_of(case).code, case.settled) == ("complete", "reviewed", True)


def test_handlers_stand_for_events_that_are_declared() -> None:
    assert set(HANDLERS) <= set(catalogue)


@pytest.mark.parametrize(
    ("name", "by", "fields", "code"),
    [
        ("request.declined", "ines", {"approval_id": "A", "comment": "No."}, "declined"),
        ("request.withdrawn", "ann", {}, "withdrawn"),
        ("request.lapsed", SWEEP, {"asked_at": START}, "lapsed"),
    ],
)
def test_request_that_opened_nothing_keeps_its_own_status_and_has_no_verdict(
    name: str, by: str, fields: dict[str, Any], code: str
) -> None:
    log = Stream()
    story.ask(log, "C1", START)
    assert status_of(folded(log)).code == "awaiting"
    log.say(name, START + HOUR, by, case="C1", **fields)
    case = folded(log)
    assert (status_of(case).code, case.decided_at, case.verdict, case.settled) == (code, START + HOUR, "", True)


def test_status_follows_the_grant() -> None:
    log = Stream()
    story.ask(log, "C1", START)
    story.approve(log, "C1", START + 1)
    codes = [status_of(folded(log)).code]
    steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("grant.authorised", "process:portal", {"person_id": "ann", "system_id": "billing", "privilege_id": "write", "number": 1, "mode": "approved",
                                                "minutes": 60, "policy_sha256": "aa", "exposes_secret": 0}),
        ("grant.opening", "process:portal", {"attempt": 1, "login": "bg_1", "marker": "bg_1", "expires_at": START + HOUR}),
        ("grant.activated", "process:portal", {"person_id": "ann", "system_id": "billing", "privilege_id": "write", "login": "bg_1", "marker": "bg_1",
                                               "marker_ref": "1", "opened_at": START + 5, "provisioned_at": START + 5, "expires_at": START + HOUR,
                                               "statement_logging": 1, "superuser": 0, "exposes_secret": 0, "review_due_hours": 72}),
        ("grant.expired", SWEEP, {"ended_at": START + HOUR, "over_at": START + HOUR}),
        ("grant.ended", SWEEP, {"person_id": "ann", "system_id": "billing", "cause": "expired", "ended_at": START + HOUR, "over_at": START + HOUR,
                                "removed_at": START + HOUR, "confirmed_at": START + HOUR + 1, "read_back_from": "target"}),
    )  # fmt: skip
    for number, (name, by, fields) in enumerate(steps, 2):
        log.say(name, START + number, by, case="C1", grant_id="G", **fields)
        codes.append(status_of(folded(log)).code)
    assert codes == ["authorised", "authorised", "opening", "open", "closing", "ended"]
    assert set(codes) <= set(STATUSES)


def test_grant_that_never_opened_is_called_so_after_its_read_back() -> None:
    log = Stream()
    story.ask(log, "C1", START)
    story.approve(log, "C1", START + 1)
    log.say(
        "grant.opening",
        START + 2,
        "process:portal",
        case="C1",
        grant_id="G",
        attempt=1,
        login="bg_1",
        marker="bg_1",
        expires_at=START + HOUR,
    )
    over = {"ended_at": START + 3, "over_at": START + 3}
    log.say(
        "grant.revoked",
        START + 3,
        "process:portal",
        case="C1",
        grant_id="G",
        **over,
        ended_by="process:portal",
        cause="failed",
    )
    assert status_of(folded(log)).code == "closing"
    log.say("grant.ended", START + 4, SWEEP, case="C1", grant_id="G", person_id="ann", system_id="billing", cause="failed", ended_at=START + 3,
            over_at=START + 3, removed_at=START + 4, confirmed_at=START + 4, read_back_from="target")  # fmt: skip
    case = folded(log)
    assert (status_of(case).code, case.verdict) == ("failed", "")


def test_failed_actions_come_first_then_those_out_of_intent() -> None:
    log = used(
        ("data_read", "no_error_seen"), ("schema_change", "denied"), ("session", "no_error_seen"), ("data_change", "failed"), ("data_change", "ok"),
        intended_classes=["data_read", "schema_change"],
    )  # fmt: skip
    case = folded(log)
    told = [(each.number, each.failed, each.outside) for each in case.activities]
    assert told == [(4, True, True), (2, True, False), (5, False, True), (1, False, False), (3, False, False)]
    assert (case.failed_count, case.outside_count) == (2, 2)


def test_outcome_that_came_later_is_applied_whenever_it_comes() -> None:
    log = used(("data_read", "no_error_seen"), ("data_read", "no_error_seen"), intended_classes=["data_read"])
    log.say(
        "activity.outcome_learned", START + 20 * MINUTE, GATHER, case="C1", activity_id="C1-a2", session_id="S-C1", source_id="S-billing", outcome="denied",
        state_code="42501", happened_at=START, source_number=9, received_at=START, raw_sha256="bb", raw_salt="cc",
    )  # fmt: skip
    case = folded(log)
    assert [(each.number, each.outcome, each.state_code) for each in case.activities] == [
        (2, "denied", "42501"),
        (1, "no_error_seen", ""),
    ]


def test_bypass_without_intent_has_none_that_an_action_could_be_out_of_until_it_is_given() -> None:
    log = used(("data_read", "ok"), ("session", "ok"), mode="bypass", intended_classes=[], criterion="outage")
    case = folded(log)
    assert [each.outside for each in case.activities] == [True, False], "a reviewer may accept it"
    assert (case.outside_count, case.outside_says) == (0, "no intent named yet")
    assert [each["label"] for each in tabs(case, "")] == ["All", "Failed", "No intent named yet"]
    assert [as_line(each, case, None, {})["not_intended"] for each in case.activities] == [0, 0]
    log.say(
        "request.supplemented",
        START + HOUR,
        "ann",
        case="C1",
        reason="More.",
        reason_length=5,
        intended_classes=["data_read"],
        incident_ref="INC-9",
    )
    case = folded(log)
    assert case.asked is not None
    later = Later(START + HOUR, "(erased)", "", ("data_read",), "INC-9")
    assert (case.outside_says, case.asked.incident, case.asked.more) == ("0 out of intent", "INC-9", (later,))


def test_intent_given_after_the_review_changes_nothing() -> None:
    log = used(("data_read", "ok"), mode="bypass", intended_classes=[], criterion="outage")
    story.end_it(log, "C1", START + 50 * MINUTE)
    story.review(log, "C1", START + 2 * HOUR, accepted_activities=["C1-a1"])
    log.say("request.supplemented", START + 3 * HOUR, "ann", case="C1", intended_classes=["data_read"])
    case = folded(log)
    assert [(each.outside, each.accepted) for each in case.activities] == [(True, True)]
    assert (case.outside_count, case.outside_says) == (0, "no intent was named")


def test_last_verdict_of_a_window_stands() -> None:
    log = used(("data_read", "ok"))
    assert folded(log).verdict == "pending"
    judged(log, "complete", START + HOUR)
    judged(log, "gap", START + 2 * HOUR)
    case = folded(log)
    assert (case.verdict, [each.ranges for each in case.verdicts]) == ("gap", [("session 1.1: 4",)])
    judged(log, "complete", START + 3 * HOUR)
    assert folded(log).verdict == "complete"


@pytest.mark.parametrize(
    ("others", "stands"),
    [(["complete"], "complete"), (["reconciled"], "reconciled"), (["pending"], "pending"), (["not covered", "pending"], "not covered"),
     (["unknown", "not covered"], "unknown"), (["unknown", "gap"], "gap")],
)  # fmt: skip
def test_weakest_verdict_of_several_sources_stands(others: list[str], stands: str) -> None:
    log = used(("data_read", "ok"))
    judged(log, "complete", START + HOUR)
    for number, says in enumerate(others):
        judged(log, says, START + HOUR, source=f"S-{number}")
    assert folded(log).verdict == stands


def test_verdict_of_a_day_is_none_of_the_grant() -> None:
    log = used(("data_read", "ok"))
    log.say("completeness.judged", START + HOUR, JUDGE, case="C1", window_id="day", source_id="S-billing", system_id="billing", kind="day",
            from_at=START, to_at=START + HOUR, verdict="gap")  # fmt: skip
    assert folded(log).verdict == "pending"


def test_first_end_stands() -> None:
    log = used(("data_read", "ok"))
    log.say("grant.revoked", START + 30 * MINUTE, "mo", case="C1", grant_id="G-C1", ended_at=START + 30 * MINUTE, over_at=START + 30 * MINUTE, ended_by="mo",
            reason="Enough.", cause="revoked")  # fmt: skip
    log.say(
        "grant.expired",
        START + 66 * MINUTE,
        SWEEP,
        case="C1",
        grant_id="G-C1",
        ended_at=START + 66 * MINUTE,
        over_at=START + 66 * MINUTE,
    )
    grant = folded(log).grant
    assert grant is not None
    assert (grant.over, grant.over_by, grant.over_at) == ("revoked", "mo", START + 30 * MINUTE)


def test_extension_moves_the_end_and_says_whether_the_target_took_it() -> None:
    log = used(("data_read", "ok"))
    known: dict[str, Any] = {"grant_id": "G-C1", "extension_id": "E1"}
    log.say("grant.extension_asked", START + 10 * MINUTE, "ann", case="C1", minutes=20, **known)
    log.say(
        "grant.extended",
        START + 12 * MINUTE,
        "jon",
        case="C1",
        minutes=20,
        expires_at=START + 86 * MINUTE,
        asked_by="ann",
        approved_by="jon",
        **known,
    )
    case = folded(log)
    assert case.grant is not None
    assert (case.grant.first_expires_at, case.grant.expires_at) == (START + 66 * MINUTE, START + 86 * MINUTE)
    assert [(each.given, each.decided_by, each.applied_at) for each in case.extensions] == [(True, "jon", None)]
    log.say(
        "grant.extension_applied",
        START + 13 * MINUTE,
        "process:portal",
        case="C1",
        expires_at=START + 86 * MINUTE,
        **known,
    )
    assert [each.applied_at for each in folded(log).extensions] == [START + 13 * MINUTE]


def test_case_without_its_request_is_not_lost() -> None:
    log = Stream()
    log.say("request.seen", START, "ines", case="C9", person_id="ines")
    case = folded(log, "C9")
    assert (case.asked, status_of(case).code, case.seen) == (None, "unknown", (("ines", START),))
