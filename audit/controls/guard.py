"""A connection that may only read, for as long as a control test runs on it.

Catalogue text is written by others, an operator among them, so SQLite itself is asked about each thing that a statement
would do.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STEPS_BETWEEN_CHECKS = 10_000
# No clock, no chance, nothing that makes large values, nothing that reaches outside.
FUNCTIONS = frozenset(
    {
        "abs",
        "avg",
        "coalesce",
        "count",
        "ifnull",
        "iif",
        "instr",
        "json_array_length",
        "json_each",
        "json_extract",
        "length",
        "lower",
        "max",
        "min",
        "nullif",
        "substr",
        "sum",
        "total",
        "trim",
        "upper",
    }
)
ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})
DEEDS = {
    sqlite3.SQLITE_ATTACH: "attach a file",
    sqlite3.SQLITE_DETACH: "detach a file",
    sqlite3.SQLITE_PRAGMA: "use a PRAGMA",
    sqlite3.SQLITE_RECURSIVE: "call itself without end",
    sqlite3.SQLITE_TRANSACTION: "steer transactions",
    sqlite3.SQLITE_INSERT: "insert rows",
    sqlite3.SQLITE_UPDATE: "change rows",
    sqlite3.SQLITE_DELETE: "delete rows",
}


class Stopped(RuntimeError):
    """A statement was stopped, or not even started; the sentence says why."""


@dataclass(frozen=True)
class Limits:
    """How much one test may take: steps of SQLite's virtual machine, and seconds by the clock."""

    steps: int = 4_000_000_000
    seconds: float = 120.0


@dataclass
class _Watch:
    """What happened during one statement."""

    limits: Limits
    started: float
    ticks: int = 0
    refused: str = ""

    def authorise(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        """Answer SQLite, which asks once for each thing that a statement would do."""
        if action in ALLOWED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second in FUNCTIONS:
            return sqlite3.SQLITE_OK
        self.refused = self.refused or f"It would {_deed(action, first, second)}; a test only reads."
        return sqlite3.SQLITE_DENY

    def progress(self) -> int:
        """Anything but 0 stops the statement."""
        self.ticks += 1
        if self.ticks * STEPS_BETWEEN_CHECKS > self.limits.steps:
            self.refused = f"It took more than {self.limits.steps:,} steps."
        elif time.monotonic() - self.started > self.limits.seconds:
            self.refused = f"It took more than {self.limits.seconds:g} seconds."
        return int(bool(self.refused))


def _deed(action: int, first: str | None, second: str | None) -> str:
    if action == sqlite3.SQLITE_FUNCTION:
        return f"call the function {second}"
    if first == "sqlite_master":  # a table-valued function registers itself at first use; pragma functions are such
        return "reach a table that holds no facts"
    return DEEDS.get(action, "do more than read")


@contextmanager
def reading(db: sqlite3.Connection, limits: Limits) -> Iterator[None]:
    """Let the connection only read inside this block; what it refuses, or stops, raises ``Stopped``.

    Raises:
        Stopped: the statement would do more than read, took too long, or is no SQL that SQLite understands.
    """
    db.execute("SELECT 1 FROM json_each('[]')").fetchall()  # json_each registers itself at first use, which is a write
    watch = _Watch(limits, time.monotonic())
    db.execute("PRAGMA query_only = 1")
    db.set_authorizer(watch.authorise)
    db.set_progress_handler(watch.progress, STEPS_BETWEEN_CHECKS)
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise Stopped(watch.refused or f"SQLite says: {error}.") from error
    finally:
        db.set_progress_handler(None, 0)
        db.set_authorizer(None)
        db.execute("PRAGMA query_only = 0")
