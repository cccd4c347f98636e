"""The check of the whole stored log: what `audit.log.ranges` says of it, and whether what lies beside it fits."""

import heapq
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from audit.log import merkle, tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoint import MAX_SIZE
from audit.log.commitments import verify_commitment
from audit.log.errors import ParseError
from audit.log.models import Event, PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint, Tile
from audit.log.note import VerifierKey
from audit.log.ranges import Entry, RangeResult, StoredNote, TileCheck, verify_entries
from audit.log.sealing import Queued, reason_to_refuse

CHUNK = 2000
MOST_NAMED = 20


@dataclass
class Report:
    """What was found. Erased personal values and events that wait are counted; they are no fault."""

    entries: int = 0
    checkpoints: int = 0
    bad_ranges: list[RangeResult] = field(default_factory=list)  # the first 20
    bad_range_count: int = 0
    wrong_tiles: list[str] = field(default_factory=list)
    wrong_columns: list[int] = field(default_factory=list)  # indexes
    personal_held: int = 0
    personal_erased: int = 0
    personal_wrong: list[str] = field(default_factory=list)
    waiting: int = 0
    waiting_since: int | None = None
    astray: int = 0  # neither sealed nor in the queue

    @property
    def ok(self) -> bool:
        """Whether nothing is at fault."""
        faults = (self.bad_range_count, self.wrong_tiles, self.wrong_columns, self.personal_wrong, self.astray)
        return not any(faults)


def examine(keys: Sequence[VerifierKey], seen_elsewhere: Sequence[StoredNote] = ()) -> Report:
    """Check everything at one moment of the database.

    Args:
        keys: The log's public keys.
        seen_elsewhere: Checkpoints that an outsider holds; the stored log must contain them.
    """
    report = Report()
    at_once = not connection.in_atomic_block
    with transaction.atomic():
        if at_once:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _sealed(report, keys, seen_elsewhere)
        _unsealed(report)
    return report


def stored_tile(level: int, index: int, width: int) -> bytes:
    """The first hashes of a stored tile; LookupError where it is missing."""
    row = Tile.objects.filter(level=level, index=index).values_list("hashes").first()
    if row is None:
        raise LookupError(f"Tile {index} of level {level} is missing.")
    return bytes(row[0])[: width * tiles.HASH_BYTES]


def stored_ranges(keys: Sequence[VerifierKey], size: int) -> Iterator[RangeResult]:
    """What holds of each range between two checkpoints, up to the log position ``size``."""
    rows = SealedEntry.objects.filter(index__lt=size).order_by("index").values_list("index", "event__body", "leaf_hash")
    entries = (Entry(index, bytes(body), bytes(leaf)) for index, body, leaf in rows.iterator(chunk_size=CHUNK))
    return verify_entries(entries, stored_notes(size), keys, stored_tile)


def stored_notes(size: int = MAX_SIZE) -> Iterator[StoredNote]:
    """The stored checkpoints of at most ``size`` entries, in order."""
    rows = StoredCheckpoint.objects.filter(size__lte=size).order_by("size").values_list("size", "note", "signed_at")
    for at_size, note, at in rows.iterator(chunk_size=CHUNK):
        yield StoredNote(at_size, note.encode(), at)


def _sealed(report: Report, keys: Sequence[VerifierKey], seen_elsewhere: Sequence[StoredNote]) -> None:
    check = TileCheck(stored_tile)
    elsewhere = sorted(seen_elsewhere, key=lambda note: note.size)
    notes = heapq.merge(stored_notes(), elsewhere, key=lambda note: note.size)
    for result in verify_entries(_watched(report, check), notes, keys, stored_tile):
        report.checkpoints += 1
        if not result.ok:
            report.bad_range_count += 1
            report.bad_ranges += [result] if len(report.bad_ranges) < MOST_NAMED else []
    report.wrong_tiles = [tiles.path(tile) for tile in check.finish()]


def _watched(report: Report, check: TileCheck) -> Iterator[Entry]:
    """The stored entries; on their way tiles, columns and personal values are held against them."""
    columns = ("event_id", *(f"event__{name}" for name in ("name", "at", "by", "case", "subject", "body")))
    rows = SealedEntry.objects.order_by("index").values_list("index", "leaf_hash", *columns)
    chunk: list[tuple[uuid.UUID, bytes]] = []
    for index, leaf, *row in rows.iterator(chunk_size=CHUNK):
        event = Queued(0, *row)
        report.entries += 1
        check.add(merkle.leaf_hash(event.body))
        if reason_to_refuse(event):
            report.wrong_columns.append(index)
        chunk.append((event.id, event.body))
        if len(chunk) == CHUNK:
            _personal(report, chunk)
            chunk.clear()
        yield Entry(index, event.body, bytes(leaf))
    _personal(report, chunk)


def _personal(report: Report, chunk: Sequence[tuple[uuid.UUID, bytes]]) -> None:
    values: dict[tuple[uuid.UUID, str], tuple[bytes, str]] = {
        (identity, name): (bytes(salt), value)
        for identity, name, salt, value in PersonalValue.objects.filter(
            event_id__in=[identity for identity, _ in chunk]
        ).values_list("event_id", "field", "salt", "value")
    }
    for identity, body in chunk:
        for name, commitment in _commitments(body).items():
            held = values.pop((identity, name), None)
            if held is None:
                report.personal_erased += 1
            elif verify_commitment(commitment, held[0], name, held[1]):
                report.personal_held += 1
            else:
                report.personal_wrong.append(f"{identity} {name}")
    report.personal_wrong += [f"{identity} {name}" for identity, name in values]  # committed to by no entry


def _commitments(body: bytes) -> dict[str, str]:
    try:
        personal: Any = parse_entry(body).get("personal", {})
    except ParseError:
        return {}
    return {name: str(value) for name, value in personal.items()} if isinstance(personal, dict) else {}


def _unsealed(report: Report) -> None:
    report.waiting = QueueEntry.objects.count()
    report.waiting_since = QueueEntry.objects.order_by("seq").values_list("event__at", flat=True).first()
    sealed, queued = SealedEntry.objects.values("event_id"), QueueEntry.objects.values("event_id")
    report.astray = Event.objects.exclude(id__in=sealed).exclude(id__in=queued).count()


def as_json(report: Report) -> str:
    """The report for machines."""
    named = vars(report) | {"ok": report.ok, "bad_ranges": [vars(result) for result in report.bad_ranges]}
    return json.dumps(named, indent=1)
