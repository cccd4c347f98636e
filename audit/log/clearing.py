"""Moves away what a publication that broke off left beyond the published head, so that another history can be published there.

A database that was set back gives these indexes to other entries; tiles and bundles that no published checkpoint covers would be in their way.
What the head covers is never touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.log import tiles
from audit.log.durable import write_whole
from audit.log.errors import ParseError
from audit.log.note import VerifierKey
from audit.log.publishing import Head, read_head
from audit.log.stores import ClearedStore, Overtaken
from audit.log.tile_paths import parse_path


class NothingPublished(Exception):
    """There is no head: then nobody can say what lies beyond it."""


@dataclass(frozen=True)
class Beyond:
    """The head, the paths that it does not cover, and those that are none of a log's."""

    head: Head
    paths: list[str]
    strange: list[str]


def beyond(store: ClearedStore, keys: Sequence[VerifierKey]) -> Beyond:
    """What lies beyond the published head.

    Raises:
        NothingPublished: There is no head.
        SetBack: The head is not a checkpoint of this log.
        StoreUnavailable: The store does not answer.
    """
    head = read_head(store, keys)
    if head is None:
        raise NothingPublished("Nothing is published there, so nobody can say what lies beyond it.")
    found = Beyond(head, [], [])
    for path in store.listed("tile"):
        try:
            covered = is_covered(parse_path(path), head.checkpoint.size)
        except ParseError:
            found.strange.append(path)
            continue
        if not covered:
            found.paths.append(path)
    return found


def is_covered(tile: tiles.TileName, size: int) -> bool:
    """Whether every hash or entry of it is one of the tree of ``size`` leaves; it may have been outgrown."""
    return tile.index * tiles.WIDTH + tile.width <= size >> (tiles.HEIGHT * (tile.level or 0))


def move_away(store: ClearedStore, found: Beyond, into: Path) -> None:
    """Keep a copy of each resource below a folder, and take them away; nothing where the head has moved.

    Raises:
        Overtaken: Somebody has published since `beyond` looked.
        StoreUnavailable, OSError: It can be called again.
    """
    for path in found.paths:
        data = store.read(path)
        if data is not None:
            place = into / path
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, data)
    if store.read("checkpoint") != found.head.data:
        raise Overtaken("Somebody has published meanwhile: stop the sealer first.")
    store.remove(found.paths)
