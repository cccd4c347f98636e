"""Cutting old entries from a store that publishes them: only what a sealed ``log.cut`` says, after a look at every entry.

It can be repeated after a crash at any step. Their rows: ``cutting_rows.py``.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from audit.log import tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoints import public_keys
from audit.log.cuts import ALL, minimum_index
from audit.log.cutting_rows import TooYoung, latest_kept
from audit.log.errors import ParseError
from audit.log.heartbeats import last_beat
from audit.log.holds import held_bundles, in_force, nobody_sets_one
from audit.log.models import QueueEntry
from audit.log.publishing import read_head
from audit.log.read import of_subject
from audit.log.sealing import SealingError
from audit.log.stores import Store, StoreUnavailable
from audit.log.stores.opening import open_store
from audit.log.tile_paths import parse_path

AT_ONCE = 16  # bundles, for which whoever sets a hold waits


class StillLocked(Exception):
    """The store keeps the bundles under lock; the sentence says until when."""


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


@dataclass(frozen=True)
class Removed:
    """How many bundles were removed, and the numbers of those that stay, since they hold entries under a legal hold."""

    count: int = 0
    kept: tuple[int, ...] = ()


def cut_published(cursor: Any, store: Store, size: int) -> Removed:
    """Remove from a store, in which ``size`` entries are published, the bundles that a published ``log.cut`` names, but those under a hold.

    From the first to the last, a few at a time: before each few the holds are looked at, and until they are gone nobody sets one.

    Raises:
        SealingError: An entry there has not been kept for its time; nothing was removed.
        StoreUnavailable, StillLocked: See `need_unlocked`.
    """
    minimum = minimum_index(cursor, below=size)
    if not minimum:
        return Removed()
    need_unlocked(store, minimum)  # one question, before the bundles are read
    there = _there(store, minimum // tiles.WIDTH)
    for number in there:
        _need_old(_entries(store, number), number)
    count, kept = 0, list[int]()
    for at in range(0, len(there), AT_ONCE):
        some = there[at : at + AT_ONCE]
        with nobody_sets_one(cursor):
            stays = held_bundles(cursor, in_force(cursor), [(number, _entries(store, number)) for number in some])
            store.cut([bundle(number) for number in some if number not in stays])
        count, kept = count + len(some) - len(stays), [*kept, *sorted(stays)]
    return Removed(count, tuple(kept))


def _there(store: Store, before: int) -> list[int]:
    """The full bundles with a lower number that the store has, in order."""
    found = []
    for path in store.listed("tile/entries"):
        with contextlib.suppress(ParseError):
            tile = parse_path(path)
            if tile.level is None and tile.width == tiles.WIDTH and tile.index < before:
                found.append(tile.index)
    return sorted(found)


def _entries(store: Store, number: int) -> list[bytes]:
    """Nothing where somebody else has just removed it."""
    data = store.read(bundle(number))
    try:
        return tiles.parse_bundle(data, tiles.WIDTH) if data is not None else []
    except ParseError as error:
        raise SealingError(f"{bundle(number)} cannot be read, so it is not removed. {error}") from error


def _need_old(entries: Sequence[bytes], number: int) -> None:
    """What a log says in its own bytes: a portal that was taken over may write ``log.cut``, and gets nothing removed before its time."""
    latest = latest_kept()
    try:
        young = [entry for entry in map(parse_entry, entries) if entry["at"] > latest]
    except (ParseError, LookupError, TypeError) as error:
        raise SealingError(f"{bundle(number)} cannot be read, so it is not removed. {error}") from error
    if young:
        raise TooYoung(f"{bundle(number)} holds {len(young)} entries that must be kept for longer; nothing is removed.")


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


def is_sealed(subject: str) -> bool:
    """Whether a ``log.cut`` about this is sealed, published or not."""
    return any(each.index is not None for each in of_subject(subject, ["log.cut"], limit=None))


def why_refused(subject: str) -> str:
    """What the sealer said last against a ``log.cut`` about this that waits; nothing while it has refused none.

    Other processes may write heartbeats too: what is no map says nothing.
    """
    beat = last_beat("sealer")
    against = beat.detail.get("against") if beat else None
    if not isinstance(against, dict):
        return ""
    waiting = [each.id for each in of_subject(subject, ["log.cut"], limit=None) if each.index is None]
    numbers = QueueEntry.objects.filter(event_id__in=waiting).values_list("seq", flat=True).order_by("seq")
    found = [str(against[str(number)]) for number in numbers if str(number) in against]
    return found[0].removeprefix("log.cut: ") if found else ""


def need_unlocked_published(minimum: int) -> None:
    """`need_unlocked`, in the store of the settings; it forbids nothing where the log is not published."""
    if settings.PORTAL_LOG_STORE:
        need_unlocked(open_store(settings.PORTAL_LOG_STORE), minimum)
