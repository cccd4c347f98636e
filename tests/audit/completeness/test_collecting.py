"""Evidence is read whole, or it is said that it was not: neither heartbeats nor anything else pushes a loss out."""

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from audit.completeness import collecting, heartbeats
from audit.log.append import append, clock, process
from audit.sources.postgresql.settings import COMPARED
from portal.connectors.postgresql.heartbeat import SETTINGS
from tests.audit.completeness.walked import Walk, walk

pytestmark = pytest.mark.django_db
SECOND, HOUR = 1000, 3_600_000
OPENED = 20_700 * 24 * HOUR + 7 * HOUR
OVER = OPENED + 20 * SECOND
LATER = OVER + 20 * SECOND
GATHER = process("gather")


@pytest.fixture
def used(tmp_path: Path) -> Walk:
    return walk(tmp_path, opened_at=OPENED, over_at=OVER, declared_at=OPENED - HOUR)


def tell(used: Walk, name: str, at: int, **fields: Any) -> None:
    """Write what gather tells of the source."""
    with clock(lambda: at), transaction.atomic():
        append(
            name, by=GATHER, subject=used.source.subject, source_id=used.source.id, system_id=used.source.system_id, **fields
        )  # fmt: skip


def beat(used: Walk, at: int, *, read_at: int | None = None) -> None:
    """A heartbeat that came back and was read at once, or later."""
    used.beat(f"n-{at}", at)
    tell(used, "source.heartbeat_seen", read_at or at, nonce=f"n-{at}", seen_at=at, received_at=read_at or at)


def beats(used: Walk, first: int, last: int, **more: int) -> None:
    """One each second."""
    for at in range(first, last + 1, SECOND):
        beat(used, at, **more)


def lose(used: Walk, at: int, *, noticed_at: int | None = None) -> None:
    tell(
        used,
        "source.loss_found",
        noticed_at or at,
        kind="line_unreadable",
        from_at=at,
        to_at=at,
        says="A line was lost.",
    )


def change(used: Walk, at: int, value: str = "off", **more: Any) -> None:
    tell(
        used, "source.settings_changed", at, happened_at=at, setting="log_connections", value=value, weakens=value == "off", **more
    )  # fmt: skip


def stranger(used: Walk, at: int) -> None:
    tell(
        used, "session.unmatched", at, session_id=str(uuid.uuid4()), source_session="b.2", started_at=at, why="undeclared_login", login="app",
        received_at=at,
    )  # fmt: skip


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is read at a time, so that little is much."""
    monkeypatch.setattr(collecting, "MOST", 3)
    monkeypatch.setattr(heartbeats, "NEAR", (5, 20, 40))
    monkeypatch.setattr(heartbeats, "AT_ONCE", 2)


@pytest.mark.usefixtures("little")
def test_heartbeats_push_nothing_out(used: Walk) -> None:
    beats(used, OPENED - 30 * SECOND, LATER)
    assert used.verdict(LATER)["verdict"] == "complete"
    lose(used, OVER, noticed_at=LATER + 1)
    assert [event.fields["verdict"] for event in used.judged(LATER + 2)] == ["complete", "gap"]


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    ("tell_one", "what"), [(lose, "losses"), (change, "changes of settings"), (stranger, "sessions that nothing explains")]
)  # fmt: skip
def test_evidence_of_which_there_is_too_much_is_neither_complete_nor_a_gap(
    used: Walk, tell_one: Any, what: str
) -> None:
    beats(used, OPENED - SECOND, LATER)
    for step in range(3):
        tell_one(used, OPENED + step)
    assert used.verdict(LATER)["verdict"] == "gap"
    tell_one(used, LATER)
    assert [used.verdict(LATER + 1).get(name) for name in ("verdict", "reasons", "ranges")] == [
        "unknown", [f"Not all of this was read, since there is too much of it around the window: {what}."], None,
    ]  # fmt: skip


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(("last", "kind"), [("off", "gap"), ("on", "complete")])
def test_setting_that_stood_before_is_known_however_often_sessions_changed_their_own(
    used: Walk, last: str, kind: str
) -> None:
    long_ago = OPENED - 50 * HOUR
    change(used, long_ago)
    change(used, long_ago + 1, last)
    for step in range(2, 8):
        change(used, long_ago + step, "on", session_id=str(uuid.uuid4()), source_number=step)
    beats(used, OPENED - SECOND, LATER)
    assert used.verdict(LATER)["verdict"] == kind


def test_heartbeats_of_a_window_that_are_too_many_are_unknown(used: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    beats(used, OPENED - SECOND, LATER)
    monkeypatch.setattr(heartbeats, "MOST", 10)
    assert used.verdict(LATER)["reasons"] == [
        "Not all of this was read, since there is too much of it around the window: heartbeats."
    ]


@pytest.mark.usefixtures("little")
def test_silence_around_a_window_is_a_gap_when_the_heartbeats_come_back(used: Walk) -> None:
    """More are looked at than the nearest ones, none of which came back."""
    beats(used, OPENED - 30 * SECOND, OPENED - 20 * SECOND)
    missed = range(OPENED - 19 * SECOND, LATER + 1, SECOND)
    for at in missed:
        used.beat(f"n-{at}", at)
    late = LATER + 2 * HOUR
    assert used.verdict(late)["verdict"] == "unknown"
    beats(used, LATER + SECOND, LATER + 10 * SECOND, read_at=late)
    assert (used.verdict(late + 1)["verdict"], len(used.verdict(late + 1)["ranges"])) == ("gap", len(missed))


@pytest.mark.usefixtures("little")
def test_nearest_heartbeat_out_of_reach_is_said_and_never_complete(used: Walk) -> None:
    beats(used, OPENED - 60 * SECOND, OPENED - 50 * SECOND)
    for at in range(OPENED - 45 * SECOND, OPENED, SECOND):
        used.beat(f"n-{at}", at)
    beats(used, OPENED + SECOND, LATER)
    assert used.verdict(LATER)["reasons"] == [
        "Not all of this was read, since there is too much of it around the window: heartbeats."
    ]


@pytest.mark.usefixtures("little")
def test_log_that_was_read_days_later_proves_as_much(used: Walk) -> None:
    late = LATER + 70 * HOUR
    beats(used, OPENED - 30 * SECOND, LATER + 30 * SECOND, read_at=late)
    assert used.verdict(late)["verdict"] == "complete"


def test_heartbeat_without_the_word_of_the_portal_bounds_nothing(used: Walk) -> None:
    for at in (OPENED - SECOND, LATER):
        tell(used, "source.heartbeat_seen", at, nonce=f"n-{at}", seen_at=at, received_at=at)
    assert used.verdict(LATER)["verdict"] == "unknown"


def test_settings_whose_change_is_believed_are_those_of_the_hash() -> None:
    assert frozenset(re.findall(r"'(\w+)'", SETTINGS)) == COMPARED
