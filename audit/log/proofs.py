"""Proofs of many stored entries at once, each a C2SP tlog-proof that carries its entry: they are attached to what rests on them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from audit.log import merkle, tiles
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.models import SealedEntry, Tile
from audit.log.proof import verify_inclusion, with_entry, write_proof

AT_ONCE = 500  # entries whose bytes and tiles are held in memory together


def proof_texts(indexes: Iterable[int], checkpoint: VerifiedCheckpoint) -> Iterator[tuple[int, bytes]]:
    """A proof for each entry, with its index, in the order of the log; two queries and one a level for 500 of them.

    An entry that cannot be proved is left out: it lies past the checkpoint, or its bytes or a tile do not verify. Whoever asks says which.
    """
    wanted = sorted({index for index in indexes if 0 <= index < checkpoint.size})
    for start in range(0, len(wanted), AT_ONCE):
        yield from _proved(wanted[start : start + AT_ONCE], checkpoint)


def _proved(indexes: list[int], checkpoint: VerifiedCheckpoint) -> Iterator[tuple[int, bytes]]:
    node = cache(tiles.node_reader(checkpoint.size, _stored(indexes, checkpoint.size)))
    rows = SealedEntry.objects.filter(index__in=indexes).order_by("index").values_list("index", "event__body")
    for index, body in rows:
        try:
            path = merkle.inclusion_proof(index, checkpoint.size, node)
            yield index, write_proof(with_entry(verify_inclusion(path, bytes(body), checkpoint)))
        except (KeyError, ParseError, NotVerified):
            continue


def _stored(indexes: list[int], size: int) -> Callable[[int, int, int], bytes]:
    """The tiles that the proofs of these entries need, read level by level; KeyError where one is missing."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for index in indexes:
        for tile in tiles.needed_for_inclusion(index, size):
            wanted[tile.level or 0].add(tile.index)
    stored = {
        (level, index): bytes(hashes)
        for level, places in wanted.items()
        for index, hashes in Tile.objects.filter(level=level, index__in=places).values_list("index", "hashes")
    }
    return lambda level, index, width: stored[level, index][: width * tiles.HASH_BYTES]
