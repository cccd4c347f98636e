"""Reading every bundle in its order, and how far a run came: what the next one may go on from where this one breaks off."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from audit.log import tiles
from audit.log.verify.bundles import Seen, look_at_all, places
from audit.log.verify.sources import Source
from audit.log.verify.upper import stored

AT_ONCE = 64  # bundles that one process looks at before it reports


@dataclass(frozen=True)
class Left:
    """What a run left that broke off. Bundles before ``first`` were gone, those from there to before ``end`` were read and sound.

    ``again`` are those among them that are looked at again: they may say that old bundles were removed, or were gone themselves, between
    others that stay. ``roots_sha256`` is the fingerprint of the roots of all from ``first`` on; ``begun`` is when the first was read, in s since 1970 UTC.
    """

    first: int = 0
    end: int = 0
    again: tuple[int, ...] = ()
    roots_sha256: str = ""
    begun: int = 0


@dataclass
class Walked:
    """How far the bundles were read, in this run or before it; see `Left`."""

    first: int = 0
    end: int = 0
    again: list[int] = field(default_factory=list)
    roots: bytearray = field(default_factory=bytearray)
    hashed: Any = field(default_factory=hashlib.sha256)

    def add(self, seen: Seen) -> None:
        """One more, if it is the next and sound; nothing after one that is not."""
        if seen.index != self.end:
            return
        if seen.stored_root is None or not (seen.agree or seen.gone):
            return
        self.end += 1
        if seen.gone and self.first == seen.index:
            self.first = self.end
            return
        self.again += [seen.index] if seen.gone or seen.cuts else []
        self.roots += seen.stored_root
        self.hashed.update(seen.stored_root)

    def left(self) -> Left:
        """What fits a file, without its time."""
        return Left(self.first, self.end, tuple(self.again), self.hashed.hexdigest())

    def known(self) -> dict[int, bytes]:
        """The roots of the bundles that need no second look, by index."""
        again, size = set(self.again), tiles.HASH_BYTES
        return {
            index: bytes(self.roots[at : at + size])
            for at, index in zip(range(0, len(self.roots), size), range(self.first, self.end), strict=True)
            if index not in again
        }


def taken_up(source: Source, size: int, left: Left) -> Walked:
    """Where a run may begin that takes up another. The roots are asked of the source again, which has them in its tiles; where they are
    others now, or a bundle of them lies beyond ``size``, it begins at the beginning.
    """
    if left.end > size // tiles.WIDTH:
        return Walked()
    roots = stored(source, 1, size // tiles.WIDTH)[left.first : left.end]
    joined = b"".join(each for each in roots if each is not None)
    hashed = hashlib.sha256(joined)
    if None in roots or hashed.hexdigest() != left.roots_sha256:
        return Walked()
    return Walked(left.first, left.end, list(left.again), bytearray(joined), hashed)


def walk(
    source: Source, size: int, walked: Walked, processes: int, told: Callable[[int, Walked], None]
) -> Iterator[Seen]:
    """Every bundle of which nothing is known yet, in its order, by so many processes; ``told`` hears of entries done and how far it came."""
    known = walked.known()
    wide = [place for place in places(size) if place[0] not in known]
    shares = [wide[at : at + AT_ONCE] for at in range(0, len(wide), AT_ONCE)]
    done = len(known) * tiles.WIDTH
    for share, found in zip(shares, _shared(source, shares, processes), strict=True):
        for each in found:
            walked.add(each)
        done += sum(width for _, width in share)
        told(done, walked)
        yield from found


def _shared(source: Source, shares: Sequence[Any], processes: int) -> Iterator[list[Seen]]:
    if processes <= 1:
        yield from (look_at_all(source, share) for share in shares)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(look_at_all, [source] * len(shares), shares)
