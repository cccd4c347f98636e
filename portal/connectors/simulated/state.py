"""What a simulated target holds: an SQLite file of logins and sessions, made at first use."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.connectors.base import Target
from portal.connectors.errors import BadSettings

SCHEMA = """
CREATE TABLE IF NOT EXISTS login (
  ref INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, privilege TEXT NOT NULL, comment TEXT NOT NULL,
  verifier TEXT NOT NULL DEFAULT '', can_login INTEGER NOT NULL, expires_at_ms INTEGER, shut_at_ms INTEGER);
CREATE TABLE IF NOT EXISTS session (
  number INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL, started_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER, lines INTEGER NOT NULL DEFAULT 0, statement TEXT NOT NULL DEFAULT '', statement_at_ms INTEGER);
CREATE INDEX IF NOT EXISTS session_live ON session (login) WHERE ended_at_ms IS NULL;
"""


def now_ms(target: Target) -> int:
    """The target's clock: the machine's, or settings["now_ms"], or the file of `set_clock` where the demo tells of the past."""
    told = target.settings.get("now_ms")
    if told is None and clock_path(target).exists():
        told = clock_path(target).read_text(encoding="ascii") or None
    return time.time_ns() // 1_000_000 if told is None else int(told)


def clock_path(target: Target) -> Path:
    """Where a told time lies."""
    return path(target).with_name(path(target).name + ".clock")


def set_clock(target: Target, at_ms: int | None) -> None:
    """Tell the target a time; None gives it the machine's again."""
    if at_ms is None:
        clock_path(target).unlink(missing_ok=True)
    else:
        clock_path(target).write_text(str(at_ms), encoding="ascii")


def path(target: Target) -> Path:
    """The file of the target."""
    told = target.settings.get("state_path")
    if not told:
        raise BadSettings("The system's settings lack state_path.")
    return Path(told)


@contextmanager
def changing(target: Target) -> Iterator[sqlite3.Connection]:
    """The state, locked; all that is done in the block takes effect together, or none of it."""
    connection = sqlite3.connect(path(target), isolation_level=None, timeout=20)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'session_live'").fetchone():
            connection.executescript(SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()
