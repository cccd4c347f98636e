"""Where each class of tampering must be located: by the verifier, by `verify_log`, and by the witness's answer."""

from collections.abc import Callable
from dataclasses import dataclass

from audit.log import tiles
from audit.log.verify.damage import Kind

Damaged = tuple[Kind, int, int]


@dataclass(frozen=True)
class Located:
    """What each says.

    Args:
        verifier: Each damage: kind, first and last entry, in order.
        ranges: The first and last entry of each range between two checkpoints of which `verify_log` says that it does not verify.
        says: Of its words those that name the entry, as a regular expression.
        witness: The status of its answer (C2SP tlog-witness, add-checkpoint).
    """

    verifier: tuple[Damaged, ...]
    ranges: tuple[tuple[int, int], ...]
    says: str
    witness: int = 200


@dataclass(frozen=True)
class Log:
    """A log of ``sizes[-1]`` entries, with a checkpoint at each of the sizes."""

    sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        """All entries."""
        return self.sizes[-1]

    def range_of(self, at: int) -> tuple[int, int]:
        """First and last entry of the range in which an entry lies."""
        return next((start, end - 1) for start, end in zip((0, *self.sizes), self.sizes, strict=False) if at < end)

    def bundle_of(self, at: int) -> tuple[int, int]:
        """First and last entry of the bundle."""
        start = at // tiles.WIDTH * tiles.WIDTH
        return start, min(start + tiles.WIDTH, self.size) - 1


def changed(log: Log, at: int) -> Located:
    """One entry is not the one that was sealed."""
    return Located(((Kind.ENTRIES_CHANGED, at, at),), (log.range_of(at),), not_sealed(1, at))


def not_sealed(count: int, first: int) -> str:
    """The words."""
    what = "1 entry" if count == 1 else f"{count} entries"
    return f"The bytes of {what} are not those that were sealed; the first is {first}."


def reordered(log: Log, one: int, other: int) -> Located:
    """Two entries changed places; neighbours are one run."""
    runs = ((one, other),) if other == one + 1 else ((one, one), (other, other))
    ranges = tuple(dict.fromkeys((log.range_of(one), log.range_of(other))))
    words = not_sealed(3 - len(ranges), one)
    return Located(tuple((Kind.ENTRIES_CHANGED, *run) for run in runs), ranges, words)


def dropped(log: Log, at: int) -> Located:
    """An entry is gone, and its bundle cannot be read as one of so many."""
    start, end = log.range_of(at)
    words = f"Entry {at} is missing."
    if at == end:
        words = f"Entry {at} is missing."
    return Located(((Kind.BUNDLE_UNREADABLE, *log.bundle_of(at)),), ((start, end),), words)


def truncated(log: Log, left: int) -> Located:
    """All from there on is gone, with the bundle in which it begins."""
    start = log.bundle_of(left)[0]
    bundles = tuple((Kind.BUNDLE_MISSING, *log.bundle_of(at)) for at in range(start, log.size, tiles.WIDTH))
    ranges = tuple(dict.fromkeys(log.range_of(at) for at in range(left, log.size)))
    return Located(bundles, ranges, f"Entries {left} to {ranges[0][1]} are missing.")


def swapped(log: Log, one: int, other: int) -> Located:
    """Two tiles; the entries are sound."""
    path = tiles.path(tiles.TileName(0, one // tiles.WIDTH, tiles.WIDTH))
    damages = tuple((Kind.TILE_CHANGED, *log.bundle_of(at)) for at in (one, other))
    return Located(damages, (), f"2 tiles are not those of the entries, first {path}.")


def unsigned(log: Log, at: int) -> Located:
    """The last checkpoint is not the log's, so nothing is believed of its range; and the one that was seen does not follow from it."""
    where = (log.range_of(at), (log.size, log.size - 1))
    return Located(((Kind.CHECKPOINT_NOT_SIGNED, -1, -1),), where, "The checkpoint is not signed by the log.", 403)


def forked(log: Log, _: int) -> Located:
    """All is sound in itself; what does not fit is the checkpoint that was seen."""
    words = f"A further checkpoint of {log.size} entries does not verify: The entries do not have the root of the checkpoint."
    return Located(((Kind.FORKED, 0, log.size - 1),), ((log.size, log.size - 1),), words, 422)


def set_back(log: Log, size: int) -> Located:
    """All is sound and shorter than what was seen."""
    last = log.size - 1
    return Located(((Kind.SHORTER, size, last),), ((size, last),), f"Entries {size} to {last} are missing.", 409)


def personal(_: Log, at: int) -> Located:
    """What is published holds no personal value, so only the database shows it."""
    return Located((), (), f"- personal value(?: that is gone)?: entry {at}, ")


EXPECTED: dict[str, Callable[..., Located]] = {
    "flip a bit": changed, "edit an entry": changed, "reorder": reordered, "drop": dropped, "duplicate": changed, "truncate the tail": truncated,
    "swap tiles": swapped, "forge a checkpoint": unsigned, "re-sign with a retired key": unsigned, "split view": forked, "roll back both": set_back,
    "edit salts or values": personal,
}  # fmt: skip
