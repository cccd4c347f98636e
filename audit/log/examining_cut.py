"""Of what was cut the hashes stay: the tiles above, the checkpoints and the entries that stay are held against them. Each tile is read once."""

from collections.abc import Iterator, Sequence

from audit.log import merkle, tiles
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.models import Tile
from audit.log.note import VerifierKey
from audit.log.ranges import Entry, StoredNote, TileCheck
from audit.log.report import Report

AT_ONCE = 64  # tiles that are held in memory
Hashes = tuple[bytes, ...]


def examine_cut(
    report: Report, check: TileCheck, entries: Iterator[Entry], notes: Iterator[StoredNote], keys: Sequence[VerifierKey], fetch: tiles.Fetch,
) -> None:  # fmt: skip
    """Check what is left before the index from which the log is whole.

    Args:
        report: Where the faults go.
        check: The tiles above, which begin with these.
        entries: Those that stay, in order.
        notes: The checkpoints of no more than that index, in order.
        keys: The log's public keys.
        fetch: Reads a stored tile again, for a checkpoint whose root the tree does not have.
    """
    tree, note, entry = merkle.CompactRange(), next(notes, None), next(entries, None)
    for number, hashes in _tiles(report):
        for at, leaf in enumerate(hashes or (bytes(tiles.HASH_BYTES),) * tiles.WIDTH, number * tiles.WIDTH):
            while note is not None and note.size <= at:
                _note(report, note, tree.root(), keys, fetch)
                note = next(notes, None)
            check.add(leaf)
            tree.append(leaf)
        while entry is not None and entry.index // tiles.WIDTH == number:
            _stayed(report, entry, hashes)
            entry = next(entries, None)
    while note is not None:
        _note(report, note, tree.root(), keys, fetch)
        note = next(notes, None)


def _tiles(report: Report) -> Iterator[tuple[int, Hashes | None]]:
    """The full tiles of the lowest level with their numbers; one that is missing or cut short is named, and gives nothing."""
    count = report.whole_from // tiles.WIDTH
    rows = Tile.objects.filter(level=0, index__lt=count).order_by("index").values_list("index", "hashes")
    stored = rows.iterator(chunk_size=AT_ONCE)
    row = next(stored, None)
    for number in range(count):
        data = b""
        if row is not None and row[0] == number:
            data, row = bytes(row[1]), next(stored, None)
        try:
            yield number, tiles.parse_tile(data, tiles.WIDTH)
        except ParseError:
            report.wrong_tiles.append(tiles.path(tiles.TileName(0, number, tiles.WIDTH)))
            yield number, None


def _note(report: Report, note: StoredNote, root: bytes, keys: Sequence[VerifierKey], fetch: tiles.Fetch) -> None:
    """Where the tree that grew has another root, the stored tiles may still have the one that is signed: then they alone are named."""
    report.checkpoints += 1
    try:
        said = verify_checkpoint(parse_checkpoint(note.note), keys)
        sound = (
            said.size == note.size
            and note.root in (None, said.root)
            and (said.root == root or tiles.tree_root(note.size, fetch) == said.root)
        )
    except (ParseError, NotVerified, LookupError):
        sound = False
    if not sound:
        report.wrong_notes.append(note.size)


def _stayed(report: Report, entry: Entry, hashes: Hashes | None) -> None:
    """Its hash is the one that the tree has at its place; where the tile is at fault, that is named already."""
    report.stayed += 1
    if hashes and not merkle.leaf_hash(entry.body) == entry.leaf_hash == hashes[entry.index % tiles.WIDTH]:
        report.wrong_columns.append(entry.index)
