"""The whole check of a published log, from its checkpoint to its last entry."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from audit.log import merkle, tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.cosignature import Cosigned, CosignerKey, verify_cosignatures, witnessed_path
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey
from audit.log.verify.bundles import look_at_all
from audit.log.verify.damage import Damage, Kind, Verdict
from audit.log.verify.judging import judge
from audit.log.verify.sources import Source
from audit.log.verify.walking import Left, Walked, taken_up, walk

MOST_ENTRIES = 2**30
"""170 years at 200 in each second. A signed size alone must not let anybody look for more bundles than there can be."""
Tell = Callable[[int, int], None]
Keep = Callable[[VerifiedCheckpoint, Left], None]


@dataclass(frozen=True)
class Wanted:
    """What to check with.

    Args:
        keys: The log's public keys.
        witnesses: Public keys of witnesses, each of whom must have cosigned the checkpoint.
        seen: Checkpoints of this log that were believed before; the log must contain them.
        processes: How many share the work.
        tell: Told of entries done and of all, now and then.
        left: By an earlier run that broke off; nothing of what it read is read again, if the log is still what it was.
        keep: Given the checkpoint that a later run must hold the log against, and what it may take up should this one break off: once before
            the entries are read, again and again meanwhile, and at the end, when nothing is left.
    """

    keys: Sequence[VerifierKey]
    seen: Sequence[VerifiedCheckpoint] = ()
    witnesses: Sequence[CosignerKey] = ()
    processes: int = 1
    tell: Tell | None = None
    left: Left = field(default_factory=Left)
    keep: Keep | None = None


def check(source: Source, wanted: Wanted) -> tuple[Verdict, VerifiedCheckpoint | None]:
    """Check everything; what was found, and the checkpoint where it is believed.

    Raises:
        SourceUnavailable: The source does not answer.
    """
    lines = _witnessed(source, wanted)  # read first: meanwhile more may be published, and never less
    head, damages = _head(source, wanted)
    if head is None:
        return Verdict(damages=damages), None
    seen = (*wanted.seen, *lines.values())
    damages += _held_against_seen(source, seen, head)
    believed = max(seen, key=lambda each: each.size) if damages else head
    left = Left() if damages else wanted.left
    verdict = _read(source, wanted, head, believed, left)
    verdict.cosigned, unsigned = _cosigned(head, wanted.witnesses, lines)
    verdict.damages = sorted([*damages, *unsigned, *verdict.damages])
    if wanted.keep:
        wanted.keep(believed, Left())
    return verdict, head


def _read(
    source: Source, wanted: Wanted, head: VerifiedCheckpoint, believed: VerifiedCheckpoint, left: Left
) -> Verdict:
    """Read every entry and judge. Of a run that is taken up, the bundles are looked at again that a cut may have removed in between; and all
    of them where anything is wrong, so that each damage is named.
    """
    keep = wanted.keep if believed is head else None
    walked = taken_up(source, head.size, left)
    if wanted.keep:
        wanted.keep(believed, walked.left())

    def told(done: int, so_far: Walked) -> None:
        if keep:
            keep(head, so_far.left())
        if wanted.tell:
            wanted.tell(done, head.size)

    known = walked.known()
    seen = list(walk(source, head.size, walked, wanted.processes, told))
    verdict, minimum = judge(source, head, seen, known)
    if late := [index for index in known if (index + 1) * tiles.WIDTH <= minimum]:
        seen += look_at_all(source, [(index, tiles.WIDTH) for index in late])
        known = {index: root for index, root in known.items() if index not in set(late)}
        verdict, _ = judge(source, head, seen, known)
    if known and verdict.damages:
        return _read(source, wanted, head, believed, Left())
    verdict.resumed_since = left.begun if known else 0
    return verdict


def _head(source: Source, wanted: Wanted) -> tuple[VerifiedCheckpoint | None, list[Damage]]:
    data = source.read("checkpoint")
    if data is None:
        return None, [Damage(-1, -1, Kind.NO_CHECKPOINT, "checkpoint", "Without it nothing is proved.")]
    try:
        head = verify_checkpoint(parse_checkpoint(data), wanted.keys)
        return (head, []) if head.size <= MOST_ENTRIES else (None, [_too_large(head)])
    except ParseError as error:
        return None, [Damage(-1, -1, Kind.CHECKPOINT_UNREADABLE, "checkpoint", str(error))]
    except NotVerified as error:
        return None, [Damage(-1, -1, Kind.CHECKPOINT_NOT_SIGNED, "checkpoint", str(error))]


def _too_large(head: VerifiedCheckpoint) -> Damage:
    why = f"It says {head.size} entries; no log has more than {MOST_ENTRIES}, so nothing was read."
    return Damage(-1, -1, Kind.TOO_LARGE, "checkpoint", why)


def _witnessed(source: Source, wanted: Wanted) -> dict[CosignerKey, VerifiedCheckpoint]:
    """The last checkpoint that each of the witnesses cosigned, as it lies beside the log; the head may have none of their lines yet."""
    found = {}
    for each in wanted.witnesses:
        data = source.read(witnessed_path(each.text()))
        with contextlib.suppress(ParseError, NotVerified):  # it proves nothing, as if it were not there
            checkpoint = verify_checkpoint(parse_checkpoint(data or b""), wanted.keys)
            if verify_cosignatures(checkpoint.signed.note, [each]):
                found[each] = checkpoint
    return found


def _held_against_seen(
    source: Source, seen_before: Sequence[VerifiedCheckpoint], head: VerifiedCheckpoint
) -> list[Damage]:
    found = []
    for seen in seen_before:
        if seen.size > head.size:
            why = f"It has {head.size} entries, and {seen.size} were seen."
            found.append(Damage(head.size, seen.size - 1, Kind.SHORTER, "checkpoint", why))
        elif not contains(source, head, seen):
            why = f"The first {seen.size} entries are not those that were seen."
            found.append(Damage(0, seen.size - 1, Kind.FORKED, "checkpoint", why))
    return found


def _cosigned(
    head: VerifiedCheckpoint, witnesses: Sequence[CosignerKey], before: Mapping[CosignerKey, VerifiedCheckpoint]
) -> tuple[list[Cosigned], list[Damage]]:
    """The cosignatures of these witnesses under the checkpoint, and a damage for each of them who has not cosigned it."""
    found, missing = list[Cosigned](), list[Damage]()
    for each in witnesses:
        size = before[each].size if each in before else 0
        why = f"{each.name} has not cosigned {head.size} entries."
        why += f" It has cosigned the first {size} of them." if 0 < size < head.size else ""
        try:
            lines = verify_cosignatures(head.signed.note, [each])
        except NotVerified as error:
            lines, why = (), str(error)
        found += lines[:1]
        place = (size, head.size - 1) if 0 < size < head.size else (-1, -1)
        missing += [] if lines else [Damage(*place, Kind.NOT_COSIGNED, "checkpoint", why)]
    return found, missing


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
