"""Reading the log: in the order of its indexes, by case, by name. Reads the stored canonical bytes, never a re-serialised column."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from audit.log.append import now_ms
from audit.log.commitments import verify_commitment
from audit.log.erased import in_words, when_erased
from audit.log.logged import LoggedEvent as LoggedEvent  # every reader meets it here
from audit.log.logged import events_of

# One statement for all readers; personal values come as one JSON object, erased ones are simply absent.
SELECT = """
SELECT e.body, e.id, e.name, e.at, e."case", e.subject, s.index, p.values
FROM audit_event e {join} audit_sealed_entry s ON s.event_id = e.id
LEFT JOIN LATERAL (
  SELECT jsonb_object_agg(v.field, jsonb_build_array(encode(v.salt, 'hex'), v.value)) AS values
  FROM audit_personal_value v WHERE v.event_id = e.id
) p ON true
WHERE {where} ORDER BY {order} LIMIT %s
"""

# Of one millisecond: as sealed, then as queued for it. Those that are sealed need no look at the queue.
BY_TIME = """
e.at, s.index NULLS LAST, CASE WHEN s.index IS NULL THEN (SELECT q.seq FROM audit_queue q WHERE q.event_id = e.id) END
"""
NEWEST = """
e.at DESC, s.index DESC NULLS FIRST, CASE WHEN s.index IS NULL THEN (SELECT q.seq FROM audit_queue q WHERE q.event_id = e.id) END DESC
"""
SKEW_MS = 300_000  # between the clocks of two machines
PORTION = 1000  # rows that are fetched at once where there may be any number of them

LAST_OF_SUBJECTS = """
SELECT e.body, e.id, e.name, e.at, e."case", e.subject, s.index FROM unnest(%s::text[]) AS u(subject)
JOIN LATERAL (SELECT * FROM audit_event WHERE subject = u.subject AND name = %s ORDER BY at DESC LIMIT 1) e ON true
LEFT JOIN audit_sealed_entry s ON s.event_id = e.id
"""

COUNT_OF_CASE = """
SELECT count(*) FROM audit_event e {sealed} WHERE e."case" = %s AND e.name = %s {narrowed}
"""
SEALED_UPTO = "JOIN audit_sealed_entry s ON s.event_id = e.id AND s.index <= %s"

COUNT_BETWEEN = """
SELECT count(*) FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id WHERE s.index >= %s AND s.index < %s AND e.name = ANY(%s)
"""

POSITION = """
SELECT c.size, c.signed_at, (SELECT e.at FROM audit_queue q JOIN audit_event e ON e.id = q.event_id ORDER BY q.seq LIMIT 1)
FROM (SELECT 1) AS one LEFT JOIN LATERAL (SELECT size, signed_at FROM audit_checkpoint ORDER BY size DESC LIMIT 1) c ON true
"""


def _query(join: str, where: str, order: str, parameters: Sequence[Any], limit: int | None) -> list[LoggedEvent]:
    return dated(_read(_rows(join, where, order, parameters, limit)))


def _rows(join: str, where: str, order: str, parameters: Sequence[Any], limit: int | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT.format(join=join, where=where, order=order), [*parameters, limit])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def dated(events: list[LoggedEvent]) -> list[LoggedEvent]:
    """Let events that lack a value know when it was erased. One query more where there are any."""
    lacking = [event.id for event in events if event.commitments.keys() - event.personal.keys()]
    if not lacking:
        return events
    when = when_erased(lacking)
    return [replace(event, erased_at=when[event.id]) if event.id in when else event for event in events]


def _by_time(where: str, parameters: Sequence[Any], limit: int | None) -> list[LoggedEvent]:
    """The newest so many, in the order in which they were written."""
    return _query("LEFT JOIN", where, NEWEST, parameters, limit)[::-1]


def _each(where: str, parameters: Sequence[Any]) -> Iterator[LoggedEvent]:
    """By time, fetched in portions: nothing is cut off, and no more of them than a portion lie in memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(SELECT.format(join="LEFT JOIN", where=where, order=BY_TIME), [*parameters, None])
        while rows := cursor.fetchmany(PORTION):
            yield from dated(_read(rows))


def _read(rows: Sequence[tuple[Any, ...]]) -> list[LoggedEvent]:
    """The events of such rows with their personal values; one that cannot be read is passed over."""
    values = {row[1]: row[7] for row in rows}
    return [_proved(event, _values(values[event.id])) for event in events_of(row[:7] for row in rows)]


def _values(values: Any) -> dict[str, tuple[str, str]]:
    return json.loads(values) if isinstance(values, str) else (values or {})


def _proved(event: LoggedEvent, values: dict[str, tuple[str, str]]) -> LoggedEvent:
    """Give an event the values that it committed to; one that was laid there in another's place is no part of it."""
    for name, (salt, value) in values.items():
        committed = event.commitments.get(name)
        if committed is not None and verify_commitment(committed, bytes.fromhex(salt), name, value):
            event.personal[name] = value
    return event


def follow(after: int, names: Iterable[str] = (), limit: int = 500) -> list[LoggedEvent]:
    """Sealed events with an index of at least ``after``, in order; only those of ``names`` if any are given.

    Nothing means that there are no more: where none of so many can be read, those behind them are asked for.
    """
    wanted = list(names)
    where = "s.index >= %s AND e.name = ANY(%s)" if wanted else "s.index >= %s"
    while True:
        rows = _rows("JOIN", where, "s.index", [after, wanted] if wanted else [after], limit)
        found = dated(_read(rows))
        if found or len(rows) < limit:
            return found
        after = rows[-1][6] + 1


def size() -> int:
    """How many entries are sealed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(index) + 1, 0) FROM audit_sealed_entry")
        return int(cursor.fetchone()[0])


def of_case(case: object, names: Iterable[str] = (), limit: int | None = None) -> list[LoggedEvent]:
    """All of a case's events by time, sealed or not yet; of more than ``limit`` the newest."""
    wanted = list(names)
    if wanted:
        return _by_time('e."case" = %s AND e.name = ANY(%s)', [str(case), wanted], limit)
    return _by_time('e."case" = %s', [str(case)], limit)


def newest_of_case(
    case: object, names: Iterable[str] = (), before: int | None = None, limit: int = 100
) -> list[LoggedEvent]:
    """A case's events, newest first, sealed or not yet; with ``before`` those that are sealed below that index."""
    where: list[str] = ['e."case" = %s']
    parameters: list[Any] = [str(case)]
    if wanted := list(names):
        where.append("e.name = ANY(%s)")
        parameters.append(wanted)
    if before is not None:
        where.append("s.index < %s")
        parameters.append(before)
    return _query("LEFT JOIN", " AND ".join(where), NEWEST, parameters, limit)


def of_cases(cases: Iterable[object], names: Iterable[str], limit: int | None = None) -> list[LoggedEvent]:
    """All events of some names of several cases by time, sealed or not yet; of more than ``limit`` the newest. One query for a list's page."""
    return _by_time('e."case" = ANY(%s) AND e.name = ANY(%s)', [[str(each) for each in cases], list(names)], limit)


def values_of_case(case: object, name: str, wanted: str, among: Iterable[str]) -> set[str]:
    """Which of these values a plain field has in the case's events of a name. The database compares, so many events cost no memory here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT convert_from(body, 'UTF8')::json #>> ARRAY['fields', %s] FROM audit_event"
            """ WHERE "case" = %s AND name = %s AND convert_from(body, 'UTF8')::json #>> ARRAY['fields', %s] = ANY(%s)""",
            [wanted, str(case), name, wanted, list(among)],
        )
        return {row[0] for row in cursor.fetchall()}


def count_of_case(case: object, name: str, upto: int | None = None, **fields: str) -> int:
    """How many events of a name the case has, with these plain fields; with ``upto`` those that are sealed up to that index."""
    narrowed = "".join(" AND convert_from(e.body, 'UTF8')::json #>> ARRAY['fields', %s] = %s" for _ in fields)
    with connection.cursor() as cursor:
        words = [word for each in fields.items() for word in each]
        sealed, first = (SEALED_UPTO, [upto]) if upto is not None else ("", [])
        cursor.execute(COUNT_OF_CASE.format(sealed=sealed, narrowed=narrowed), [*first, str(case), name, *words])
        return int(cursor.fetchone()[0])


def in_window(name: str, from_at: int, to_at: int, limit: int = 500) -> list[LoggedEvent]:
    """Events of a name written between two times (ms, the second left out), sealed or not yet."""
    return _query("LEFT JOIN", "e.name = %s AND e.at >= %s AND e.at < %s", BY_TIME, [name, from_at, to_at], limit)


@dataclass(frozen=True)
class Tally:
    """How many events of a name one actor wrote about one thing, and when (ms) the first and the last."""

    by: str
    subject: str
    count: int
    first_at: int
    last_at: int


def tallies(name: str, since: int) -> list[Tally]:
    """Events of a name written at that time (ms) or later, counted by actor and thing; those about nothing are left out. The database counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.by, e.subject, count(*), min(e.at), max(e.at) FROM audit_event e "
            "WHERE e.name = %s AND e.at >= %s AND e.subject <> '' GROUP BY e.by, e.subject ORDER BY e.by, e.subject",
            [name, since],
        )
        return [Tally(*row) for row in cursor.fetchall()]


def of_subject(
    subject: str, names: Iterable[str] = (), limit: int | None = 2000, upto: int | None = None
) -> list[LoggedEvent]:
    """Events about one thing by time, sealed or not yet. Of more than ``limit`` the newest: what holds now, the last of them says.

    ``upto``: only those that were written no later (ms).
    """
    where: list[str] = ["e.subject = %s"]
    parameters: list[Any] = [subject]
    if wanted := list(names):
        where.append("e.name = ANY(%s)")
        parameters.append(wanted)
    if upto is not None:
        where.append("e.at <= %s")
        parameters.append(upto)
    return _by_time(" AND ".join(where), parameters, limit)


def of_subjects(subjects: Iterable[str], names: Iterable[str]) -> list[LoggedEvent]:
    """All events of some names about several things by time, sealed or not yet; for names of which each has few. One query."""
    return _by_time("e.subject = ANY(%s) AND e.name = ANY(%s)", [list(subjects), list(names)], None)


def last_of_subjects(subjects: Iterable[str], name: str) -> dict[str, LoggedEvent]:
    """The latest event of that name about each subject, sealed or not yet. One query, without personal values."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_OF_SUBJECTS, [list(subjects), name])
        return {event.subject: event for event in events_of(cursor.fetchall())}


def recent(names: Iterable[str] = (), before: int | None = None, limit: int = 100) -> list[LoggedEvent]:
    """The newest sealed events below ``before``, newest first."""
    wanted, top = list(names), before if before is not None else 2**62
    if wanted:
        return _query("JOIN", "s.index < %s AND e.name = ANY(%s)", "s.index DESC", [top, wanted], limit)
    return _query("JOIN", "s.index < %s", "s.index DESC", [top], limit)


def between(first: int, before: int, without: Iterable[str], limit: int) -> list[LoggedEvent]:
    """The newest sealed events from an index on to below another, newest first, without those of some names."""
    where = "s.index >= %s AND s.index < %s AND e.name <> ALL(%s)"
    return _query("JOIN", where, "s.index DESC", [first, before, list(without)], limit)


def count_between(first: int, before: int, names: Iterable[str]) -> int:
    """How many sealed events of some names there are from an index on to below another."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_BETWEEN, [first, before, list(names)])
        return int(cursor.fetchone()[0])


def named(names: Iterable[str]) -> list[LoggedEvent]:
    """All events of some names by time, sealed or not yet; for names of which there are few."""
    return _query("LEFT JOIN", "e.name = ANY(%s)", BY_TIME, [list(names)], None)


def last_named(names: Iterable[str], limit: int = 1, until: int | None = None) -> list[LoggedEvent]:
    """The newest so many events of some names by time, sealed or not yet; ``until``: none that was written later (ms)."""
    return _by_time("e.name = ANY(%s) AND e.at <= %s", [list(names), _believed() if until is None else until], limit)


def last_one_named(names: Iterable[str]) -> LoggedEvent | None:
    """The newest event of some names, sealed or not yet; however many there are."""
    wanted = list(names)
    found = _by_time(
        "e.name = ANY(%s) AND e.at = (SELECT max(at) FROM audit_event WHERE name = ANY(%s) AND at <= %s)",
        [wanted, wanted, _believed()],
        1,
    )
    return found[0] if found else None


def last_named_of(subject: str, names: Iterable[str]) -> LoggedEvent | None:
    """The newest event of some names about one thing, sealed or not yet."""
    found = of_subject(subject, names, 1, _believed())
    return found[0] if found else None


def _believed() -> int:
    """Up to when (ms) an event can be the last of something: one that says that it was written later would silence whoever asks until then."""
    return now_ms() + SKEW_MS


def each_named(names: Iterable[str], since: int | None = None) -> Iterator[LoggedEvent]:
    """The same one by one, however many there are; ``since``: only those that were written at that time (ms) or later."""
    if since is None:
        return _each("e.name = ANY(%s)", [list(names)])
    return _each("e.name = ANY(%s) AND e.at >= %s", [list(names), since])


def person_names(ids: Iterable[str]) -> dict[str, str]:
    """Names of people by pseudonym, as the log last wrote them. In the place of an erased one stands when that was, with the pseudonym's beginning."""
    wanted = [f"person:{each}" for each in set(ids)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(e.subject, 8), v.value, (SELECT max(x.at) FROM audit_event x WHERE v.value IS NULL"
            " AND x.subject = 'entry:' || e.id AND x.name = 'personal_value.erased')"
            " FROM audit_event e LEFT JOIN audit_personal_value v ON v.event_id = e.id AND v.field = 'name'"
            " WHERE e.name = 'person.added' AND e.subject = ANY(%s)",
            [wanted],
        )
        rows = cursor.fetchall()
    erased = {person: f"{in_words(at)} {person[:8]}" for person, value, at in rows if value is None and at is not None}
    return erased | {person: value for person, value, _ in rows if value is not None}


def signed_after(size: int) -> int | None:
    """When (ms) the first checkpoint of more than so many entries was signed; nothing where there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT signed_at FROM audit_checkpoint WHERE size > %s ORDER BY size LIMIT 1", [size])
        row = cursor.fetchone()
    return int(row[0]) if row else None


@dataclass(frozen=True)
class Position:
    """How far the log is sealed, in times of ms; for the foot of a page. It proves nothing: see ``checkpoints.py``."""

    size: int
    signed_at: int | None
    waiting_since: int | None


def position() -> Position:
    """Size and time of the last checkpoint, and the time of the oldest entry that waits to be sealed. One query."""
    with connection.cursor() as cursor:
        cursor.execute(POSITION)
        size, signed_at, waiting_since = cursor.fetchone()
    return Position(size or 0, signed_at, waiting_since)
