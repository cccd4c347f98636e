"""What is kept, and what could be cut: by the times of entries and by what still needs them. Reads only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from audit.events import catalogue
from audit.events.retention import CLASSES, DAY_MS, ENTRIES, Kept, class_of
from audit.log import tiles
from audit.log.cuts import minimum_index
from audit.log.read import size

OLDEST = """
SELECT name, (SELECT min(at) FROM audit_event e WHERE e.name = wanted.name) FROM unnest(%s::text[]) AS wanted (name)
"""
PLACE = """
SELECT s."index", e.at FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id WHERE s."index" >= %s ORDER BY s."index" LIMIT 1
"""
YOUNG = """
SELECT min(s."index") FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s."index" >= %s AND s."index" < %s AND e.at > %s
"""
OF_CASES = """
SELECT e."case", min(s."index") FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e."case" = ANY(%s) AND s."index" >= %s AND s."index" < %s GROUP BY 1
"""
# For each, entries one after the other as far as the first: asked only where a hold has no row that remembers it.
OF_PEOPLE = """
SELECT p.id, f.place FROM unnest(%s::text[]) AS p (id) JOIN LATERAL (
  SELECT s."index" AS place FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
  WHERE (e."by" = p.id OR position(convert_to(p.id, 'UTF8') IN e.body) > 0) AND s."index" >= %s AND s."index" < %s ORDER BY 1 LIMIT 1) f ON true
"""
FIRST_OF_CASE = """
SELECT s."index" FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e."case" = %s AND s."index" >= %s ORDER BY 1 LIMIT 1
"""
# Entries one after the other, as far as the first.
FIRST_OF_PERSON = """
SELECT s."index" FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE (e."by" = %s OR position(convert_to(%s, 'UTF8') IN e.body) > 0) AND s."index" >= %s ORDER BY 1 LIMIT 1
"""
SPAN = 'SELECT min(e.at), max(e.at) FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id WHERE s."index" >= %s AND s."index" < %s'


@dataclass(frozen=True)
class Holding:
    """One class, its term in days, and the time (ms) of the oldest entry of it that the database holds."""

    kept: Kept
    days: int | None
    oldest_at: int | None


def classes(terms: Mapping[str, int]) -> list[Holding]:
    """Every class with its oldest entry. One statement."""
    names: dict[str, list[str]] = {key: [] for key in CLASSES}
    for name in catalogue:
        names[class_of(name).key].append(name)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(OLDEST, [list(catalogue)])
        oldest = {name: at for name, at in cursor.fetchall() if at is not None}
    return [
        Holding(each, terms.get(key), min((oldest[name] for name in names[key] if name in oldest), default=None))
        for key, each in CLASSES.items()
    ]


@dataclass(frozen=True)
class Cuttable:
    """What could be cut: entries from ``begins`` to before ``minimum``, written from ``from_at`` to ``to_at`` (ms).

    ``in_the_way`` names what lowered it: cases and people, each with the first index of theirs below.
    """

    begins: int
    minimum: int
    from_at: int = 0
    to_at: int = 0
    by_time: int = 0
    in_the_way: Mapping[str, int] | None = None

    @property
    def entries(self) -> int:
        """How many places of the log."""
        return self.minimum - self.begins


def cuttable(
    *,
    now: int,
    terms: Mapping[str, int],
    cases: Collection[str],
    held: Mapping[str, int],
    people: Collection[str] = (),
    alias: str = DEFAULT_DB_ALIAS,
) -> Cuttable:
    """The most that could be cut at a time (ms): whole bundles, all of it past its term, nothing of these cases, by these people or naming them.

    ``held``: what is under a hold, with the index from which on nothing of it may go (`first_of`).
    """
    with connections[alias].cursor() as cursor:
        begins = minimum_index(cursor)
        by_time = _whole(_past(cursor, begins, now - terms[ENTRIES] * DAY_MS))
        if by_time <= begins:
            return Cuttable(begins, begins, by_time=by_time)
        way = _firsts(cursor, OF_CASES, cases, begins, by_time) | _firsts(cursor, OF_PEOPLE, people, begins, by_time)
        for key, at in held.items():
            if at < by_time:
                way[key] = min(at, way.get(key, at))
        minimum = max(begins, _whole(min([by_time, *way.values()])))
    return Cuttable(begins, minimum, *span(begins, minimum, alias), by_time, way)


def first_of(*, case: str = "", person: str = "") -> int:
    """The first index, of what was not cut, whose entry is of a case, or is by or names a person; where there is none, the log's size.

    It stays what it is while nothing from there on is cut. For a person the log is read up to there, so it is asked once, when a hold is set.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        begins = minimum_index(cursor)
        if case:
            cursor.execute(FIRST_OF_CASE, [case, begins])
        else:
            cursor.execute(FIRST_OF_PERSON, [person, person, begins])
        row = cursor.fetchone()
    return int(row[0]) if row else size()


def span(begins: int, minimum: int, alias: str = DEFAULT_DB_ALIAS) -> tuple[int, int]:
    """When (ms) the first and the last of the entries in between were written; 0 where there is none."""
    with connections[alias].cursor() as cursor:
        cursor.execute(SPAN, [begins, minimum])
        from_at, to_at = cursor.fetchone()
    return from_at or 0, to_at or 0


def _whole(index: int) -> int:
    return index - index % tiles.WIDTH


def _firsts(cursor: Any, statement: str, wanted: Collection[str], begins: int, end: int) -> dict[str, int]:
    if not wanted:
        return {}
    cursor.execute(statement, [list(wanted), begins, end])
    return dict(cursor.fetchall())


def _past(cursor: Any, begins: int, latest: int) -> int:
    """The first index whose entry was written after ``latest``: looked for by halves, since entries are nearly in the order of time, then exactly."""
    cursor.execute('SELECT coalesce(max("index") + 1, 0) FROM audit_sealed_entry')
    low, high = begins, cursor.fetchone()[0]
    while low < high:
        middle = (low + high) // 2
        cursor.execute(PLACE, [middle])
        index, at = cursor.fetchone()
        low, high = (index + 1, high) if at <= latest else (low, middle)
    cursor.execute(YOUNG, [begins, low, latest])
    young = cursor.fetchone()[0]
    return int(low if young is None else young)
