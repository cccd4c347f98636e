"""Every line of a real server's log is taken away once. None of the grant's can go unseen, and of each other it is known what changes."""

from pathlib import Path

import pytest

from audit.log import read
from audit.log.read import LoggedEvent
from audit.sources.postgresql.parse import parse_line
from tests.audit.completeness.walked import Walk, read_all, walk, write
from tests.audit.sources.logs import recorded

LINES = [parse_line(raw) for raw in recorded()]
BEATS = [line for line in LINES if "breakglass heartbeat" in line.text]
OURS = {
    line.session
    for line in LINES
    if line.entry.user == "bg_7" and line.entry.message.startswith("connection authorized")
}
OPENED, OVER = BEATS[0].at, next(line.at for line in LINES if line.entry.state_code == "28P01")
LATER = LINES[-1].at + 60_000


def named(number: int) -> str:
    line = LINES[number]
    return f"{line.session[-4:]}-{line.number}-{line.kind.value}-{line.entry.backend_type}".replace(" ", "_")


def without(number: int | None, folder: Path) -> Walk:
    """The recording without one line, gathered; heartbeats carry the target's own count of sessions."""
    found = walk(folder, opened_at=OPENED, over_at=OVER, lateness_ms=500)
    write(folder, [raw for at, raw in enumerate(recorded()) if at != number])
    found.beat("before-01", BEATS[0].at, sessions_counted=3, stats_epoch="1")
    found.beat("after-01", BEATS[1].at, sessions_counted=6, stats_epoch="1")
    read_all(found.source, LATER)
    return found


@pytest.mark.django_db
def test_whole_recording_is_complete(tmp_path: Path) -> None:
    verdict = without(None, tmp_path).verdict(LATER)
    assert (verdict["verdict"], verdict.get("ranges")) == ("complete", None)
    assert "2 sessions, 37 numbered lines, each there once, from the connection to its end." in verdict["reasons"]


@pytest.mark.django_db
@pytest.mark.parametrize("number", [at for at, line in enumerate(LINES) if line.session in OURS], ids=named)
def test_line_of_the_grant_that_is_gone_is_a_gap_that_names_it(number: int, tmp_path: Path) -> None:
    gone = LINES[number]
    last = max(line.number for line in LINES if line.session == gone.session)
    verdict = without(number, tmp_path).verdict(LATER)
    named_gap = (
        f"session {gone.session}: {gone.number}-{gone.number}"
        if gone.number < last
        else f"session {gone.session}: after {last - 1}"
    )
    assert verdict["verdict"] == "gap"
    assert named_gap in verdict["ranges"]


# What is not of the grant's sessions: lines of the server itself, of the owner, of the portal, of a refused login.
OTHERS = [at for at, line in enumerate(LINES) if line.session not in OURS]


def expected(number: int) -> tuple[str, str]:
    """Verdict and a word of its reasons: a hole that touches the window is a gap.

    The last line of a session leaves no hole. Without the end of another's session, without the refusal of a login and without the stop
    of the server nothing of the grant is missing, and the verdict stays; what changes is said in the tests below.
    """
    gone = LINES[number]
    same = [line for line in LINES if line.session == gone.session]
    following = next((line for line in same if line.number > gone.number), None)
    if following is None:
        return "complete", ""
    before = max((line.at for line in same if line.number < gone.number), default=started(gone.session))
    if following.at >= OPENED and before <= OVER:
        return "gap", f"Number {gone.number} of session {gone.session} never came."
    return ("pending", "No heartbeat has come back") if gone is BEATS[1] else ("complete", "")


def started(session: str) -> int:
    return int(session.split(".")[0], 16) * 1000


@pytest.mark.django_db
@pytest.mark.parametrize("number", OTHERS, ids=named)
def test_other_line_that_is_gone_changes_what_is_known(number: int, tmp_path: Path) -> None:
    verdict = without(number, tmp_path).verdict(LATER)
    kind, word = expected(number)
    assert (verdict["verdict"], word in " ".join(verdict["reasons"])) == (kind, True)


@pytest.mark.django_db
def test_refusal_that_is_gone_is_not_told_and_leaves_no_hole(tmp_path: Path) -> None:
    at = next(at for at, line in enumerate(LINES) if line.entry.state_code == "28P01")
    without(at, tmp_path)
    assert named_events("session.refused") == []


@pytest.mark.django_db
def test_end_of_another_session_that_is_gone_is_a_loss_of_its_day(tmp_path: Path) -> None:
    at = max(at for at in OTHERS if LINES[at].kind.value == "disconnection" and LINES[at].entry.user == "portal_super")
    without(at, tmp_path)
    assert [event.fields["kind"] for event in named_events("source.loss_found")] == ["session_cut"]


def named_events(name: str) -> list[LoggedEvent]:
    return read.named((name,))


@pytest.mark.django_db
@pytest.mark.parametrize("session", sorted(OURS))
def test_whole_session_that_is_gone_is_found_by_the_count_of_the_target(session: str, tmp_path: Path) -> None:
    found = walk(tmp_path, opened_at=OPENED, over_at=OVER, lateness_ms=500)
    write(tmp_path, [raw for raw, line in zip(recorded(), LINES, strict=True) if line.session != session])
    found.beat("before-01", BEATS[0].at, sessions_counted=3, stats_epoch="1")
    found.beat("after-01", BEATS[1].at, sessions_counted=6, stats_epoch="1")
    read_all(found.source, LATER)
    verdict = found.verdict(LATER)
    assert (verdict["verdict"], verdict["reasons"]) == (
        "gap",
        ["The target counted 1 session more than the log shows."],
    )
