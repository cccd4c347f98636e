"""The check of the whole stored log: what `audit.log.ranges` says of it, and whether what lies beside it fits."""

import heapq
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from audit.log import merkle, tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoint import MAX_SIZE, parse_checkpoint, verify_checkpoint
from audit.log.commitments import verify_commitment
from audit.log.cosignature import parse_cosigner_key, verify_cosignatures
from audit.log.cuts import begins_at
from audit.log.errors import NotVerified, ParseError
from audit.log.models import Cosignature, Event, PersonalValue, QueueEntry, SealedEntry, StoredCheckpoint, Tile
from audit.log.note import VerifierKey, parse_note, write_note
from audit.log.ranges import Entry, RangeResult, StoredNote, TileCheck, verify_entries
from audit.log.sealing import Queued, reason_to_refuse
from audit.log.timestamps.examining import examined
from audit.log.verify.check import Wanted, check
from audit.log.verify.damage import Kind
from audit.log.verify.sources import Source, SourceUnavailable

CHUNK = 2000
MOST_NAMED = 20


@dataclass
class Report:
    """What was found. Erased personal values and events that wait are counted; they are no fault."""

    entries: int = 0
    checkpoints: int = 0
    whole_from: int = 0  # the index before which entries were cut; those of them that stay are checked one by one
    stayed: int = 0  # entries before it that stay
    wrong_notes: list[int] = field(default_factory=list)  # sizes of checkpoints before it that do not verify
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
    wrong_cosignatures: list[str] = field(default_factory=list)
    timestamps: int = 0  # that verify
    timestamps_unverified: int = 0  # for which no certificates are set
    wrong_timestamps: list[str] = field(default_factory=list)
    published: int | None = None  # entries; nothing where no published log was looked at
    published_damages: list[str] = field(default_factory=list)
    unreachable: str = ""  # why the published log could not be looked at, which is no damage

    @property
    def ok(self) -> bool:
        """Whether nothing is at fault."""
        return not self.sentences()

    def sentences(self) -> list[str]:
        """Each fault in words, without any personal value."""
        return list(_faults(self))


def examine(
    keys: Sequence[VerifierKey], seen_elsewhere: Sequence[StoredNote] = (), published: Source | None = None,
    roots: tuple[x509.Certificate, ...] = (),
) -> Report:  # fmt: skip
    """Check everything at one moment of the database.

    Args:
        keys: The log's public keys.
        seen_elsewhere: Checkpoints that an outsider holds; the stored log must contain them.
        published: The log as others see it. It is looked at first, so that the database may have grown since, and not the other way round.
        roots: The certificates under which timestamps are believed.
    """
    report = Report()
    seen_elsewhere = [*seen_elsewhere, *(_published(report, keys, published) if published else ())]
    at_once = not connection.in_atomic_block
    with transaction.atomic():
        if at_once:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        _sealed(report, keys, seen_elsewhere)
        _unsealed(report)
        _cosigned(report)
        _stamped(report, roots)
    return report


def _faults(report: Report) -> Iterator[str]:
    for found in report.bad_ranges:
        yield f"Entries {found.from_index} to {found.to_index} do not verify: {' '.join(found.why)}"
    if report.bad_range_count > len(report.bad_ranges):
        yield f"{report.bad_range_count - len(report.bad_ranges)} more ranges do not verify."
    if report.wrong_notes:
        yield f"{len(report.wrong_notes)} checkpoints of what was cut do not verify, first that of {report.wrong_notes[0]} entries."
    if report.wrong_tiles:
        yield f"{len(report.wrong_tiles)} tiles are not those of the entries, first {report.wrong_tiles[0]}."
    if report.wrong_columns:
        yield f"The columns of {len(report.wrong_columns)} entries do not repeat their bytes, first {report.wrong_columns[0]}."
    if report.personal_wrong:
        yield f"{len(report.personal_wrong)} personal values do not match, first {report.personal_wrong[0]}."
    if report.astray:
        yield f"{report.astray} events are neither sealed nor waiting to be."
    if report.wrong_cosignatures:
        yield f"{len(report.wrong_cosignatures)} cosignatures do not verify, first {report.wrong_cosignatures[0]}."
    if report.wrong_timestamps:
        yield f"{len(report.wrong_timestamps)} timestamps do not verify, first {report.wrong_timestamps[0]}."
    yield from _published_faults(report)


def _published_faults(report: Report) -> Iterator[str]:
    yield from (f"Published: {sentence}" for sentence in report.published_damages[:MOST_NAMED])
    if len(report.published_damages) > MOST_NAMED:
        yield f"Published: {len(report.published_damages) - MOST_NAMED} more damages."


def _published(report: Report, keys: Sequence[VerifierKey], source: Source) -> list[StoredNote]:
    """Check what is published as a stranger would; its checkpoint, which the stored log must contain."""
    try:
        verdict, head = check(source, Wanted(keys))
    except SourceUnavailable as error:
        report.unreachable = str(error)
        return []
    nothing_yet = head is None and [each.kind for each in verdict.damages] == [Kind.NO_CHECKPOINT]
    report.published = verdict.size
    report.published_damages = [] if nothing_yet else [damage.sentence() for damage in verdict.damages]
    return [StoredNote(head.size, write_note(head.signed.note), 0)] if head else []


def _cosigned(report: Report) -> None:
    """Each kept line of a witness against the checkpoint of its size."""
    note = Subquery(StoredCheckpoint.objects.filter(size=OuterRef("size")).values("note")[:1])
    rows = Cosignature.objects.annotate(text=note).order_by("size").values_list("size", "witness", "line", "text")
    for size, witness, line, text in rows.iterator(chunk_size=CHUNK):
        try:
            found = verify_cosignatures(parse_note(f"{text or ''}{line}\n".encode()), [parse_cosigner_key(witness)])
        except (ParseError, NotVerified):
            found = ()
        if not found:
            report.wrong_cosignatures.append(f"{size} by {witness.split('+')[0]}")


def _stamped(report: Report, roots: tuple[x509.Certificate, ...]) -> None:
    found = examined(roots)
    report.timestamps, report.timestamps_unverified, report.wrong_timestamps = (
        found.verified,
        found.unverified,
        found.wrong,
    )


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
        .values_list("size", "note", "signed_at")
    )
    for at_size, note, at in rows.iterator(chunk_size=CHUNK):
        yield StoredNote(at_size, note.encode(), at)


def _sealed(report: Report, keys: Sequence[VerifierKey], seen_elsewhere: Sequence[StoredNote]) -> None:
    check = TileCheck(stored_tile)
    elsewhere = sorted(seen_elsewhere, key=lambda note: note.size)
    report.whole_from = begins_at()
    begins = report.whole_from
    if begins:
        _of_cut(report, check, _notes(stored_notes(begins), [note for note in elsewhere if note.size <= begins]), keys)
    notes = _notes(
        stored_notes(above=begins or -1), [note for note in elsewhere if not begins or note.size > begins]
    )  # read as they are needed
    for result in verify_entries(_watched(report, check), notes, keys, stored_tile, begins):
        report.checkpoints += 1
        if not result.ok:
            report.bad_range_count += 1
            report.bad_ranges += [result] if len(report.bad_ranges) < MOST_NAMED else []
    report.wrong_tiles += [tiles.path(tile) for tile in check.finish()]


def _notes(stored: Iterator[StoredNote], elsewhere: Sequence[StoredNote]) -> Iterator[StoredNote]:
    return heapq.merge(stored, elsewhere, key=lambda note: note.size)


def _of_cut(report: Report, check: TileCheck, notes: Iterator[StoredNote], keys: Sequence[VerifierKey]) -> None:
    """Of what was cut the hashes stay: the tiles above are held against them, and each checkpoint against the tree that grows from them."""
    tree, note = merkle.CompactRange(), next(notes, None)
    for number in range(report.whole_from // tiles.WIDTH):
        try:
            hashes = tiles.parse_tile(stored_tile(0, number, tiles.WIDTH), tiles.WIDTH)
        except (LookupError, ParseError):
            report.wrong_tiles.append(tiles.path(tiles.TileName(0, number, tiles.WIDTH)))
            hashes = (bytes(tiles.HASH_BYTES),) * tiles.WIDTH
        for at, leaf in enumerate(hashes, number * tiles.WIDTH):
            while note is not None and note.size <= at:
                _note_of_cut(report, note, tree.root(), keys)
                note = next(notes, None)
            check.add(leaf)
            tree.append(leaf)
    while note is not None:
        _note_of_cut(report, note, tree.root(), keys)
        note = next(notes, None)


def _note_of_cut(report: Report, note: StoredNote, root: bytes, keys: Sequence[VerifierKey]) -> None:
    """Where the tree that grew has another root, the stored tiles may still have the one that is signed: then they alone are named."""
    report.checkpoints += 1
    try:
        said = verify_checkpoint(parse_checkpoint(note.note), keys)
        sound = said.size == note.size and (said.root == root or tiles.tree_root(note.size, stored_tile) == said.root)
    except (ParseError, NotVerified, LookupError):
        sound = False
    if not sound:
        report.wrong_notes.append(note.size)


def _watched(report: Report, check: TileCheck) -> Iterator[Entry]:
    """The stored entries; on their way tiles, columns and personal values are held against them."""
    columns = ("event_id", *(f"event__{name}" for name in ("name", "at", "by", "case", "subject", "body")))
    rows = SealedEntry.objects.order_by("index").values_list("index", "leaf_hash", *columns)
    chunk: list[tuple[uuid.UUID, bytes]] = []
    for index, leaf, *row in rows.iterator(chunk_size=CHUNK):
        event = Queued(0, *row)
        report.entries += 1
        if index >= report.whole_from:
            check.add(merkle.leaf_hash(event.body))
        else:
            report.stayed += 1
            _stayed(report, index, event.body, bytes(leaf))
        if reason_to_refuse(event):
            report.wrong_columns.append(index)
        chunk.append((event.id, event.body))
        if len(chunk) == CHUNK:
            _personal(report, chunk)
            chunk.clear()
        yield Entry(index, event.body, bytes(leaf))
    _personal(report, chunk)


def _stayed(report: Report, index: int, body: bytes, leaf: bytes) -> None:
    """An entry before the cut that stays: its hash is the one that the tree has at its place."""
    at = index % tiles.WIDTH * tiles.HASH_BYTES
    try:
        true = stored_tile(0, index // tiles.WIDTH, tiles.WIDTH)[at : at + tiles.HASH_BYTES]
    except LookupError:
        return  # the tile is named already
    if not merkle.leaf_hash(body) == leaf == true:
        report.wrong_columns.append(index)


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
