"""What a witness remembers: for each log the largest checkpoint that it cosigned, one file each, held alone while it is judged."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.durable import write_whole
from audit.log.note import VerifierKey


def origin_hash(origin: str) -> str:
    """The name of a log in addresses and files: SHA-256 of its origin, in hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


@dataclass(frozen=True)
class KeptFile:
    """The file of one log."""

    path: Path
    keys: Sequence[VerifierKey]

    def latest(self) -> VerifiedCheckpoint | None:
        """See `Kept.latest`. A file that cannot be believed raises: to forget what was seen would let a log be set back."""
        data = self.read()
        return verify_checkpoint(parse_checkpoint(data), self.keys) if data is not None else None

    def read(self) -> bytes | None:
        """The note, with the log's signatures and the witness's own."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, note: bytes) -> None:
        """See `Kept.keep`."""
        write_whole(self.path, note)


@contextmanager
def held(folder: Path, origin: str, keys: Sequence[VerifierKey]) -> Iterator[KeptFile]:
    """The file of a log, locked against other threads and processes."""
    name = origin_hash(origin)
    lock = os.open(folder / f"{name}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield KeptFile(folder / name, keys)
    finally:
        os.close(lock)
