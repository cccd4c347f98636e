"""Partial tiles and bundles stay for a while after the full one is there: somebody may be copying the log under an earlier checkpoint.

What waits is known to the publisher alone, in the order in which it was outgrown. One that begins, after a crash as well, takes whatever could lie
before the last full tiles as outgrown at that moment; so everything goes in the end, and nobody lists the store for it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from audit.log import tiles
from audit.log.stores import Store, StoreUnavailable

KEPT_S = 3600.0
MOST = 64
"""Full tiles of a level whose partial ones may wait. Where each entry is sealed by itself, they are 1.3 GB, with entries of 600 bytes."""
AT_ONCE = 8  # folders in one publication


@dataclass
class Outgrown:
    """What waits until it goes: when it was outgrown, by the monotonic clock, and the folder.

    Args:
        kept_s: For how long it waits.
        begun: Whether what earlier publications left is known.
    """

    kept_s: float = KEPT_S
    begun: bool = False
    clock: Callable[[], float] = time.monotonic
    waiting: deque[tuple[float, str]] = field(default_factory=deque)
    trouble: str = ""  # why what has waited enough is still there

    def try_to_forget(self, store: Store, old: int, new: int) -> None:
        """`forget`, for whoever goes on without: what is published stands, and is no worse for what lies beside it."""
        try:
            self.forget(store, old, new)
            self.trouble = ""
        except StoreUnavailable as error:
            self.trouble = str(error)

    def forget(self, store: Store, old: int, new: int) -> None:
        """Remember what a tree of ``new`` leaves outgrows of one of ``old`` leaves, and remove of all that waits what has waited enough.

        Raises:
            StoreUnavailable: It is tried again by the next publication.
        """
        now = self.clock()
        found = _edge(old, new) if self.begun else [*_before(old), *_edge(old, new)]
        self.waiting += [(now, folder) for folder in _folders(found)]
        self.begun = True
        most = max(0, len(self.waiting) - 2 * MOST)
        due = sum(
            1 for at, (since, _) in enumerate(islice(self.waiting, AT_ONCE)) if at < most or since + self.kept_s <= now
        )
        if due:
            store.forget([folder for _, folder in islice(self.waiting, due)])
        for _ in range(due):
            self.waiting.popleft()


def _edge(old: int, new: int) -> list[tiles.TileName]:
    """The partial tiles of the old tree that are full in the new one."""
    return [tile for tile in tiles.right_edge(old) if tiles.width(tile.level or 0, tile.index, new) == tiles.WIDTH]


def _before(size: int) -> Iterable[tiles.TileName]:
    """The last full tiles of a tree, the highest level first."""
    for level in reversed(range(tiles.MAX_LEVEL + 1)):
        full = size >> (tiles.HEIGHT * (level + 1))
        yield from (tiles.TileName(level, index, tiles.WIDTH) for index in range(max(0, full - MOST), full))


def _folders(found: Iterable[tiles.TileName]) -> Iterable[str]:
    """The folders of the partial tiles, and of the bundles beside those of level 0."""
    for tile in found:
        for level in (tile.level, None) if tile.level == 0 else (tile.level,):
            yield f"{tiles.path(tiles.TileName(level, tile.index, tiles.WIDTH))}.p"
