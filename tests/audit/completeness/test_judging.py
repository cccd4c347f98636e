"""Verdicts by evidence: each thing that is asked for `complete`, taken away alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.completeness.evidence import Beat, Evidence, Loss, Scheme, SessionSeen, SettingChange, Unmatched, Window
from audit.completeness.judging import COUNTED_ANEW, LIMIT, judge
from audit.sources.records import NOT_SHOWN

HOUR = 3_600_000
SCHEME = Scheme("line_num per session", lateness_ms=2_000, patience_ms=HOUR, compared=frozenset({"log_connections"}))
WINDOW = Window("w", "s", "y", "grant", 10_000, 20_000, 21_000, grant_id="g")
DAY = replace(WINDOW, kind="day", grant_id="")
SESSION = SessionSeen("a.1", 11_000, 19_000, "complete", 12)
BEFORE = Beat("b", 9_000, 9_001, authorized=3, counted=3, stats_epoch="1", settings_sha256="x")
AFTER = Beat("a", 24_000, 24_001, authorized=4, counted=4, stats_epoch="1", settings_sha256="x")
GOOD = Evidence((BEFORE, AFTER), (SESSION,))
NOW = 30_000


def test_everything_there_is_complete_and_says_its_limit() -> None:
    verdict = judge(WINDOW, SCHEME, GOOD, NOW)
    assert (verdict.kind, verdict.ranges) == ("complete", ())
    assert verdict.reasons == (
        "Heartbeats came back at 1970-01-01 00:00:09.001 UTC and at 1970-01-01 00:00:24.001 UTC.",
        "1 session, 12 numbered lines, each there once, from the connection to its end.",
        LIMIT,
    )


def test_window_without_a_session_can_be_complete() -> None:
    assert judge(WINDOW, SCHEME, replace(GOOD, sessions=()), NOW).kind == "complete"


@pytest.mark.parametrize(
    ("beats", "now", "kind"),
    [
        ((), NOW, "unknown"),
        ((AFTER,), NOW, "unknown"),  # nobody knows whether the log was read when the window began
        ((BEFORE,), NOW, "pending"),
        ((BEFORE,), 21_000 + 2_000 + HOUR, "pending"),
        ((BEFORE,), 21_000 + 2_000 + HOUR + 1, "unknown"),  # silence is not the absence of activity
        ((BEFORE, replace(AFTER, seen_at=23_000)), NOW, "pending"),  # the lateness mark itself is not past it
        ((BEFORE, replace(AFTER, seen_at=23_001)), NOW, "complete"),
        ((replace(BEFORE, seen_at=10_000), AFTER), NOW, "complete"),
        ((replace(BEFORE, seen_at=10_001), AFTER), NOW, "unknown"),
        ((BEFORE, replace(AFTER, seen_at=None)), NOW, "pending"),
        (
            (BEFORE, replace(AFTER, sent_at=23_000)),
            NOW,
            "pending",
        ),  # sent before the mark, whatever the target's clock shows
        ((BEFORE, replace(AFTER, sent_at=23_001)), NOW, "complete"),
        ((replace(BEFORE, sent_at=10_000), AFTER), NOW, "complete"),
        ((replace(BEFORE, sent_at=10_001), AFTER), NOW, "unknown"),
        ((BEFORE, replace(AFTER, sent_at=None)), NOW, "pending"),  # nobody knows when it was sent: it bounds nothing
        ((replace(BEFORE, sent_at=None), AFTER), NOW, "unknown"),
    ],
)
def test_heartbeats_before_and_after_the_window(beats: tuple[Beat, ...], now: int, kind: str) -> None:
    assert judge(WINDOW, SCHEME, replace(GOOD, beats=beats), now).kind == kind


MINUTE = 60_000
AHEAD = tuple(replace(beat, seen_at=(beat.seen_at or 0) + MINUTE) for beat in (BEFORE, AFTER))
BEHIND = (replace(BEFORE, seen_at=9_001 - MINUTE), replace(AFTER, sent_at=24_000 + MINUTE))


def test_heartbeat_that_was_sent_in_the_window_bounds_it_on_neither_side() -> None:
    long = replace(WINDOW, from_at=100_000, to_at=205_000, settled_at=205_000)
    before, inside = Beat("b", 30_000, 90_000), Beat("x", 150_000, 210_000)
    assert judge(long, SCHEME, replace(GOOD, beats=(before, inside)), 211_000).kind == "pending"
    lost, after = Beat("y", 204_000, None), Beat("z", 208_000, 268_000)
    assert judge(long, SCHEME, replace(GOOD, beats=(before, inside, lost, after)), 211_000).kind == "gap"


@pytest.mark.parametrize(
    ("beats", "at", "kind"),
    [
        (AHEAD, 80_000, "gap"),
        (AHEAD, 81_001, "gap"),  # settled at 21_000, a minute and a millisecond by the target's clock
        (AHEAD, 81_002, "complete"),
        ((BEFORE, replace(AFTER, seen_at=84_000)), 80_000, "gap"),  # the clock was set anew meanwhile
        (BEHIND, -40_000, "gap"),
        ((BEFORE, AFTER), 21_001, "complete"),
    ],
)
def test_records_with_the_time_of_another_clock_are_counted_to_each_window_that_they_may_be_of(
    beats: tuple[Beat, ...], at: int, kind: str
) -> None:
    early = (replace(BEFORE, nonce="early", sent_at=-MINUTE, seen_at=0), *beats)
    evidences = (
        replace(GOOD, beats=early, losses=(loss(from_at=at, to_at=at),)),
        replace(GOOD, beats=early, settings=(change(at),)),
        replace(GOOD, beats=early, unmatched=(Unmatched("b.2", at, "undeclared_login"),)),
    )
    assert {judge(WINDOW, SCHEME, evidence, NOW).kind for evidence in evidences} == {kind}


def test_clock_that_is_apart_is_said() -> None:
    after = replace(AFTER, seen_at=84_000)
    assert judge(WINDOW, SCHEME, replace(GOOD, beats=(BEFORE, after)), NOW).reasons[-2] == (
        "The target's clock was 60.000 seconds ahead of the portal's, and that much more was looked at."
    )


def test_session_that_was_lost_in_the_window_is_not_counted_before_it() -> None:
    """The target's clock is behind, so what it counted in the window seems to be older."""
    inside = Beat("i", 15_000, 9_500, authorized=3, counted=4, stats_epoch="1")
    after = replace(AFTER, authorized=3, counted=4)
    verdict = judge(WINDOW, SCHEME, replace(GOOD, beats=(BEFORE, inside, after)), NOW)
    assert (verdict.kind, verdict.reasons) == ("gap", ("The target counted 1 session more than the log shows.",))


def loss(kind: str = "numbers_missing", from_at: int = 12_000, to_at: int = 13_000, **changes: Any) -> Loss:
    return Loss(kind, from_at, to_at, "They never came.", **changes)


@pytest.mark.parametrize(
    ("found", "window", "kind"),
    [
        (loss(), WINDOW, "gap"),
        (loss(from_at=0, to_at=9_999), WINDOW, "complete"),
        (loss(from_at=0, to_at=10_000), WINDOW, "gap"),
        (loss(from_at=21_000, to_at=30_000), WINDOW, "gap"),
        (loss(from_at=21_001, to_at=30_000), WINDOW, "complete"),
        (loss(from_at=0, to_at=1, grant_id="g"), WINDOW, "gap"),  # its own session, whenever
        (loss(grant_id="another"), WINDOW, "gap"),  # lines were lost while the grant was open
        (loss("session_cut"), WINDOW, "complete"),  # the cut tail of another connection
        (loss("session_cut"), DAY, "gap"),
        (loss("session_cut", grant_id="g"), WINDOW, "gap"),
        (loss("file_vanished"), WINDOW, "gap"),
        (loss("epoch_not_chained"), WINDOW, "gap"),
    ],
)
def test_loss_that_touches_the_window_is_a_gap(found: Loss, window: Window, kind: str) -> None:
    assert judge(window, SCHEME, replace(GOOD, losses=(found,)), NOW).kind == kind


def test_gap_names_session_and_numbers() -> None:
    found = loss(session="a.1", numbers="4-6")
    assert judge(WINDOW, SCHEME, replace(GOOD, losses=(found,)), NOW).ranges == ("session a.1: 4-6",)


@pytest.mark.parametrize(
    ("session", "kind", "ranges"),
    [
        (replace(SESSION, missing=("4-6", "9-9"), state="gap"), "gap", ("session a.1: 4-6", "session a.1: 9-9")),
        (replace(SESSION, state="cut"), "gap", ("session a.1: after 12",)),
        (replace(SESSION, ended_at=None, state="open", last_number=None), "gap", ("session a.1: its end",)),
    ],
)
def test_session_that_is_not_whole_is_a_gap(session: SessionSeen, kind: str, ranges: tuple[str, ...]) -> None:
    verdict = judge(WINDOW, SCHEME, replace(GOOD, sessions=(session,)), NOW)
    assert (verdict.kind, verdict.ranges) == (kind, ranges)


def test_session_without_an_end_may_still_get_one() -> None:
    open_one = replace(SESSION, ended_at=None, state="open")
    assert judge(WINDOW, SCHEME, Evidence((BEFORE,), (open_one,)), NOW).kind == "pending"


def change(at: int, value: str = "off", weakens: bool = True, session: str = "") -> SettingChange:
    return SettingChange(at, "log_connections", value, weakens, session)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ((change(12_000),), "gap"),
        ((change(12_000), change(12_001, "on", weakens=False)), "gap"),
        ((change(5_000),), "gap"),  # it stood so when the window began
        ((change(5_000), change(9_000, "on", weakens=False)), "complete"),
        ((change(5_000), change(11_000, "on", weakens=False)), "gap"),
        ((change(21_001),), "complete"),
        ((change(12_000, "on", weakens=False),), "complete"),
        ((change(12_000, session="x"),), "gap"),
        ((change(5_000, session="x"),), "complete"),  # one session's own setting went with the session
    ],
)
def test_weakened_logging_is_a_gap_while_it_stands(changes: tuple[SettingChange, ...], kind: str) -> None:
    assert judge(WINDOW, SCHEME, replace(GOOD, settings=changes), NOW).kind == kind


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("log_statement", "none", "From 1970-01-01 00:00:12.000 UTC on, log_statement was none."),
        ("log_filename", "?", "From 1970-01-01 00:00:12.000 UTC on, log_filename was a value that is not shown."),
        (
            NOT_SHOWN,
            "?",
            "At 1970-01-01 00:00:12.000 UTC a session may have changed what is logged; its statement does not show which setting.",
        ),
    ],
)
def test_weakened_logging_is_said_as_far_as_it_is_known(setting: str, value: str, sentence: str) -> None:
    found = SettingChange(12_000, setting, value, weakens=True, session="x")
    verdict = judge(WINDOW, SCHEME, replace(GOOD, settings=(found,)), NOW)
    assert (verdict.kind, verdict.reasons) == ("gap", (sentence,))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ((), "gap"),
        ((change(22_000, "on", weakens=False),), "complete"),
        ((change(1, "on", weakens=False),), "gap"),
        ((change(22_000, "on", weakens=False, session="x"),), "gap"),  # of one session: the server's own are others
        ((SettingChange(22_000, "log_timezone", "UTC", weakens=False),), "gap"),  # of none that is compared
    ],
)
def test_settings_that_changed_without_a_line_are_a_gap(changes: tuple[SettingChange, ...], kind: str) -> None:
    beats = (BEFORE, replace(AFTER, settings_sha256="y"))
    assert judge(WINDOW, SCHEME, replace(GOOD, beats=beats, settings=changes), NOW).kind == kind


@pytest.mark.parametrize(("sent_at", "kind"), [(15_000, "gap"), (25_000, "complete"), (8_000, "complete")])
def test_heartbeat_that_never_came_back_although_later_ones_did_is_a_gap(sent_at: int, kind: str) -> None:
    beats = (BEFORE, Beat("x", sent_at, None), AFTER)
    assert judge(WINDOW, SCHEME, replace(GOOD, beats=beats), NOW).kind == kind


ANEW = f"{COUNTED_ANEW} 1970-01-01 00:00:09.001 UTC and 1970-01-01 00:00:24.001 UTC."


@pytest.mark.parametrize(
    ("after", "kind", "reason"),
    [
        ({"authorized": 4, "counted": 5}, "gap", "The target counted 1 session more than the log shows."),
        ({"authorized": 4, "counted": 7}, "gap", "The target counted 3 sessions more than the log shows."),
        ({"authorized": 5, "counted": 4}, "complete", LIMIT),  # logged, and counted a moment later
        ({"authorized": 4, "counted": 5, "stats_epoch": "2"}, "unknown", ANEW),
        ({"authorized": 4, "counted": 4, "stats_epoch": "2"}, "unknown", ANEW),  # which may be by chance
        ({"authorized": 4, "counted": 2}, "unknown", ANEW),  # a database was dropped, its count with it
        ({"authorized": 4, "counted": None}, "complete", LIMIT),
    ],
)
def test_session_that_the_target_counted_and_nobody_read_is_a_gap(
    after: dict[str, Any], kind: str, reason: str
) -> None:
    verdict = judge(WINDOW, SCHEME, replace(GOOD, beats=(BEFORE, replace(AFTER, **after))), NOW)
    assert (verdict.kind, verdict.reasons[-1]) == (kind, reason)


def test_count_that_began_anew_improves_no_gap() -> None:
    beats = (BEFORE, replace(AFTER, stats_epoch="2"))
    assert judge(WINDOW, SCHEME, replace(GOOD, beats=beats, losses=(loss(),)), NOW).kind == "gap"


def test_login_that_was_counted_late_is_no_loss() -> None:
    late = replace(BEFORE, nonce="c", seen_at=9_500, authorized=4, counted=3)  # logged, not yet counted
    assert (
        judge(WINDOW, SCHEME, replace(GOOD, beats=(BEFORE, late, replace(AFTER, authorized=4, counted=4))), NOW).kind
        == "complete"
    )


@pytest.mark.parametrize(
    ("started_at", "kind"), [(9_999, "complete"), (10_000, "gap"), (21_000, "gap"), (21_001, "complete")]
)
def test_session_that_nothing_explains_is_a_gap(started_at: int, kind: str) -> None:
    found = Unmatched("b.2", started_at, "undeclared_login")
    assert judge(WINDOW, SCHEME, replace(GOOD, unmatched=(found,)), NOW).kind == kind


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"superuser": True}, "unknown"),
        ({"statement_logging": False}, "not covered"),
        ({"logged_at_end": False}, "not covered"),
    ],
)
def test_grant_whose_statements_may_go_unlogged_is_never_complete(changes: dict[str, Any], kind: str) -> None:
    assert judge(replace(WINDOW, **changes), SCHEME, GOOD, NOW).kind == kind


@pytest.mark.parametrize("evidence", [GOOD, replace(GOOD, losses=(loss(),))])
def test_evidence_that_was_not_all_read_says_nothing(evidence: Evidence) -> None:
    verdict = judge(WINDOW, SCHEME, replace(evidence, unread=("losses", "heartbeats")), NOW)
    assert (verdict.kind, verdict.ranges) == ("unknown", ())
    assert verdict.reasons == (
        "Not all of this was read, since there is too much of it around the window: losses.",
        "Not all of this was read, since there is too much of it around the window: heartbeats.",
    )


@pytest.mark.parametrize(("counts", "kind"), [(None, "not covered"), ((7, 7), "reconciled"), ((7, 6), "gap")])
def test_source_without_numbers_is_covered_by_an_independent_count_only(
    counts: tuple[int, int] | None, kind: str
) -> None:
    assert judge(WINDOW, Scheme("none"), replace(GOOD, counts=counts), NOW).kind == kind


LOSSES = st.builds(
    loss,
    st.sampled_from(["numbers_missing", "session_cut", "file_cut"]),
    st.integers(0, 40_000),
    st.integers(0, 40_000),
)
BEATS = st.builds(Beat, st.text(), st.none() | st.integers(0, 40_000), st.none() | st.integers(0, 40_000))
RANK = {"gap": 0, "unknown": 1, "not covered": 1, "pending": 2, "complete": 3}


@given(st.lists(LOSSES, max_size=3), st.lists(BEATS, max_size=3), LOSSES)
def test_more_losses_never_improve_a_verdict(losses: list[Loss], beats: list[Beat], another: Loss) -> None:
    evidence = replace(GOOD, losses=tuple(losses), beats=(*GOOD.beats, *beats))
    worse = replace(evidence, losses=(*evidence.losses, another))
    assert RANK[judge(WINDOW, SCHEME, worse, NOW).kind] <= RANK[judge(WINDOW, SCHEME, evidence, NOW).kind]
