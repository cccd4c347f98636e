"""What the signed root says of the bundles that were read: which are sound, which are damaged and where, which were cut."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from audit.log import tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.errors import ParseError
from audit.log.said import Cut, read_cut
from audit.log.verify.bundles import Seen
from audit.log.verify.damage import Damage, Kind, Verdict
from audit.log.verify.sources import Source
from audit.log.verify.upper import Hashes, Upper, prove

LOST_WITH_ENTRIES = "Its entries were cut, so it cannot be made again; no old proof of them can."


def judge(
    source: Source, head: VerifiedCheckpoint, seen: Sequence[Seen], known: Mapping[int, bytes]
) -> tuple[Verdict, int]:
    """What the signed root says of all that was read, and the minimum index of the cuts that are proved.

    Args:
        source: Where the tiles above level 0 are read.
        head: The checkpoint that is believed.
        seen: What lies at each place of level 0 that was looked at now.
        known: The roots of the other full bundles, by index, which an earlier run looked at.
    """
    verdict = Verdict(head.origin, head.size, head.root, resumed=len(known) * tiles.WIDTH)
    upper = prove(source, head.size, head.root, _low(head.size, seen, known), _edge(head.size, seen))
    cuts = list(_cuts(seen, upper, verdict))
    minimum = max((cut.minimum for cut in cuts), default=0)
    if any(_is_cut(each, minimum) for each in seen):
        verdict.whole_from, verdict.cuts = minimum, cuts
    verdict.damages += upper.damages
    if not upper.proven:
        why = "No reading of its files leads to the root that the checkpoint signs."
        verdict.damages.append(Damage(0, head.size - 1, Kind.UNPROVEN, "", why))
    for each in seen:
        width = min(tiles.WIDTH, head.size - each.index * tiles.WIDTH)
        cut = _is_cut(each, minimum)
        verdict.damages += _of_bundle(each, width, _expected(each, upper, head.size), cut)
        if not cut:
            verdict.checked += width if each.leaves is not None or each.entries_root is not None else 0
    verdict.checked += verdict.resumed
    return verdict, minimum


def _low(size: int, seen: Iterable[Seen], known: Mapping[int, bytes]) -> list[Hashes]:
    """The roots of full bundles, as the entries say and as the tiles of level 0 say."""
    entries: Hashes = [known.get(index) for index in range(size // tiles.WIDTH)]
    hashes = entries.copy()
    for each in seen:
        if each.index < len(entries):
            entries[each.index], hashes[each.index] = each.entries_root, each.stored_root
    return [entries, hashes]


def _edge(size: int, seen: Iterable[Seen]) -> list[bytes]:
    """What the hashes at the right edge of level 0 can be."""
    found = [(each.tile, each.leaves) for each in seen if each.index == size // tiles.WIDTH]
    return [hashes for both in found for hashes in dict.fromkeys(both) if hashes is not None]


def _expected(seen: Seen, upper: Upper, size: int) -> tuple[bytes | None, bytes | None]:
    """What the signed root proves of a bundle: the root over its hashes, or the hashes themselves at the right edge."""
    if not upper.proven:
        return None, None
    if (seen.index + 1) * tiles.WIDTH > size:
        return None, upper.edge
    return upper.roots[seen.index], None


def _of_bundle(seen: Seen, width: int, expected: tuple[bytes | None, bytes | None], cut: bool) -> Iterator[Damage]:
    """Of a bundle that was cut the hashes stay: without its tile no entry of it can be proved any more."""
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
        why = (
            "The entries beside it are sound."
            if entries_true
            else LOST_WITH_ENTRIES
            if cut
            else "What it held cannot be told from the entries."
        )
        yield Damage(first, last, Kind.TILE_MISSING if missing else Kind.TILE_CHANGED, tile, why)
    if entries_true or cut:
        return
    if seen.unreadable:
        yield Damage(first, last, Kind.BUNDLE_UNREADABLE, bundle, seen.unreadable)
    elif seen.gone:
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
    return seen.gone and (seen.index + 1) * tiles.WIDTH <= minimum
