"""The light half of the check: from the signed root down to one hash for each bundle, through whichever files are still true.

What a tile must hold is known more than once: from its own file, and from what lies below it, entries and tiles. The one that leads to
the signed root is true; so a damaged file is named, and what lies below it is still proved.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from audit.log import merkle, tiles
from audit.log.verify.bundles import full_root
from audit.log.verify.damage import Damage, Kind
from audit.log.verify.sources import Source

Hashes = list[bytes | None]


@dataclass(frozen=True)
class Level:
    """The hashes of one level: as its own tiles say, and as each kind of file below it says."""

    stored: Hashes
    rebuilt: Sequence[Hashes]

    def versions(self, start: int, end: int) -> list[bytes]:
        """What these hashes can be, without gaps, each once; the stored ones first."""
        found = [_joined(each[start:end]) for each in (self.stored, *self.rebuilt)]
        return list(dict.fromkeys(each for each in found if each is not None))


@dataclass
class Upper:
    """What the signed root proves: the hashes of level 1, one for each full bundle, and those of the right edge of level 0."""

    proven: bool
    roots: Hashes = field(default_factory=list)
    edge: bytes = b""
    damages: list[Damage] = field(default_factory=list)


def prove(source: Source, size: int, root: bytes, low: Sequence[Hashes], edge: Sequence[bytes]) -> Upper:
    """Find the true hashes of every level.

    Args:
        source: Where the tiles above level 0 are read.
        size: Of the tree.
        root: That the checkpoint signs.
        low: The roots of full bundles, as the entries say and as the tiles of level 0 say.
        edge: What the hashes at the right edge of level 0 can be; empty where it is full.
    """
    levels = _levels(source, size, low)
    chosen = _true_edge(levels, size, root, edge)
    if chosen is None:
        return Upper(proven=False)
    found = Upper(proven=True, edge=chosen[0])
    true: Hashes = []
    for level in sorted(levels, reverse=True):
        true = _true_level(found.damages, levels[level], level, true, chosen[level])
    found.roots = true
    return found


def _levels(source: Source, size: int, low: Sequence[Hashes]) -> dict[int, Level]:
    levels: dict[int, Level] = {}
    rebuilt, level = list(low), 1
    while count := size >> (tiles.HEIGHT * level):
        levels[level] = Level(stored(source, level, count), rebuilt)
        rebuilt = [_roots(each) for each in (levels[level].stored, *rebuilt)]
        level += 1
    return levels


def stored(source: Source, level: int, count: int) -> Hashes:
    """All hashes of a level, as its tiles say; gaps where a tile is missing or has another length."""
    hashes: Hashes = []
    for index in range((count + tiles.WIDTH - 1) // tiles.WIDTH):
        width = min(tiles.WIDTH, count - index * tiles.WIDTH)
        data = source.read(tiles.path(tiles.TileName(level, index, width)))
        if data is None and width < tiles.WIDTH:
            full = source.read(tiles.path(tiles.TileName(level, index, tiles.WIDTH))) or b""
            data = full[: width * tiles.HASH_BYTES]
        hashes += _split(data) if data and len(data) == width * tiles.HASH_BYTES else [None] * width
    return hashes


def _roots(hashes: Hashes) -> Hashes:
    """The roots of the full tiles of a level: the hashes of the level above."""
    groups = (hashes[at : at + tiles.WIDTH] for at in range(0, len(hashes) - tiles.WIDTH + 1, tiles.WIDTH))
    joined = (_joined(group) for group in groups)
    return [full_root(each) if each is not None else None for each in joined]


def _true_edge(levels: dict[int, Level], size: int, root: bytes, low: Sequence[bytes]) -> dict[int, bytes] | None:
    """The hashes at the right edge of each level that together have the signed root; nothing where none do."""
    numbers = [*sorted(levels, reverse=True), 0]
    versions = []
    for level in numbers:
        count = size >> (tiles.HEIGHT * level)
        start = count - count % tiles.WIDTH
        versions.append((low if level == 0 else levels[level].versions(start, count)) if start < count else [b""])
    for each in itertools.product(*versions):
        nodes = [node for hashes in each for node in _nodes(hashes)]
        if merkle.CompactRange(size, nodes).root() == root:
            return dict(zip(numbers, each, strict=True))
    return None


def _nodes(hashes: bytes) -> list[bytes]:
    tree = merkle.CompactRange()
    for each in _split(hashes):
        tree.append(each)
    return tree.nodes


def _true_level(damages: list[Damage], level: Level, number: int, above: Hashes, edge: bytes) -> Hashes:
    """The hashes of a level, proved by those of the level above and by its true right edge."""
    true: Hashes = []
    for index, expected in enumerate(above):
        start = index * tiles.WIDTH
        versions = level.versions(start, start + tiles.WIDTH)
        found = next((each for each in versions if full_root(each) == expected), None)
        _compare(damages, level.stored[start : start + tiles.WIDTH], found, tiles.TileName(number, index, tiles.WIDTH))
        true += _split(found) if found is not None else [None] * tiles.WIDTH
    if edge:
        start, width = len(true), len(edge) // tiles.HASH_BYTES
        name = tiles.TileName(number, len(above), width)
        _compare(damages, level.stored[start : start + width], edge, name)
        true += _split(edge)
    return true


def _compare(damages: list[Damage], stored: Hashes, true: bytes | None, name: tiles.TileName) -> None:
    there = _joined(stored)
    if true is not None and there == true:
        return
    kind = Kind.TILE_MISSING if there is None else Kind.TILE_CHANGED
    why = "It was rebuilt from what lies below it." if true is not None else "What it held cannot be rebuilt."
    damages.append(Damage(-1, -1, kind, tiles.path(name), why))


def _joined(hashes: Hashes) -> bytes | None:
    whole = [each for each in hashes if each is not None]
    return b"".join(whole) if len(whole) == len(hashes) else None


def _split(data: bytes) -> Iterator[bytes]:
    return (data[at : at + tiles.HASH_BYTES] for at in range(0, len(data), tiles.HASH_BYTES))
