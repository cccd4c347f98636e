"""A small file beside the verifier: the last checkpoint that it believed, and how far a run had read that broke off.

The first makes a log that was set back, or written anew, fail. The second lets one run be finished that was stopped; a run that came to its
end leaves nothing of it, so that the next reads everything. What was read long ago is read again as well.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from audit.log.checkpoint import MAX_SIZE, VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey, write_note
from audit.log.verify.walking import Left

TAKEN_UP_S = 2 * 24 * 60 * 60


class NotOurs(Exception):
    """The file is not one of this log, so it is not believed; remove it to begin again."""


class NotKept(Exception):
    """Nothing can be written there."""


@dataclass(frozen=True)
class Memory:
    """What an earlier run left: the checkpoint that it believed, and of the entries under it those that it had read when it broke off."""

    seen: VerifiedCheckpoint
    left: Left


def recall(path: Path, keys: Sequence[VerifierKey], now: int) -> Memory | None:
    """What the file says at a time (s since 1970 UTC); nothing where there is none.

    Raises:
        NotOurs: It cannot be read, or speaks of another log.
    """
    try:
        kept: Any = json.loads(path.read_text())
        seen = verify_checkpoint(parse_checkpoint(kept["checkpoint"].encode()), keys)
        left = _left(kept["left"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, ParseError, NotVerified) as error:
        raise NotOurs(f"{path} is not what an earlier run of this log left. {error}") from error
    return Memory(seen, left if 0 <= now - left.begun <= TAKEN_UP_S else Left())


def _left(said: Any) -> Left:
    found = Left(**(said | {"again": tuple(said["again"])}))
    numbers = (found.first, found.end, found.begun, *found.again)
    if not all(type(each) is int and 0 <= each <= MAX_SIZE for each in numbers) or found.first > found.end:
        raise ValueError("It does not say how far an earlier run had read.")
    return found


def keep(path: Path, seen: VerifiedCheckpoint, left: Left, begun: int) -> None:
    """Write it anew; ``begun`` is when the first of what is left was read (s since 1970 UTC).

    Raises:
        NotKept: It cannot be written.
    """
    said = {"checkpoint": write_note(seen.signed.note).decode(), "left": asdict(replace(left, begun=begun))}
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("w") as file:
            file.write(json.dumps(said, indent=1))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise NotKept(f"{path} cannot be written: {error.strerror}. Name a file in a folder that is there.") from error


def now_s() -> int:
    """The time, in s since 1970 UTC."""
    return int(time.time())
