"""A whole session that vanished from a real server's log is found by the server's own count, which each heartbeat brings."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.connectors.base import Heartbeat
from portal.demo.clock import at
from tests.audit.completeness.walked import Walk, read_all, walk, write
from tests.servers import running_target, wait_until
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of, now_ms, set_up

pytestmark = pytest.mark.django_db
Used = tuple[PostgresTarget, str, list[tuple[str, int, Heartbeat]], tuple[int, int]]
"""Target, login of the grant, heartbeats with their nonces and times, when the grant was opened and over."""
LONG_AGO = int(at("2026-01-01 00:00").timestamp() * 1000)


@pytest.fixture(scope="module")
def used() -> Iterator[Used]:
    """A target on which a login of a grant was opened, used in one session and closed, with a heartbeat on each side."""
    with running_target() as server, set_up(server) as target:
        beats = [_beat(target, "nonce-before")]
        opening = target.opening()
        opened = target.connector.open(target.target, opening)
        began = now_ms()
        with target.login(opening.login) as session:
            session.execute("SELECT count(*) FROM billing")
        target.connector.close(target.target, closing_of(opening, opened))
        over = now_ms()
        wait_until(lambda: now_ms() > over, "the heartbeat to be sent later than that")
        beats.append(_beat(target, "nonce-behind"))
        wait_until(lambda: any("nonce-behind" in line for line in _lines(target)), "the heartbeat in the log")
        yield target, opening.login, beats, (began, over)


def _beat(target: PostgresTarget, nonce: str) -> tuple[str, int, Heartbeat]:
    sent_at = now_ms()
    return nonce, sent_at, target.connector.heartbeat(target.target, nonce)


def _lines(target: PostgresTarget) -> list[str]:
    return [line for file in sorted(target.server.log_folder.glob("*.json")) for line in file.read_text().splitlines()]


def _without(lines: list[str], login: str) -> list[str]:
    """Leave out every line of each session of a login, from its connection to its end."""
    entries = [json.loads(line) for line in lines]
    gone = {entry["session_id"] for entry in entries if entry.get("user") == login}
    assert len(gone) == 1
    return [line for line, entry in zip(lines, entries, strict=True) if entry.get("session_id") not in gone]


def _judged(folder: Path, used: Used, *, whole: bool, counted: bool) -> dict[str, object]:
    target, login, beats, (began, over) = used
    lines = _lines(target)
    found: Walk = walk(folder, opened_at=began, over_at=over, marker=login, declared_at=LONG_AGO, lateness_ms=0)
    for nonce, sent_at, said in beats:
        counts = {
            "sessions_counted": said.sessions_counted,
            "stats_epoch": said.stats_epoch,
            "settings_sha256": said.settings_sha256,
        }
        found.beat(nonce, sent_at, **(counts if counted else {}))
    write(folder, [line.encode() for line in (lines if whole else _without(lines, login))])
    read_all(found.source, now_ms())
    return found.verdict(now_ms() + 1000)


def test_whole_log_is_complete(used: Used, tmp_path: Path) -> None:
    assert _judged(tmp_path, used, whole=True, counted=True)["verdict"] == "complete"


def test_vanished_session_is_a_gap(used: Used, tmp_path: Path) -> None:
    judged = _judged(tmp_path, used, whole=False, counted=True)
    assert (judged["verdict"], judged["reasons"]) == ("gap", ["The target counted 1 session more than the log shows."])


def test_without_the_count_nobody_would_know(used: Used, tmp_path: Path) -> None:
    assert _judged(tmp_path, used, whole=False, counted=False)["verdict"] == "complete"
