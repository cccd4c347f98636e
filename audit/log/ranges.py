"""Checks a whole log from its parts: entries, checkpoints, public keys, and tiles where there are any. No Django.

Each result is about the entries between two checkpoints and stands alone where it can: after a bad range the tree is
taken up again from the tiles, if these have the root that the checkpoint signs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from audit.log import merkle, tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey

MOST_REASONS = 5
UNREADABLE = (ParseError, NotVerified, LookupError)


@dataclass(frozen=True)
class Entry:
    """One stored entry; ``leaf_hash`` is what was stored beside it, if anything."""

    index: int
    body: bytes
    leaf_hash: bytes | None = None


@dataclass(frozen=True)
class StoredNote:
    """One stored checkpoint: the size it is stored under, its signed note, when it was stored (ms), and the root that was stored beside it, if any."""

    size: int
    note: bytes
    at: int
    root: bytes | None = None


@dataclass(frozen=True)
class RangeResult:
    """What holds of the entries from one checkpoint to the next, both indexes included; times in ms.

    ``to_index`` is ``from_index - 1`` where a checkpoint adds no entry.
    """

    from_index: int
    to_index: int
    from_at: int
    to_at: int
    dense: bool
    hashes_ok: bool
    root_ok: bool
    signature_ok: bool
    consistent: bool
    why: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.dense and self.hashes_ok and self.root_ok and self.signature_ok and self.consistent

    def about(self) -> str:
        """What does not verify, in words."""
        if self.to_index < self.from_index:
            return f"A further checkpoint of {self.from_index} entries does not verify"
        if self.to_index == self.from_index:
            return f"Entry {self.from_index} does not verify"
        return f"Entries {self.from_index} to {self.to_index} do not verify"


@dataclass
class _Walk:
    """How far the check has come: the tree of the leaves so far, and the checkpoint before."""

    tree: merkle.CompactRange = field(default_factory=merkle.CompactRange)
    size: int = 0
    root: bytes | None = merkle.EMPTY_ROOT
    sound: bool = True
    at: int | None = None


@dataclass
class _Range:
    """What was seen of one range."""

    leaves: list[tuple[int, bytes]] = field(default_factory=list)
    expected: int = 0  # the index of the next entry
    first_at: int | None = None
    dense: bool = True
    hashes_ok: bool = True
    why: list[str] = field(default_factory=list)

    def come_to(self, index: int) -> None:
        """Say which entries are missing before this one."""
        if index > self.expected:
            self.dense = False
            last = index - 1
            self.why.append(
                f"Entry {last} is missing."
                if last == self.expected
                else f"Entries {self.expected} to {last} are missing."
            )
        self.expected = max(self.expected, index)


def verify_entries(
    entries: Iterable[Entry],
    notes: Iterable[StoredNote],
    keys: Sequence[VerifierKey],
    fetch: tiles.Fetch | None = None,
    begins_at: int = 0,
) -> Iterator[RangeResult]:
    """One result for each checkpoint, and one more for entries that no checkpoint covers.

    Args:
        entries: In order of their index.
        notes: In order of size; checkpoints that were seen elsewhere may be among them.
        keys: The log's public keys.
        fetch: Reads the stored tiles; raises LookupError or ParseError where one is missing.
        begins_at: The index from which on there are entries: what stood before was cut, and its tree comes from the tiles.
    """
    walk = _begun(begins_at, fetch)
    waiting = (each for each in entries if each.index >= begins_at)
    entry = next(waiting, None)
    for note in (each for each in notes if not begins_at or each.size > begins_at):
        seen = _Range(expected=walk.size)
        while entry is not None and entry.index < note.size:
            _take(walk, seen, entry)
            entry = next(waiting, None)
        yield _judge(walk, seen, note, keys, fetch)
    if entry is not None:
        yield _uncovered(walk, entry, waiting)


def _begun(size: int, fetch: tiles.Fetch | None) -> _Walk:
    """The tree of what was cut; one that cannot be read from the tiles is not sound."""
    if not size:
        return _Walk()
    try:
        tree = merkle.compact_range(size, tiles.node_reader(size, fetch)) if fetch else merkle.CompactRange()
    except UNREADABLE:
        return _Walk(size=size, root=None, sound=False)
    return _Walk(tree, size, tree.root() if fetch else None, sound=fetch is not None)


def _take(walk: _Walk, seen: _Range, entry: Entry) -> None:
    seen.come_to(entry.index)
    if entry.index < seen.expected:
        seen.dense = False
        seen.why.append(f"Entry {entry.index} stands where entry {seen.expected} is expected.")
    seen.expected = max(seen.expected, entry.index + 1)
    leaf = merkle.leaf_hash(entry.body)
    try:
        at = parse_entry(entry.body).get("at")
        seen.first_at = at if seen.first_at is None and isinstance(at, int) else seen.first_at
    except ParseError as error:
        seen.hashes_ok = False
        seen.why.append(f"Entry {entry.index} is not canonical. {error}")
    if entry.leaf_hash is not None and entry.leaf_hash != leaf:
        seen.hashes_ok = False
        seen.why.append(f"Entry {entry.index} does not have the hash that was stored when it was sealed.")
    seen.leaves.append((entry.index, leaf))
    walk.tree.append(leaf)


def _judge(
    walk: _Walk, seen: _Range, note: StoredNote, keys: Sequence[VerifierKey], fetch: tiles.Fetch | None
) -> RangeResult:
    said, signature_ok = _read(note, keys, seen)
    seen.come_to(note.size)
    root_ok = said is not None and seen.dense and walk.tree.size == note.size and walk.tree.root() == said.root
    consistent = said is not None and ((walk.sound and root_ok) or _grew(walk, said, fetch))
    if not root_ok:
        follows = not (seen.dense and seen.hashes_ok)
        seen.why.append(f"{'So the' if follows else 'The'} entries do not have the root of the checkpoint.")
        _compare_with_tiles(walk, seen, said if signature_ok else None, fetch)
    if not consistent:
        seen.why.append("The checkpoint does not contain the one before it.")
    start = walk.at if walk.at is not None else seen.first_at if seen.first_at is not None else note.at
    result = RangeResult(
        walk.size, note.size - 1, start, note.at,
        seen.dense, seen.hashes_ok, root_ok, signature_ok, consistent, tuple(seen.why[:MOST_REASONS]),
    )  # fmt: skip
    walk.size, walk.root, walk.at, walk.sound = note.size, said.root if said else None, note.at, root_ok
    return result


def _read(note: StoredNote, keys: Sequence[VerifierKey], seen: _Range) -> tuple[Checkpoint | None, bool]:
    """What the checkpoint says, if it can be read and speaks of the size of its row, and whether it is signed."""
    try:
        signed = parse_checkpoint(note.note)
    except ParseError as error:
        seen.why.append(f"The checkpoint cannot be read. {error}")
        return None, False
    said: Checkpoint | None = signed.checkpoint
    if signed.checkpoint.size != note.size:
        seen.why.append(f"The checkpoint stored for {note.size} entries speaks of {signed.checkpoint.size}.")
        said = None
    try:
        verify_checkpoint(signed, keys)
    except NotVerified as error:
        seen.why.append(f"The checkpoint is not signed by the log. {error}")
        return said, False
    if note.root not in (None, signed.checkpoint.root):
        seen.why.append("Beside the checkpoint another root is stored than it has.")
        return said, False
    return said, True


def _grew(walk: _Walk, said: Checkpoint, fetch: tiles.Fetch | None) -> bool:
    """Whether the checkpoint contains the one before it, by what both say and a proof from the tiles."""
    if walk.root is None:
        return False
    if walk.size in (0, said.size):
        return walk.size == 0 or walk.root == said.root
    if fetch is None:
        return False
    try:
        merkle.verify_consistency(tiles.consistency_proof(walk.size, said.size, fetch), walk.root, said.root)
    except UNREADABLE:
        return False
    return True


def _compare_with_tiles(walk: _Walk, seen: _Range, said: Checkpoint | None, fetch: tiles.Fetch | None) -> None:
    """Where the tiles have the signed root, name the entries that differ from them and go on with the true tree."""
    if said is None or fetch is None:
        return
    try:
        node = tiles.node_reader(said.size, fetch)
        tree = merkle.compact_range(said.size, node)
        if tree.root() != said.root:
            return
        wrong = [index for index, leaf in seen.leaves if index < said.size and node(0, index) != leaf]
    except UNREADABLE:
        return
    if wrong:
        seen.hashes_ok = False
        what = f"{len(wrong)} entries" if len(wrong) > 1 else "1 entry"
        seen.why.append(f"The bytes of {what} are not those that were sealed; the first is {wrong[0]}.")
    walk.tree = tree


def _uncovered(walk: _Walk, entry: Entry, waiting: Iterator[Entry]) -> RangeResult:
    seen = _Range(expected=walk.size)
    last = entry.index
    for each in (entry, *waiting):
        _take(walk, seen, each)
        last = each.index
    start = seen.first_at if seen.first_at is not None else walk.at or 0
    why = ("No checkpoint covers these entries.", *seen.why[: MOST_REASONS - 1])
    return RangeResult(walk.size, last, start, start, seen.dense, seen.hashes_ok, False, False, False, why)


class TileCheck:
    """Grows the tiles of a log again, leaf by leaf, and holds each stored one against them."""

    def __init__(self, fetch: tiles.Fetch) -> None:
        """Compare with the tiles that ``fetch`` reads."""
        self.wrong: list[tiles.TileName] = []
        self._fetch = fetch
        self._size = 0
        self._pending: list[bytes] = []
        self._edge: dict[tuple[int, int], bytes] = {}

    def add(self, leaf: bytes) -> None:
        """Take the next leaf hash."""
        self._pending.append(leaf)
        if len(self._pending) == tiles.WIDTH:
            self._grow()

    def come_to(self, index: int) -> None:
        """Let stored tiles stand in for entries that are missing before this one: those are named elsewhere, and the tiles behind them fit."""
        while (at := self._size + len(self._pending)) < index:
            try:
                stored = self._fetch(0, at // tiles.WIDTH, min(tiles.WIDTH, index - at + at % tiles.WIDTH))
            except UNREADABLE:
                return
            place, size = at % tiles.WIDTH, len(stored) // tiles.HASH_BYTES
            if size <= place:
                return
            for number in range(place, min(size, place + index - at)):
                self.add(stored[number * tiles.HASH_BYTES : (number + 1) * tiles.HASH_BYTES])

    def finish(self) -> list[tiles.TileName]:
        """The tiles that are missing or are not those of the leaves."""
        self._grow()
        for level, index in sorted(self._edge):
            self._compare(level, index)
        return self.wrong

    def _grow(self) -> None:
        self._edge |= tiles.grow(self._size, self._pending, self._edge)
        self._size += len(self._pending)
        self._pending = []
        for level, index in [key for key, data in self._edge.items() if len(data) == tiles.WIDTH * tiles.HASH_BYTES]:
            self._compare(level, index)
            del self._edge[level, index]

    def _compare(self, level: int, index: int) -> None:
        mine = self._edge[level, index]
        tile = tiles.TileName(level, index, len(mine) // tiles.HASH_BYTES)
        try:
            stored = self._fetch(level, index, tile.width)
        except UNREADABLE:
            stored = b""
        if stored != mine:
            self.wrong.append(tile)
