"""The check of the whole stored log: what `audit.log.ranges` says of it, and whether what lies beside it fits."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from cryptography import x509
from django.db import connection, transaction

from audit.log import merkle, tiles
from audit.log.checkpoint import MAX_SIZE
from audit.log.cuts import begins_at
from audit.log.examining_cut import examine_cut
from audit.log.examining_times import Seen, Times, seen
from audit.log.examining_values import Examined, Gone, examine_values, read_gone
from audit.log.examining_witnesses import NOBODY, Witnesses, examine_lines, examine_shown
from audit.log.judging_cuts import declined_for_good
from audit.log.models import Event, QueueEntry, SealedEntry, StoredCheckpoint, Tile
from audit.log.note import VerifierKey, write_note
from audit.log.published_before import published_before
from audit.log.ranges import Entry, RangeResult, StoredNote, TileCheck, verify_entries
from audit.log.report import MOST_NAMED, Report
from audit.log.sealing import Queued, reason_to_refuse
from audit.log.timestamps.examining import examined
from audit.log.verify.check import Wanted, check
from audit.log.verify.damage import Kind
from audit.log.verify.sources import Source, SourceUnavailable

CHUNK = 2000
NOTHING_MORE = Gone()
PUBLISHED, STORED = "entries published", "entries stored"


class Tell(Protocol):
    """Hears of entries done, of all, and whether it is those published or those stored."""

    def __call__(self, done: int, size: int, of: str) -> None:
        """So far."""


Told = Callable[[int], None]


def examine(
    keys: Sequence[VerifierKey], seen_elsewhere: Sequence[StoredNote] = (), published: Source | None = None,
    roots: tuple[x509.Certificate, ...] = (), gone: Gone = NOTHING_MORE, witnesses: Witnesses = NOBODY, tell: Tell | None = None,
) -> Report:  # fmt: skip
    """Check everything at one moment of the database.

    Args:
        keys: The log's public keys.
        seen_elsewhere: Checkpoints that an outsider holds; the stored log must contain them.
        published: The log as others see it. It is looked at first, so that the database may have grown since, and not the other way round.
        roots: The certificates under which timestamps are believed.
        gone: Personal values of which entries that are not stored say that they are gone.
        witnesses: By whose keys kept lines are judged, and what they showed before; the stored log must contain it.
        tell: Told now and then how far it came.
    """
    report = Report()
    seen_elsewhere = [*seen_elsewhere, *(_published(report, keys, published, tell) if published else ())]
    at_once = not connection.in_atomic_block
    with transaction.atomic():
        if at_once:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        lacking = examine_shown(report, witnesses, stored_tile)
        stamped = _stamped(report, roots)
        looks = _Looks(report, read_gone(gone), _teller(tell), Times(report, seen(witnesses.keys, stamped)))
        _sealed(looks, keys, [*seen_elsewhere, *lacking])
        _unsealed(report)
        examine_lines(report, witnesses.keys)
    return report


def _published(report: Report, keys: Sequence[VerifierKey], source: Source, tell: Tell | None) -> list[StoredNote]:
    """Check what is published as a stranger would; its checkpoint, which the stored log must contain."""
    before = published_before()  # asked first: meanwhile more may be published, and never less
    try:
        verdict, head = check(source, Wanted(keys, tell=partial(tell, of=PUBLISHED) if tell else None))
    except SourceUnavailable as error:
        report.unreachable = str(error)
        return []
    nothing_yet = head is None and [each.kind for each in verdict.damages] == [Kind.NO_CHECKPOINT]
    report.published = verdict.size
    report.published_damages = [] if nothing_yet and not before else [damage.sentence() for damage in verdict.damages]
    if verdict.size < before:
        report.published_damages.append(f"{before} entries were published before, and {verdict.size} are now.")
    return [StoredNote(head.size, write_note(head.signed.note), 0)] if head else []


def _stamped(report: Report, roots: tuple[x509.Certificate, ...]) -> list[Seen]:
    """What those that verify say."""
    found = examined(roots)
    report.timestamps, report.timestamps_unverified, report.wrong_timestamps = (
        found.verified,
        found.unverified,
        found.wrong,
    )
    return found.seen


def stored_tile(level: int, index: int, width: int) -> bytes:
    """The first hashes of a stored tile; LookupError where it is missing."""
    row = Tile.objects.filter(level=level, index=index).values_list("hashes").first()
    if row is None:
        raise LookupError(f"Tile {index} of level {level} is missing.")
    return bytes(row[0])[: width * tiles.HASH_BYTES]


def stored_ranges(keys: Sequence[VerifierKey], size: int) -> Iterator[RangeResult]:
    """What holds of each range between two checkpoints, up to the log position ``size``; of a log that was cut, from its beginning on."""
    begins = begins_at()
    chosen = SealedEntry.objects.filter(index__gte=begins, index__lt=size).order_by("index")
    rows = chosen.values_list("index", "event__body", "leaf_hash").iterator(chunk_size=CHUNK)
    entries = (Entry(index, bytes(body), bytes(leaf)) for index, body, leaf in rows)
    return verify_entries(entries, stored_notes(size), keys, stored_tile, begins)


def stored_notes(size: int = MAX_SIZE, above: int = -1) -> Iterator[StoredNote]:
    """The stored checkpoints of at most ``size`` entries and of more than ``above``, in order."""
    rows = (
        StoredCheckpoint.objects.filter(size__lte=size, size__gt=above)
        .order_by("size")
        .values_list("size", "note", "signed_at", "root")
    )
    for at_size, note, at, root in rows.iterator(chunk_size=CHUNK):
        yield StoredNote(at_size, note.encode(), at, bytes(root))


@dataclass(frozen=True)
class _Looks:
    """What is looked at of each entry on its way, and who is told."""

    report: Report
    gone: Gone
    told: Told
    times: Times


def _sealed(looks: _Looks, keys: Sequence[VerifierKey], seen_elsewhere: Sequence[StoredNote]) -> None:
    report, check = looks.report, TileCheck(stored_tile)
    elsewhere = sorted(seen_elsewhere, key=lambda note: note.size)
    begins = report.whole_from = begins_at()
    if begins:
        notes = _notes(stored_notes(begins), [note for note in elsewhere if note.size <= begins])
        examine_cut(report, check, _entries(looks, 0, begins), notes, keys, stored_tile)
    notes = _notes(
        stored_notes(above=begins or -1), [note for note in elsewhere if not begins or note.size > begins]
    )  # read as they are needed
    for result in verify_entries(_watched(looks, check, begins), notes, keys, stored_tile, begins):
        report.checkpoints += 1
        if not result.ok:
            report.bad_range_count += 1
            report.bad_ranges += [result] if len(report.bad_ranges) < MOST_NAMED else []
    report.wrong_tiles += [tiles.path(tile) for tile in check.finish()]


def _notes(stored: Iterator[StoredNote], elsewhere: Sequence[StoredNote]) -> Iterator[StoredNote]:
    return heapq.merge(stored, elsewhere, key=lambda note: note.size)


def _watched(looks: _Looks, check: TileCheck, begins: int) -> Iterator[Entry]:
    """The stored entries from an index on, held against the tiles on their way."""
    for entry in _entries(looks, begins, MAX_SIZE):
        check.come_to(entry.index)
        check.add(merkle.leaf_hash(entry.body))
        yield entry


def _entries(looks: _Looks, start: int, end: int) -> Iterator[Entry]:
    """The stored entries between two indexes; on their way columns, times and personal values are held against them."""
    report = looks.report
    columns = ("event_id", *(f"event__{name}" for name in ("name", "at", "by", "case", "subject", "body")))
    chosen = SealedEntry.objects.filter(index__gte=start, index__lt=end).order_by("index")
    chunk: list[Examined] = []
    for index, leaf, *row in chosen.values_list("index", "leaf_hash", *columns).iterator(chunk_size=CHUNK):
        event = Queued(0, *row)
        report.entries += 1
        looks.times.look(index, event.at)
        if reason_to_refuse(event):
            report.wrong_columns.append(index)
        chunk.append(Examined(index, event.id, event.body))
        if len(chunk) == CHUNK:
            examine_values(report, chunk, looks.gone)
            chunk.clear()
            looks.told(report.entries)
        yield Entry(index, event.body, bytes(leaf))
    examine_values(report, chunk, looks.gone)
    if chunk:
        looks.told(report.entries)


def _teller(tell: Tell | None) -> Told:
    """Tells of so many stored entries; they are counted only where somebody looks on."""
    if tell is None:
        return lambda _done: None
    return partial(tell, size=SealedEntry.objects.count(), of=STORED)


def _unsealed(report: Report) -> None:
    report.waiting = QueueEntry.objects.count()
    report.waiting_since = QueueEntry.objects.order_by("seq").values_list("event__at", flat=True).first()
    places = SealedEntry.objects.filter(index__gte=0)  # below that no entry of the log stands, and none is looked at
    sealed, queued = places.values("event_id"), QueueEntry.objects.values("event_id")
    astray = Event.objects.exclude(id__in=sealed).exclude(id__in=queued)
    with connection.cursor() as cursor:
        cuts = astray.filter(name="log.cut").values_list("body", flat=True)
        declined = declined_for_good(cursor, [bytes(body) for body in cuts])
    report.astray = astray.count() - sum(declined)
