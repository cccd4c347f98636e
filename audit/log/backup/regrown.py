"""The log's entries from their bundles, and the tree grown anew from them. Only a tree with the signed root is given back. No Django."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audit.log import merkle, tiles
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.errors import ParseError
from audit.log.stores import Store
from audit.log.tiles import HASH_BYTES, WIDTH, TileName

FULL = WIDTH * HASH_BYTES
Rows = dict[tuple[int, int], bytes]


class NotRegrown(Exception):
    """A bundle is missing or damaged, or the entries are not those that were signed."""


def entries(store: Store, start: int, end: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Index and bytes of the entries from ``start`` to before ``end`` of a published log of ``size`` entries.

    Raises:
        NotRegrown: See there.
    """
    for number in range(start // WIDTH, (end + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - number * WIDTH)
        path = tiles.path(TileName(None, number, width))
        data = store.read(path)
        try:
            found = tiles.parse_bundle(data or b"", width)
        except ParseError as error:
            raise NotRegrown(f"{path} is missing or damaged. {error}") from error
        for offset, entry in enumerate(found):
            if start <= number * WIDTH + offset < end:
                yield number * WIDTH + offset, entry


@dataclass
class Tree:
    """Grows leaf by leaf; ``keep`` gets each tile once, when it is full or at the end."""

    keep: Callable[[Rows], None]
    size: int = 0
    edge: Rows = field(default_factory=dict)
    waiting: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """The hash of the next leaf."""
        self.waiting.append(leaf)
        if len(self.waiting) == WIDTH:
            self._grow()

    def _grow(self) -> None:
        changed = tiles.grow(self.size, self.waiting, self.edge)
        self.size += len(self.waiting)
        self.waiting.clear()
        grown = self.edge | changed
        self.keep({key: data for key, data in grown.items() if len(data) == FULL})
        self.edge = {key: data for key, data in grown.items() if len(data) < FULL}

    def finish(self, signed: VerifiedCheckpoint) -> None:
        """Keep the right edge, if the root is the signed one.

        Raises:
            NotRegrown: It is not.
        """
        if self.waiting:
            self._grow()
        root = merkle.EMPTY_ROOT
        if self.size:
            root = tiles.tree_root(self.size, lambda level, index, _: self.edge[level, index])
        if (self.size, root) != (signed.size, signed.root):
            raise NotRegrown(f"The {self.size} entries of the backup do not have the root that was signed.")
        self.keep(self.edge)


def begun(store: Store, size: int, published: int, keep: Callable[[Rows], None]) -> Tree:
    """A tree that begins with what was cut, ``size`` entries: of those the hashes are published still, in tiles of ``published`` entries.

    Raises:
        NotRegrown: A tile is missing or has another length.
    """
    tree = Tree(keep, size)
    for tile in tiles.of_tree(size):
        level, length = tile.level or 0, tile.width * HASH_BYTES
        path = tiles.path(TileName(level, tile.index, tiles.width(level, tile.index, published)))
        data = (store.read(path) or b"")[:length]
        if len(data) != length:
            raise NotRegrown(f"{path} is missing or damaged.")
        if length == FULL:
            keep({(level, tile.index): data})
        else:
            tree.edge[level, tile.index] = data
    return tree
