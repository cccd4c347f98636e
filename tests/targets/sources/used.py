"""A grant on a real server, used as a test likes, closed, gathered and judged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from audit.log.read import LoggedEvent, named
from portal.connectors.base import Closed
from portal.demo.clock import at
from tests.audit.completeness.walked import Walk, read_all, walk, write
from tests.servers import running_target, wait_until
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of, now_ms, set_up

LONG_AGO = int(at("2026-01-01 00:00").timestamp() * 1000)
Act = Callable[[PostgresTarget, "psycopg.Connection[Any]"], None]


@dataclass(frozen=True)
class Used:
    """What became of it. `lines` is the server's log as it was then."""

    login: str
    opened_logged: bool
    closed: Closed
    beats: tuple[tuple[str, int, dict[str, Any]], ...]
    times: tuple[int, int]
    lines: tuple[str, ...]

    def walk(self, folder: Path, lines: tuple[str, ...] | None = None) -> Walk:
        """The portal's events of it, and the log gathered; `lines` where some are gone."""
        began, over = self.times
        found = walk(
            folder, opened_at=began, over_at=over, marker=self.login, declared_at=LONG_AGO, lateness_ms=0,
            statement_logging=self.opened_logged, logged_at_end=self.closed.statement_logging,
        )  # fmt: skip
        for nonce, sent_at, counts in self.beats:
            found.beat(nonce, sent_at, **counts)
        write(folder, [line.encode() for line in (self.lines if lines is None else lines)])
        read_all(found.source, now_ms())
        return found

    def verdict(self, folder: Path, lines: tuple[str, ...] | None = None) -> tuple[str, list[str]]:
        """The verdict on it, with its reasons."""
        judged = self.walk(folder, lines).verdict(now_ms() + 1000)
        return judged["verdict"], judged["reasons"]


@contextmanager
def a_target() -> Iterator[PostgresTarget]:
    """A server of one's own."""
    with running_target() as server, set_up(server) as target:
        yield target


def use(target: PostgresTarget, act: Act, privilege: str = "billing_admin") -> Used:
    """Open, act in one session, close; with a heartbeat on each side."""
    beats = [_beat(target, "nonce-before")]
    opening = target.opening(privilege)
    opened = target.connector.open(target.target, opening)
    began = now_ms()
    with target.login(opening.login) as session:
        act(target, session)
    closed = target.connector.close(target.target, closing_of(opening, opened))
    over = now_ms()
    wait_until(lambda: now_ms() > over, "the heartbeat to be sent later than that")
    beats.append(_beat(target, "nonce-behind"))
    wait_until(lambda: any("nonce-behind" in line for line in _lines(target)), "the heartbeat in the log")
    return Used(
        opening.login, opened.statement_logging, closed, tuple(beats), (began, over), tuple(_lines(target))
    )  # fmt: skip


def _beat(target: PostgresTarget, nonce: str) -> tuple[str, int, dict[str, Any]]:
    sent_at = now_ms()
    said = target.connector.heartbeat(target.target, nonce)
    counts = {
        "sessions_counted": said.sessions_counted,
        "stats_epoch": said.stats_epoch,
        "settings_sha256": said.settings_sha256,
    }
    return nonce, sent_at, counts


def _lines(target: PostgresTarget) -> list[str]:
    return [line for file in sorted(target.server.log_folder.glob("*.json")) for line in file.read_text().splitlines()]


def statements(found: Walk) -> list[tuple[str, bool, str]]:
    """Class, whether it may be more, and text of what was told."""
    ours = [event for event in named(("activity.recorded",)) if event.fields["source_id"] == found.source.id]
    return [_statement(event) for event in sorted(ours, key=lambda event: event.fields["source_number"])]


def _statement(event: LoggedEvent) -> tuple[str, bool, str]:
    return event.fields["class"], bool(event.fields["at_least"]), event.personal.get("statement", "")
