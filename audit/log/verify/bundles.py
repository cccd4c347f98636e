"""The heavy half of the check, bundle by bundle, so that several processes can share it: entries against the hashes beside them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.log import tiles
from audit.log.errors import ParseError
from audit.log.verify.sources import Source

CUT = b'"name":"log.cut"'  # in the canonical bytes of an event that removes old bundles; looked at closely only then


@dataclass(frozen=True)
class Seen:
    """What lies at one place of level 0. The roots are of full tiles only; equal where entries and hashes agree."""

    index: int
    stored_root: bytes | None = None
    entries_root: bytes | None = None
    agree: bool = False
    tile: bytes | None = None  # kept where they do not agree, and at the right edge
    leaves: bytes | None = None
    unreadable: str = ""
    cuts: tuple[tuple[int, bytes], ...] = ()  # with their indexes

    @property
    def gone(self) -> bool:
        """Whether no bundle lies there."""
        return self.entries_root is None and self.leaves is None and not self.unreadable


def look(source: Source, index: int, width: int) -> Seen:
    """Read a bundle and its tile, hash the entries, compare."""
    name = tiles.TileName(None, index, width)
    bundle, tile = _read(source, name), _read(source, tiles.TileName(0, index, width))
    if tile is not None and len(tile) != width * tiles.HASH_BYTES:
        tile = None
    leaves: bytes | None = None
    unreadable, cuts = "", tuple[tuple[int, bytes], ...]()
    if bundle is not None:
        try:
            entries = tiles.parse_bundle(bundle, width)
            leaves = b"".join([hashlib.sha256(b"\x00" + entry).digest() for entry in entries])
            start = index * tiles.WIDTH
            cuts = tuple((at, each) for at, each in enumerate(entries, start) if CUT in each) if CUT in bundle else ()
        except ParseError as error:
            unreadable = str(error)
    full, agree = width == tiles.WIDTH, leaves is not None and leaves == tile
    entries_root = full_root(leaves) if full and leaves is not None else None
    stored_root = entries_root if agree else full_root(tile) if full and tile is not None else None
    kept = not (agree and full)
    return Seen(
        index, stored_root, entries_root, agree, tile if kept else None, leaves if kept else None, unreadable, cuts
    )


def _read(source: Source, name: tiles.TileName) -> bytes | None:
    """The resource in its width, or the beginning of the full one that took its place."""
    found = source.read(tiles.path(name))
    if found is not None or name.width == tiles.WIDTH:
        return found
    full = source.read(tiles.path(tiles.TileName(name.level, name.index, tiles.WIDTH)))
    if full is None:
        return None
    return _first_entries(full, name.width) if name.level is None else full[: name.width * tiles.HASH_BYTES]


def _first_entries(bundle: bytes, count: int) -> bytes:
    try:
        return tiles.encode_bundle(tiles.parse_bundle(bundle, tiles.WIDTH)[:count])
    except ParseError:
        return bundle


def full_root(hashes: bytes) -> bytes:
    """The root over the 256 hashes of a full tile."""
    size, sha256 = tiles.HASH_BYTES, hashlib.sha256
    while len(hashes) > size:
        hashes = b"".join(
            [sha256(b"\x01" + hashes[at : at + 2 * size]).digest() for at in range(0, len(hashes), 2 * size)]
        )
    return hashes


def look_at_all(source: Source, places: Sequence[tuple[int, int]]) -> list[Seen]:
    """The work of one process: places as (index, width)."""
    return [look(source, index, width) for index, width in places]


def places(size: int) -> Iterator[tuple[int, int]]:
    """All places of level 0 in a tree of so many leaves."""
    for index in range((size + tiles.WIDTH - 1) // tiles.WIDTH):
        yield index, tiles.width(0, index, size)
