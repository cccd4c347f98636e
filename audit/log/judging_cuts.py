"""Whether a ``log.cut`` may be sealed: looked at against the sealed log, for nothing takes it back and programs remove what it names.

Readers and the database's trigger ask two people's word again. This is the one place that sees a lie before it is an entry.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from audit.events.retention import DAY_MS, ENTRIES
from audit.events.spec import LATEST
from audit.log.canonical import parse_entry
from audit.log.cuts import decisions, minimum_index
from audit.log.errors import ParseError
from audit.log.holds import in_force
from audit.log.said import Cut, decided_by_two, read_cut

# Sealed or not: who declines what was refused waits for whoever seals, and nobody seals it afterwards.
DECLINED = "SELECT body FROM audit_event WHERE name = 'cut.declined'"
DECLINED_SEALED = """
SELECT e.body FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = 'cut.declined'
"""
SIZE = 'SELECT coalesce(max("index") + 1, 0) FROM audit_sealed_entry'
SPAN = """
SELECT coalesce(min(e.at), 0), coalesce(max(e.at), 0) FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s."index" >= %s AND s."index" < %s
"""
HELD = """
SELECT min(s."index") FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s."index" >= %(begins)s AND s."index" < %(minimum)s AND (e."case" = ANY(%(cases)s) OR EXISTS (
  SELECT FROM unnest(%(people)s::text[]) AS p (id) WHERE e."by" = p.id OR position(convert_to(p.id, 'UTF8') IN e.body) > 0))
"""


def reason_against(cursor: Any, data: bytes, now: int) -> str:
    """Why the bytes of a ``log.cut`` must not become the next entry at this time (ms), or nothing.

    Everything that it rests on is sealed by then: who decided, what is held, and what it names. The cheap questions come first.
    """
    try:
        cut = read_cut(data)
    except ParseError as error:
        return f"log.cut: {error}"
    reason = _of_what_is_there(cursor, cut) or _of_who_decided(cursor, cut)
    reason = reason or _of_times(cursor, cut, now) or _of_holds(cursor, cut)
    return f"log.cut: {reason}" if reason else ""


def declined_for_good(cursor: Any, bodies: Sequence[bytes]) -> list[bool]:
    """Of each ``log.cut`` whether a sealed entry declines it: it never becomes an entry, so it waits for nothing."""
    cursor.execute(DECLINED_SEALED)
    declined = _cut_ids(cursor)
    return [_cut_id(body) in declined for body in bodies]


def _of_what_is_there(cursor: Any, cut: Cut) -> str:
    cursor.execute(SIZE)
    size = cursor.fetchone()[0]
    if cut.minimum > size:
        return f"It cuts before entry {cut.minimum}, and the log has {size}."
    begins = minimum_index(cursor)
    return f"It cuts from entry {cut.from_index}, and the log begins at {begins}." if cut.from_index != begins else ""


def _of_who_decided(cursor: Any, cut: Cut) -> str:
    cursor.execute(SIZE)
    if not decided_by_two(replace(cut, place=cursor.fetchone()[0]), decisions(cursor)):
        return f"No two people decided, in sealed entries of their own, to cut before entry {cut.minimum}."
    cursor.execute(DECLINED)
    return "It was declined." if cut.cut_id in _cut_ids(cursor) else ""


def _of_times(cursor: Any, cut: Cut, now: int) -> str:
    cursor.execute(SPAN, [cut.from_index, cut.minimum])
    span = cursor.fetchone()
    if (cut.from_at, cut.to_at) != span:
        return f"It says of what it cuts other times ({cut.from_at} to {cut.to_at}) than the entries do ({span[0]} to {span[1]})."
    kept_until = max(cut.to_at + settings.PORTAL_RETENTION[ENTRIES] * DAY_MS, cut.keep_until)
    if kept_until <= now:
        return ""
    day = datetime.fromtimestamp(min(kept_until, LATEST) // 1000, UTC)
    return f"It cuts what must be kept until {day:%-d %b %Y}."


def _of_holds(cursor: Any, cut: Cut) -> str:
    held = in_force(cursor, sealed=True)
    if not held.cases | held.people:
        return ""
    about = {"cases": list(held.cases), "people": list(held.people)}
    cursor.execute(HELD, {"begins": cut.from_index, "minimum": cut.minimum} | about)
    index = cursor.fetchone()[0]
    return f"Entry {index}, which it cuts, is under a legal hold." if index is not None else ""


def _cut_ids(cursor: Any) -> set[str]:
    return {_cut_id(bytes(body)) for (body,) in cursor.fetchall()} - {""}


def _cut_id(data: bytes) -> str:
    """Nothing, of bytes that name no cut."""
    with contextlib.suppress(ParseError):
        fields = parse_entry(data).get("fields")
        said = fields.get("cut_id") if isinstance(fields, dict) else None
        return said if isinstance(said, str) else ""
    return ""
