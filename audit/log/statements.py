"""The statements that put events, their personal values and their places in the sealer's queue into the database; `append` alone has them sent."""

import functools
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Values = tuple[Any, ...]
Personal = list[tuple[Any, ...]]
Row = tuple[Values, Personal]

ONE = """
WITH entry AS (
  INSERT INTO audit_event (id, name, at, "by", "case", subject, body) VALUES (%s, %s, %s, %s, %s, %s, %s)
){personal}
INSERT INTO audit_queue (event_id) VALUES (%s)
"""
ONES_PERSONAL = ", personal AS (INSERT INTO audit_personal_value (event_id, field, salt, value) VALUES {})"
MANY = """
WITH entry AS (
  INSERT INTO audit_event (id, name, at, "by", "case", subject, body)
  SELECT * FROM unnest(%b::uuid[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::bytea[])
), queued AS (
  INSERT INTO audit_queue (event_id) SELECT * FROM unnest(%b::uuid[])
)
INSERT INTO audit_personal_value (event_id, field, salt, value)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::bytea[], %b::text[])
"""


def write(rows: Sequence[Row], on: BaseDatabaseWrapper | None = None) -> None:
    """One statement for all of them, in their order; on the usual connection where no other is named.

    Prepared on the server, which Django's own cursors cannot: the statement is always the same, and planning it takes longer than doing it.
    """
    statement, parameters = _one(*rows[0]) if len(rows) == 1 else _many(rows)
    link = on or connections[DEFAULT_DB_ALIAS]
    link.validate_no_broken_transaction()
    with link.wrap_database_errors, psycopg.Cursor(link.connection) as cursor:
        cursor.execute(statement, parameters, prepare=True)


def _one(row: Values, personal: Personal) -> tuple[str, Sequence[Any]]:
    """Plain values: the server plans them in half the time that arrays take, and most actions write one event."""
    return one_statement(len(personal)), [*row, *(value for each in personal for value in each), row[0]]


@functools.cache
def one_statement(personal: int) -> str:
    """The statement for one event with so many personal values."""
    places = ", ".join(["(%s, %s, %s, %s)"] * personal)
    return ONE.format(personal=ONES_PERSONAL.format(places) if personal else "")


def _many(rows: Sequence[Row]) -> tuple[str, Sequence[Any]]:
    columns = list(zip(*(row for row, _ in rows), strict=True))
    personal = [value for _, values in rows for value in values]
    values = list(zip(*personal, strict=True)) if personal else [(), (), (), ()]
    return MANY, [list(column) for column in (*columns, columns[0], *values)]
