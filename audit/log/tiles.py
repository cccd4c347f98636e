"""The tree cut into tiles of 256 hashes, and entries into bundles of 256: C2SP tlog-tiles.

A tile is read through ``fetch(level, index, width)``, which gives the first ``width`` hashes of it, 32 bytes each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.log import merkle
from audit.log.errors import ParseError

Fetch = Callable[[int, int, int], bytes]
WIDTH = 256
HEIGHT = 8
HASH_BYTES = 32
MAX_ENTRY_BYTES = 65_535
MAX_LEVEL = 63


@dataclass(frozen=True)
class TileName:
    """Which tile: level (``None`` for a bundle of entries), index within it, and how many hashes or entries it has."""

    level: int | None
    index: int
    width: int


def path(tile: TileName) -> str:
    """The path of a tile or bundle below the log's prefix: ``tile/0/x001/x234/067.p/8``."""
    if tile.level is not None and not 0 <= tile.level <= MAX_LEVEL:
        raise ValueError(f"A tile's level is between 0 and {MAX_LEVEL}.")
    if tile.index < 0 or not 1 <= tile.width <= WIDTH:
        raise ValueError(f"A tile's index is not negative, and its width between 1 and {WIDTH}.")
    elements = [f"{tile.index % 1000:03}"]
    rest = tile.index // 1000
    while rest:
        elements.append(f"x{rest % 1000:03}")
        rest //= 1000
    level = "entries" if tile.level is None else str(tile.level)
    partial = "" if tile.width == WIDTH else f".p/{tile.width}"
    return f"tile/{level}/{'/'.join(reversed(elements))}{partial}"


def width(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of ``size`` leaves: 256 for a full one, 0 for one that is not there."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH))


def of_tree(size: int) -> Iterator[TileName]:
    """All tiles of a tree of ``size`` leaves, level by level."""
    level = 0
    while size >> (HEIGHT * level):
        hashes = size >> (HEIGHT * level)
        for index in range((hashes + WIDTH - 1) // WIDTH):
            yield TileName(level, index, width(level, index, size))
        level += 1


def right_edge(size: int) -> list[TileName]:
    """The partial tiles of a tree, at most one for each level: all that is needed to let it grow."""
    edge = []
    level = 0
    while hashes := size >> (HEIGHT * level):
        if hashes % WIDTH:
            edge.append(TileName(level, hashes // WIDTH, hashes % WIDTH))
        level += 1
    return edge


def parse_tile(data: bytes, hashes: int) -> tuple[bytes, ...]:
    """The hashes of a tile.

    Raises:
        ParseError: It does not have exactly ``hashes`` of them.
    """
    if len(data) != hashes * HASH_BYTES:
        raise ParseError(f"A tile of {hashes} hashes has {hashes * HASH_BYTES} bytes, not {len(data)}.")
    return tuple(data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES))


def node_reader(size: int, fetch: Fetch) -> merkle.Node:
    """A function that gives the nodes of a tree of ``size`` leaves; each tile is fetched once.

    It raises ParseError where a tile does not have the hashes that a tree of this size has there.
    """
    tiles: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        tile_index, offset = divmod(first, WIDTH)
        hashes = tiles.get((tile_level, tile_index))
        if hashes is None:
            hashes_there = width(tile_level, tile_index, size)
            hashes = parse_tile(fetch(tile_level, tile_index, hashes_there), hashes_there)
            tiles[tile_level, tile_index] = hashes
        return merkle.root(hashes[offset : offset + (1 << height)])

    return node


def tree_root(size: int, fetch: Fetch) -> bytes:
    """The root of the tree of ``size`` leaves, from its right edge alone."""
    return merkle.compact_range(size, node_reader(size, fetch)).root()


def inclusion_proof(index: int, size: int, fetch: Fetch) -> merkle.InclusionProof:
    """The proof of one leaf; reads at most two tiles for each level."""
    return merkle.inclusion_proof(index, size, node_reader(size, fetch))


def consistency_proof(old: int, new: int, fetch: Fetch) -> merkle.ConsistencyProof:
    """The proof that a tree grew from another; reads at most two tiles for each level."""
    return merkle.consistency_proof(old, new, node_reader(new, fetch))


def needed_for_inclusion(index: int, size: int) -> list[TileName]:
    """The tiles that `inclusion_proof` reads, so that they can be fetched at once."""
    return _recorded(size, lambda node: merkle.inclusion_proof(index, size, node))


def needed_for_consistency(old: int, new: int) -> list[TileName]:
    """The tiles that `consistency_proof` reads, so that they can be fetched at once."""
    return _recorded(new, lambda node: merkle.consistency_proof(old, new, node))


def _recorded(size: int, read: Callable[[merkle.Node], object]) -> list[TileName]:
    """The tiles that `node_reader` would fetch, each once; nothing is hashed."""
    needed: dict[TileName, None] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        tile_index = (index << height) // WIDTH
        needed[TileName(tile_level, tile_index, width(tile_level, tile_index, size))] = None
        return bytes(HASH_BYTES)

    read(node)
    return list(needed)


def grow(size: int, leaves: Sequence[bytes], edge: Mapping[tuple[int, int], bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that are new or longer after leaf hashes are added to a tree of ``size`` leaves.

    Args:
        size: Leaves before.
        leaves: Leaf hashes to add.
        edge: The bytes of the tiles of `right_edge` by level and index.
    """
    changed: dict[tuple[int, int], bytes] = {}
    added: Sequence[bytes] = leaves
    level = 0
    while added:
        position = size >> (HEIGHT * level)
        filled: list[bytes] = []
        while added:
            index, offset = divmod(position, WIDTH)
            taken, added = added[: WIDTH - offset], added[WIDTH - offset :]
            tile = (edge[level, index] if offset else b"") + b"".join(taken)
            changed[level, index] = tile
            position += len(taken)
            if position % WIDTH == 0:
                filled.append(merkle.root(parse_tile(tile, WIDTH)))
        added = filled
        level += 1
    return changed


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after another, each behind its length as a big-endian uint16."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"An entry of a bundle has at most {MAX_ENTRY_BYTES} bytes, not {len(entry)}.")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def parse_bundle(data: bytes, entries: int) -> list[bytes]:
    """The entries of a bundle.

    Raises:
        ParseError: It does not hold exactly so many, or something follows them.
    """
    found = []
    start = 0
    for _ in range(entries):
        if len(data) < start + 2:
            raise ParseError(f"The bundle ends before its {entries} entries do.")
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if len(data) < end:
            raise ParseError("An entry of the bundle is cut short.")
        found.append(data[start + 2 : end])
        start = end
    if start != len(data):
        raise ParseError(f"More than {entries} entries are in the bundle.")
    return found
