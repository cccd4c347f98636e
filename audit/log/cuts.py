"""Where the log begins: the minimum index (C2SP tlog-tiles, "Pruning") that a sealed ``log.cut`` says, 0 while nothing was cut.

Below it the hashes of all entries stay, and so every proof; the entries themselves are gone, but for those that say what is in force and
those of cases that go on above it.
"""

from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

MINIMUM = """
SELECT coalesce(max((convert_from(e.body, 'UTF8')::jsonb #>> '{fields,minimum_index}')::bigint), 0)
FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = 'log.cut' AND s."index" < %s AND e.at <= %s
AND (convert_from(e.body, 'UTF8')::jsonb #>> '{fields,minimum_index}')::bigint <= s."index"
"""
HELD = 'SELECT count(*) FROM audit_sealed_entry WHERE "index" < %s'
LAST = """
SELECT e.at, (convert_from(e.body, 'UTF8')::jsonb #>> '{fields,minimum_index}')::bigint
FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = 'log.cut' ORDER BY 2 DESC, e.at LIMIT 1
"""
GONE = 'SELECT id FROM unnest(%s::text[]) AS c (id) WHERE NOT EXISTS (SELECT FROM audit_event e WHERE e."case" = c.id)'
ALL = 2**62


def minimum_index(cursor: Any = None, *, below: int = ALL, said_before: int = ALL) -> int:
    """The minimum index, as events say that are sealed below an index and were written no later than at a time (ms)."""
    if cursor is None:
        with connections[DEFAULT_DB_ALIAS].cursor() as own:
            return minimum_index(own, below=below, said_before=said_before)
    cursor.execute(MINIMUM, [below, said_before])
    return int(cursor.fetchone()[0])


def begins_at() -> int:
    """The index from which on the database holds every entry: 0 also while a cut is said and not begun."""
    minimum = minimum_index()
    if not minimum:
        return 0
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(HELD, [minimum])
        return minimum if cursor.fetchone()[0] < minimum else 0


def cases_gone(cases: Iterable[str]) -> set[str]:
    """Which of these cases have no entry any more."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(GONE, [list(cases)])
        return {row[0] for row in cursor.fetchall()}


def last_cut() -> tuple[int, int] | None:
    """When (ms) the log was last cut, and its minimum index since."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(LAST)
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None
