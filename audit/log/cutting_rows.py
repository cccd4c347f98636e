"""Removing the rows of old entries that a sealed ``log.cut`` names, with the eraser's role, portion by portion.

Each portion is a transaction of its own, and takes whole cases: so none is half there, wherever it breaks off and whatever is held by then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections

from audit.events import catalogue
from audit.events.retention import DAY_MS, ENTRIES, stays
from audit.log.append import now_ms
from audit.log.sealing import SealingError

PORTION = 4096  # entries of one transaction; one case that has more goes whole
YOUNG = """
SELECT count(*) FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id WHERE s."index" < %s AND e.at > %s
"""
# What goes: all below the minimum, but what says what is in force, what is held, and cases that go on at the minimum or after it.
GOES = """
SELECT s."index", e.id, e."case" FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s."index" >= %(start)s AND s."index" < %(minimum)s AND NOT e.name = ANY(%(stay)s)
AND NOT e.id = ANY(%(held)s::uuid[]) AND NOT e."case" = ANY(%(cases)s) AND (e."case" = '' OR NOT EXISTS (
  SELECT FROM audit_event later LEFT JOIN audit_sealed_entry place ON place.event_id = later.id
  WHERE later."case" = e."case" AND later."case" <> '' AND (place."index" IS NULL OR place."index" >= %(minimum)s)))
ORDER BY s."index" LIMIT %(most)s
"""
SIZES = """SELECT "case", count(*) FROM audit_event WHERE "case" = ANY(%s) AND "case" <> '' GROUP BY 1"""
OF_CASES = """SELECT id FROM audit_event WHERE "case" = ANY(%s) AND "case" <> '' AND NOT name = ANY(%s)"""
# Of people: by whom an entry is, or whom it names.
NAMING = """
SELECT DISTINCT e.id, e."case" FROM audit_event e
JOIN unnest(%(people)s::text[]) AS p (id) ON e."by" = p.id OR position(convert_to(p.id, 'UTF8') IN e.body) > 0
WHERE {where}
"""
CHOSEN = """e.id = ANY(%(loose)s::uuid[]) OR e."case" = ANY(%(cases)s) AND e."case" <> ''"""
LEFT = 'EXISTS (SELECT FROM audit_sealed_entry s WHERE s.event_id = e.id AND s."index" < %(minimum)s)'


class TooYoung(SealingError):
    """What would be removed has not been kept for its time; nothing was removed."""


@dataclass(frozen=True)
class Portion:
    """What one portion took, the index at which the next begins (nothing: there is none), and the cases in which held people are named."""

    after: int | None
    entries: int = 0
    values: int = 0
    held: frozenset[str] = frozenset()


def latest_kept() -> int:
    """What was written until then (ms) has been kept for its time."""
    return now_ms() - settings.PORTAL_RETENTION[ENTRIES] * DAY_MS


def need_old(alias: str, minimum: int) -> None:
    """See to it that all below the minimum has been kept for its time.

    Raises:
        TooYoung: some has not.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(YOUNG, [minimum, latest_kept()])
        if young := cursor.fetchone()[0]:
            raise TooYoung(f"{young} entries before {minimum} must be kept for longer; none is removed.")


def cut_portion(
    alias: str, minimum: int, start: int, *, cases: Collection[str] = (), people: Collection[str] = ()
) -> Portion:
    """Remove some of the entries from ``start`` to before the minimum, with all that is personal in them, in the caller's transaction.

    What is of these cases and people is under a legal hold and stays, each case whole; a later cut looks at it again.

    Raises:
        DatabaseError: the role has no right to, or no sealed ``log.cut`` says so.
    """
    with connections[alias].cursor() as cursor:
        rows = _going(cursor, minimum, start, cases=cases, most=PORTION)
        if not rows:
            return Portion(None)
        loose, chosen, after = _chosen(cursor, rows)
        named = _naming(cursor, CHOSEN, people, loose=loose, cases=chosen)
        held = {case for _, case in named if case}
        cursor.execute(OF_CASES, [sorted(set(chosen) - held), staying()])
        events = set(loose) - {event for event, _ in named} | {row[0] for row in cursor.fetchall()}
        return Portion(after, *_remove(cursor, sorted(events)), frozenset(held))


def left(minimum: int, *, cases: Collection[str] = (), people: Collection[str] = (), alias: str = "default") -> bool:
    """Whether there is anything below the minimum that goes, with these cases and people under a hold."""
    with connections[alias].cursor() as cursor:
        named = _naming(cursor, LEFT, people, minimum=minimum)
        held = {case for _, case in named if case}
        return bool(_going(cursor, minimum, 0, cases={*cases, *held}, events=[event for event, _ in named], most=1))


def stayed(minimum: int, alias: str = "default") -> int:
    """How many entries below the minimum the database holds."""
    with connections[alias].cursor() as cursor:
        cursor.execute('SELECT count(*) FROM audit_sealed_entry WHERE "index" < %s', [minimum])
        return int(cursor.fetchone()[0])


def staying() -> list[str]:
    """Names of events whose entries stay."""
    return sorted(filter(stays, catalogue))


def _going(
    cursor: Any, minimum: int, start: int, *, cases: Collection[str], events: Sequence[UUID] = (), most: int
) -> list[tuple[int, UUID, str]]:
    given = {"start": start, "minimum": minimum, "stay": staying(), "cases": list(cases), "held": list(events)}
    cursor.execute(GOES, given | {"most": most})
    return list(cursor.fetchall())


def _chosen(cursor: Any, rows: Sequence[tuple[int, UUID, str]]) -> tuple[list[UUID], list[str], int]:
    """So many of the rows from the first on that with all of their cases they are one portion: those of no case, the cases, where it ends."""
    cursor.execute(SIZES, [sorted({case for _, _, case in rows})])
    sizes: dict[str, int] = dict(cursor.fetchall())
    loose: list[UUID] = []
    cases: dict[str, None] = {}
    room = PORTION
    for index, event, case in rows:
        needs = 0 if case in cases else sizes[case] if case else 1
        if needs > room and (loose or cases):
            return loose, list(cases), index
        room -= needs
        if case:
            cases[case] = None
        else:
            loose.append(event)
    return loose, list(cases), rows[-1][0] + 1


def _naming(cursor: Any, where: str, people: Collection[str], **given: Any) -> list[tuple[UUID, str]]:
    """Entries that are by one of these people or name one, with their cases."""
    if not people:
        return []
    cursor.execute(NAMING.format(where=where), given | {"people": list(people)})
    return list(cursor.fetchall())


def _remove(cursor: Any, events: Sequence[UUID]) -> tuple[int, int]:
    """How many entries and values went. The event before its place: the trigger looks the place up."""
    cursor.execute("DELETE FROM audit_personal_value WHERE event_id = ANY(%s)", [list(events)])
    values = int(cursor.rowcount)
    cursor.execute("DELETE FROM audit_event WHERE id = ANY(%s)", [list(events)])
    entries = int(cursor.rowcount)
    cursor.execute("DELETE FROM audit_sealed_entry WHERE event_id = ANY(%s)", [list(events)])
    return entries, values
