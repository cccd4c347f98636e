"""An action's events are held until it asks the database something else, so that the last of them go with its COMMIT in one trip.

The event is written last, so that is the rule. Whatever an action asks through Django after an event, a savepoint included, finds it
written already: when the rows were sent cannot be told from inside. Inside of a savepoint nothing is held.
"""

import functools
import re
import struct
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from psycopg import pq

from audit.log.errors import LogUnavailable
from audit.log.one_trip import Asked, ask, prepare, refused
from audit.log.statements import Row, one_statement, write

FEW = 4  # more of them are quicker as one statement and a COMMIT of its own
BINARY = 1  # a text that holds a zero byte is refused by the server so; in text form it would be cut there
UUID, INT8, TEXT, BYTEA = 2950, 20, 25, 17  # oids of PostgreSQL's own types never change
EVENT, PERSONAL = (UUID, TEXT, INT8, TEXT, TEXT, TEXT, BYTEA), (UUID, TEXT, BYTEA, TEXT)
Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


class Held:
    """The rows of the running action that were not sent yet; a wrapper of Django's, so that each statement finds them sent."""

    def __init__(self) -> None:
        """Nothing is held yet."""
        self.rows: list[Row] = []

    def __call__(self, execute: Execute, statement: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
        """Send what is held, then the statement."""
        self.send()
        return execute(statement, parameters, many, context)

    def add(self, rows: Sequence[Row]) -> None:
        """Hold them, or write them at once where a savepoint ends before the action does.

        Raises:
            LogUnavailable: See `send`.
        """
        self.rows.extend(rows)
        if len(connection.atomic_blocks) > 1:
            self.send()

    def send(self) -> None:
        """Write what is held.

        Raises:
            LogUnavailable: The log cannot be written; the transaction is broken.
        """
        rows, self.rows = self.rows, []
        if not rows:
            return
        try:
            write(rows)
        except DatabaseError as error:
            raise LogUnavailable("The log cannot be written.") from error

    def send_with_commit(self) -> None:
        """Write what is held, and commit where the transaction is not somebody else's. To be called last.

        Raises:
            LogUnavailable: The log cannot be written; nothing was kept.
            DatabaseError: The connection or the COMMIT failed.
        """
        link = connections[DEFAULT_DB_ALIAS]  # once: `connection` looks for the thread's own at each use
        if len(link.atomic_blocks) != 1 or link.needs_rollback or not 0 < len(self.rows) <= FEW:
            return self.send()
        rows, self.rows = self.rows, []
        with link.wrap_database_errors:
            _commit_with(rows, link.connection)
        return None


def _commit_with(rows: Sequence[Row], link: "psycopg.Connection[Any]") -> None:
    asked = [_asked(row) for row in rows]
    try:
        prepare(link, asked)
    except psycopg.Error as error:
        raise LogUnavailable("The log cannot be written.") from error
    _judge(ask(link, asked, commit=True))


def _judge(answers: Sequence[pq.abc.PGresult]) -> None:
    """Only a server that refused an event has surely not committed; where it fell silent, nobody knows."""
    *events, commit = answers
    for error in filter(None, map(refused, events)):
        if error.sqlstate is None:
            raise error
        raise LogUnavailable("The log cannot be written.") from error
    if silent := refused(commit):
        raise silent
    if commit.command_status != b"COMMIT":
        raise psycopg.InternalError(f"COMMIT was answered with {commit.command_status!r}")


def _asked(row: Row) -> Asked:
    values, personal = _values(row), len(row[1])
    types = (*EVENT, *PERSONAL * personal, UUID)
    return Asked(b"event_%d" % personal, _numbered(personal), values, [BINARY] * len(values), types)


@functools.cache
def _numbered(personal: int) -> bytes:
    numbers = count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", one_statement(personal)).encode()


def _values(row: Row) -> list[bytes]:
    (identity, name, at, by, case, subject, body), personal = row
    values = [
        identity.bytes, name.encode(), struct.pack("!q", at), by.encode(), case.encode(), subject.encode(), body,
    ]  # fmt: skip
    for _, field, salt, value in personal:
        values += (identity.bytes, field.encode(), salt, value.encode())
    return [*values, identity.bytes]
