"""The whole check of a published log, from its checkpoint to its last entry."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from audit.log import merkle, tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey
from audit.log.said import Cut, read_cut
from audit.log.verify.bundles import Seen, look_at_all, places
from audit.log.verify.damage import Damage, Kind, Verdict
from audit.log.verify.sources import Source
from audit.log.verify.upper import Upper, prove

AT_ONCE = 64  # bundles that one process looks at before it reports
MOST_RUNS = 20  # of changed entries that are named in one bundle
Tell = Callable[[int, int], None]


@dataclass
class Walked:
    """How far the entries were read: up to this bundle, all sound, with these roots. What a later run may begin with."""

    bundles: int = 0
    roots: bytes = b""

    def digest(self) -> str:
        """The fingerprint of the roots, which fits a file."""
        return hashlib.sha256(self.roots).hexdigest()


@dataclass(frozen=True)
class Wanted:
    """What to check with.

    Args:
        keys: The log's public keys.
        seen: A checkpoint of this log that was believed before; the log must contain it.
        processes: How many share the work.
        tell: Told of entries done and of all, now and then.
    """

    keys: Sequence[VerifierKey]
    seen: Sequence[VerifiedCheckpoint] = ()
    processes: int = 1
    tell: Tell | None = None


def check(
    source: Source, wanted: Wanted, begun: Walked | None = None
) -> tuple[Verdict, Walked, VerifiedCheckpoint | None]:
    """Check everything; what was found, how far the entries are sound, and the checkpoint where it is believed.

    Raises:
        SourceUnavailable: The source does not answer.
    """
    verdict = Verdict()
    head = _head(source, wanted, verdict)
    if head is None:
        return verdict, Walked(), None
    verdict.origin, verdict.size, verdict.root = head.origin, head.size, head.root
    _hold_against_seen(source, wanted, head, verdict)
    walked = begun or Walked()
    seen = list(_look(source, head.size, wanted, walked.bundles))
    _judge(source, head, seen, walked, verdict)
    verdict.damages.sort()
    return verdict, _sound(walked, seen, verdict), head


def _head(source: Source, wanted: Wanted, verdict: Verdict) -> VerifiedCheckpoint | None:
    data = source.read("checkpoint")
    if data is None:
        verdict.damages.append(Damage(-1, -1, Kind.NO_CHECKPOINT, "checkpoint", "Without it nothing is proved."))
        return None
    try:
        return verify_checkpoint(parse_checkpoint(data), wanted.keys)
    except ParseError as error:
        verdict.damages.append(Damage(-1, -1, Kind.CHECKPOINT_UNREADABLE, "checkpoint", str(error)))
    except NotVerified as error:
        verdict.damages.append(Damage(-1, -1, Kind.CHECKPOINT_NOT_SIGNED, "checkpoint", str(error)))
    return None


def _hold_against_seen(source: Source, wanted: Wanted, head: VerifiedCheckpoint, verdict: Verdict) -> None:
    for seen in wanted.seen:
        if seen.size > head.size:
            why = f"It has {head.size} entries, and {seen.size} were seen."
            verdict.damages.append(Damage(head.size, seen.size - 1, Kind.SHORTER, "checkpoint", why))
        elif not contains(source, head, seen):
            why = f"The first {seen.size} entries are not those that were seen."
            verdict.damages.append(Damage(0, seen.size - 1, Kind.FORKED, "checkpoint", why))


def contains(source: Source, head: VerifiedCheckpoint, seen: VerifiedCheckpoint) -> bool:
    """Whether the published tree of ``head`` begins with that of ``seen``, by a proof from its tiles."""

    def fetch(level: int, index: int, width: int) -> bytes:
        for each in (width, tiles.WIDTH):
            data = source.read(tiles.path(tiles.TileName(level, index, each)))
            if data is not None:
                return data[: width * tiles.HASH_BYTES]
        raise ParseError("A tile is missing.")

    try:
        merkle.verify_consistency(tiles.consistency_proof(seen.size, head.size, fetch), seen.root, head.root)
    except (ParseError, NotVerified):
        return False
    return True


def _look(source: Source, size: int, wanted: Wanted, start: int) -> Iterator[Seen]:
    """Every bundle in its order, by as many processes as were asked for."""
    wide = list(places(size, start))
    shares = [wide[at : at + AT_ONCE] for at in range(0, len(wide), AT_ONCE)]
    done = start * tiles.WIDTH
    for found in _shared(source, shares, wanted.processes):
        yield from found
        done = min(size, done + len(found) * tiles.WIDTH)
        if wanted.tell:
            wanted.tell(done, size)


def _shared(source: Source, shares: Sequence[Any], processes: int) -> Iterator[list[Seen]]:
    if processes <= 1:
        yield from (look_at_all(source, share) for share in shares)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(look_at_all, [source] * len(shares), shares)


def _judge(source: Source, head: VerifiedCheckpoint, seen: Sequence[Seen], walked: Walked, verdict: Verdict) -> None:
    before: list[bytes | None] = [walked.roots[at : at + 32] for at in range(0, len(walked.roots), 32)]
    full = [each for each in seen if (each.index + 1) * tiles.WIDTH <= head.size]
    edge = [each for each in seen if (each.index + 1) * tiles.WIDTH > head.size]
    low = [before + [each.entries_root for each in full], before + [each.stored_root for each in full]]
    versions = [hashes for each in edge for hashes in dict.fromkeys((each.tile, each.leaves)) if hashes is not None]
    upper = prove(source, head.size, head.root, low, versions)
    cuts = list(_cuts(seen, upper, verdict))
    minimum = max((cut.minimum for cut in cuts), default=0)
    if any(_is_cut(each, minimum) for each in full):
        verdict.whole_from, verdict.cuts = minimum, cuts
    verdict.damages += upper.damages
    if not upper.proven:
        why = "No reading of its files leads to the root that the checkpoint signs."
        verdict.damages.append(Damage(0, head.size - 1, Kind.UNPROVEN, "", why))
    for each in seen:
        width = min(tiles.WIDTH, head.size - each.index * tiles.WIDTH)
        if not _is_cut(each, minimum):
            verdict.damages += _of_bundle(each, width, _expected(each, upper, head.size))
            verdict.checked += width if each.leaves is not None or each.entries_root is not None else 0
    verdict.checked += len(before) * tiles.WIDTH


def _expected(seen: Seen, upper: Upper, size: int) -> tuple[bytes | None, bytes | None]:
    """What the signed root proves of a bundle: the root over its hashes, or the hashes themselves at the right edge."""
    if not upper.proven:
        return None, None
    if (seen.index + 1) * tiles.WIDTH > size:
        return None, upper.edge
    return upper.roots[seen.index], None


def _of_bundle(seen: Seen, width: int, expected: tuple[bytes | None, bytes | None]) -> Iterator[Damage]:
    root, edge = expected
    known = root is not None or edge is not None
    tile_true = known and (seen.stored_root == root if edge is None else seen.tile == edge)
    entries_true = known and (seen.entries_root == root if edge is None else seen.leaves == edge)
    first, last = seen.index * tiles.WIDTH, seen.index * tiles.WIDTH + width - 1
    tile = tiles.path(tiles.TileName(0, seen.index, width))
    bundle = tiles.path(tiles.TileName(None, seen.index, width))
    if not known and seen.agree:
        return
    if not tile_true:
        missing = seen.tile is None and seen.stored_root is None
        why = "The entries beside it are sound." if entries_true else "What it held cannot be told from the entries."
        yield Damage(first, last, Kind.TILE_MISSING if missing else Kind.TILE_CHANGED, tile, why)
    if entries_true:
        return
    if seen.unreadable:
        yield Damage(first, last, Kind.BUNDLE_UNREADABLE, bundle, seen.unreadable)
    elif seen.leaves is None and seen.entries_root is None:
        yield Damage(first, last, Kind.BUNDLE_MISSING, bundle, "They are not there.")
    elif tile_true and seen.leaves is not None and seen.tile is not None:
        for run_first, run_last in _runs(seen.leaves, seen.tile):
            yield Damage(
                first + run_first,
                first + run_last,
                Kind.ENTRIES_CHANGED,
                bundle,
                "They are not those that were sealed.",
            )
    else:
        yield Damage(
            first,
            last,
            Kind.ENTRIES_CHANGED,
            bundle,
            "Which of them were changed cannot be told, since their hashes are gone too.",
        )


def _runs(one: bytes, other: bytes) -> Iterator[tuple[int, int]]:
    """The runs of places at which two lists of hashes differ."""
    size = tiles.HASH_BYTES
    differ = [at // size for at in range(0, len(other), size) if one[at : at + size] != other[at : at + size]]
    runs: list[tuple[int, int]] = []
    for place in differ:
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    yield from runs


def _cuts(seen: Iterable[Seen], upper: Upper, verdict: Verdict) -> Iterator[Cut]:
    """The cuts that entries say which are proved to be in the log, of what was there before them. One that contradicts itself is damage."""
    for each in (each for each in seen if each.cuts and _is_proven(each, upper)):
        for place, entry in each.cuts:
            try:
                cut = read_cut(entry, place)
            except ParseError as error:
                if _is_named_cut(entry):
                    verdict.damages.append(Damage(place, place, Kind.CUT_FALSE, "", f"It excuses nothing. {error}"))
                continue
            if cut.minimum <= place:
                yield cut


def _is_proven(seen: Seen, upper: Upper) -> bool:
    if seen.entries_root is None:
        return upper.proven and seen.leaves == upper.edge
    return upper.proven and seen.entries_root == upper.roots[seen.index]


def _is_named_cut(entry: bytes) -> bool:
    try:
        return parse_entry(entry).get("name") == "log.cut"
    except ParseError:
        return False


def _is_cut(seen: Seen, minimum: int) -> bool:
    gone = seen.entries_root is None and seen.leaves is None and not seen.unreadable
    return gone and (seen.index + 1) * tiles.WIDTH <= minimum


def _sound(walked: Walked, seen: Sequence[Seen], verdict: Verdict) -> Walked:
    """From where a later run may go on: after the last full bundle, where nothing is wrong and nothing was cut."""
    if not verdict.whole or verdict.whole_from:
        return Walked()
    roots = [each.entries_root for each in seen if each.entries_root is not None]
    return Walked(walked.bundles + len(roots), walked.roots + b"".join(roots))
