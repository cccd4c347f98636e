"""Cutting old entries: their bundles from a store that publishes them, their rows with the eraser's role. Both do only what a sealed
``log.cut`` says, look again at every entry themselves, and can be repeated after a crash at any step.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connections

from audit.events import catalogue
from audit.events.retention import DAY_MS, ENTRIES, class_of
from audit.log import tiles
from audit.log.append import now_ms
from audit.log.canonical import parse_entry
from audit.log.checkpoints import public_keys
from audit.log.cuts import ALL, minimum_index
from audit.log.errors import ParseError
from audit.log.publishing import read_head
from audit.log.sealing import SealingError
from audit.log.stores import Store, StoreUnavailable
from audit.log.stores.opening import open_store

PORTION = 4096  # indexes of one transaction
BEGUN = """
SELECT min("index") FROM audit_sealed_entry WHERE "index" < %s
"""
YOUNG = """
SELECT count(*) FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id WHERE s."index" < %s AND e.at > %s
"""
# Of the people below the minimum: by whom an entry is, or whom it names.
OF_PEOPLE = """
SELECT e.id, e."case" FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
JOIN unnest(%s::text[]) AS p (id) ON e."by" = p.id OR position(convert_to(p.id, 'UTF8') IN e.body) > 0
WHERE s."index" < %s
"""
# What goes: all below the minimum, but what says what is in force, what is held, and cases that go on at the minimum or after it.
GOES = """
SELECT s.event_id FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s."index" >= %(start)s AND s."index" < %(end)s AND NOT e.name = ANY(%(stay)s)
AND NOT e.id = ANY(%(held)s) AND NOT e."case" = ANY(%(cases)s) AND (e."case" = '' OR NOT EXISTS (
  SELECT FROM audit_event later LEFT JOIN audit_sealed_entry place ON place.event_id = later.id
  WHERE later."case" = e."case" AND later."case" <> '' AND (place."index" IS NULL OR place."index" >= %(minimum)s)))
"""


class StillLocked(Exception):
    """The store keeps the bundles under lock; the sentence says until when."""


class TooYoung(SealingError):
    """What would be removed has not been kept for its time; nothing was removed."""


@dataclass
class Gone:
    """What a cut took from the database, and what stays below the minimum."""

    entries: int = 0
    values: int = 0
    stayed: int = 0


def staying() -> list[str]:
    """Names of events whose entries stay."""
    return sorted(name for name in catalogue if class_of(name).days is None)


def bundle(number: int) -> str:
    """The path of a full bundle."""
    return tiles.path(tiles.TileName(None, number, tiles.WIDTH))


def need_unlocked(store: Store, minimum: int) -> None:
    """See to it that the bundles below can be removed; the newest is locked for longest.

    Raises:
        StillLocked: they cannot yet.
        StoreUnavailable: the store does not answer.
    """
    until: datetime | None = store.locked_until(bundle(minimum // tiles.WIDTH - 1))
    if until is not None:
        raise StillLocked(
            f"The store keeps these entries under Object Lock until {until:%-d %b %Y, %H:%M} UTC. Cut them after that."
        )


def cut_published(cursor: Any, store: Store, size: int) -> int:
    """Remove from a store, in which ``size`` entries are published, the bundles that a published ``log.cut`` names; how many.

    From the first to the last: where the last one is gone, all are.

    Raises:
        SealingError: An entry there has not been kept for its time; nothing was removed.
        StoreUnavailable, StillLocked: See `need_unlocked`.
    """
    minimum = minimum_index(cursor, below=size)
    if minimum:
        need_unlocked(store, minimum)  # one question, before the bundles are read
    first = last = minimum // tiles.WIDTH
    while first and (data := store.read(bundle(first - 1))) is not None:
        _need_old(data, first - 1)
        first -= 1
    if first < last:
        store.cut([bundle(number) for number in range(first, last)])
    return last - first


def _need_old(data: bytes, number: int) -> None:
    """What a log says in its own bytes: a portal that was taken over may write ``log.cut``, and gets nothing removed before its time."""
    latest = _latest()
    try:
        young = [entry for entry in map(parse_entry, tiles.parse_bundle(data, tiles.WIDTH)) if entry["at"] > latest]
    except (ParseError, LookupError, TypeError) as error:
        raise SealingError(f"{bundle(number)} cannot be read, so it is not removed. {error}") from error
    if young:
        raise TooYoung(f"{bundle(number)} holds {len(young)} entries that must be kept for longer; nothing is removed.")


def _latest() -> int:
    """What was written until then (ms) has been kept for its time."""
    return now_ms() - settings.PORTAL_RETENTION[ENTRIES] * DAY_MS


def cut_stored(alias: str, minimum: int, *, cases: Collection[str] = (), people: Collection[str] = ()) -> Gone:
    """Remove the entries below the minimum, with all that is personal in them, portion by portion in the caller's transaction.

    What is of these cases and people is under a legal hold and stays, each case whole; a later cut looks at it again.

    Raises:
        TooYoung: An entry there has not been kept for its time; nothing was removed.
        DatabaseError: the role has no right to, or no sealed ``log.cut`` says so.
    """
    gone = Gone()
    with connections[alias].cursor() as cursor:
        cursor.execute(YOUNG, [minimum, _latest()])
        if young := cursor.fetchone()[0]:
            raise TooYoung(f"{young} entries before {minimum} must be kept for longer; none is removed.")
        stays: dict[str, Any] = {"stay": staying(), "minimum": minimum} | _held(cursor, minimum, cases, people)
        cursor.execute(BEGUN, [minimum])
        start = cursor.fetchone()[0]
        for at in range(start if start is not None else minimum, minimum, PORTION):
            cursor.execute(GOES, {"start": at, "end": min(at + PORTION, minimum)} | stays)
            _remove(cursor, [row[0] for row in cursor.fetchall()], gone)
        cursor.execute('SELECT count(*) FROM audit_sealed_entry WHERE "index" < %s', [minimum])
        gone.stayed = cursor.fetchone()[0]
    return gone


def _held(cursor: Any, minimum: int, cases: Collection[str], people: Collection[str]) -> dict[str, Any]:
    """Entries and cases below the minimum that are held."""
    found: list[tuple[uuid.UUID, str]] = []
    if people:
        cursor.execute(OF_PEOPLE, [list(people), minimum])
        found = cursor.fetchall()
    named = {case for _, case in found if case}
    return {"held": [event for event, case in found if not case], "cases": sorted({*cases, *named})}


def _remove(cursor: Any, events: Sequence[object], gone: Gone) -> None:
    """The event before its place: the trigger looks the place up."""
    cursor.execute("DELETE FROM audit_personal_value WHERE event_id = ANY(%s)", [list(events)])
    gone.values += cursor.rowcount
    cursor.execute("DELETE FROM audit_event WHERE id = ANY(%s)", [list(events)])
    gone.entries += cursor.rowcount
    cursor.execute("DELETE FROM audit_sealed_entry WHERE event_id = ANY(%s)", [list(events)])


def published_size() -> int | None:
    """How many entries are published; nothing where the log is not published.

    Raises:
        StoreUnavailable: it cannot be said.
    """
    if not settings.PORTAL_LOG_STORE:
        return None
    try:
        head = read_head(open_store(settings.PORTAL_LOG_STORE), public_keys())
    except SealingError as error:
        raise StoreUnavailable(str(error)) from error
    return head.checkpoint.size if head else 0


def said_for_all(minimum: int) -> bool:
    """Whether a ``log.cut`` of this minimum is sealed, and published where the log is."""
    size = published_size()
    return minimum_index(below=ALL if size is None else size) >= minimum


def need_unlocked_published(minimum: int) -> None:
    """`need_unlocked`, in the store of the settings; it forbids nothing where the log is not published."""
    if settings.PORTAL_LOG_STORE:
        need_unlocked(open_store(settings.PORTAL_LOG_STORE), minimum)
