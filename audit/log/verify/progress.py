"""A small file beside the verifier: the last checkpoint that it believed, and how far it had read. A later run goes on from there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.log import tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey, write_note
from audit.log.verify.check import Walked
from audit.log.verify.sources import Source


class NotOurs(Exception):
    """The file is not one of this log, so it is not believed; remove it to begin again."""


@dataclass(frozen=True)
class Memory:
    """What was believed before."""

    seen: VerifiedCheckpoint
    walked: Walked


def recall(path: Path, source: Source, keys: list[VerifierKey]) -> Memory | None:
    """What the file says; nothing where there is none.

    The roots of the bundles that were read are asked of the source again, which has them in its tiles, and held against their
    fingerprint; where they differ all is read again.

    Raises:
        NotOurs: It cannot be read, or speaks of another log.
    """
    try:
        kept: Any = json.loads(path.read_text())
        seen = verify_checkpoint(parse_checkpoint(kept["checkpoint"].encode()), keys)
        bundles, digest = int(kept["bundles"]), str(kept["roots_sha256"])
        if not 0 <= bundles <= seen.size // tiles.WIDTH:
            raise ValueError("It has read more than the log had.")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ParseError, NotVerified) as error:
        raise NotOurs(f"{path} is not what an earlier run of this log left. {error}") from error
    walked = Walked(bundles, _roots(source, bundles, seen.size))
    return Memory(seen, walked if walked.digest() == digest else Walked())


def keep(path: Path, head: VerifiedCheckpoint, walked: Walked) -> None:
    """Write it anew."""
    said = {
        "checkpoint": write_note(head.signed.note).decode(),
        "bundles": walked.bundles,
        "roots_sha256": walked.digest(),
    }
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(said, indent=1))
    beside.replace(path)


def _roots(source: Source, bundles: int, size: int) -> bytes:
    found = b""
    for index in range((bundles + tiles.WIDTH - 1) // tiles.WIDTH):
        for width in (tiles.WIDTH, tiles.width(1, index, size)):
            data = source.read(tiles.path(tiles.TileName(1, index, width))) if width else None
            if data is not None:
                found += data
                break
    return found[: bundles * tiles.HASH_BYTES]
