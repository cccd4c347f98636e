"""Files that last: whole or not there, whatever stops the process; and one process at a time for each of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.log.durable import write_whole
from audit.log.locks import alone


def keep(path: Path, data: bytes) -> None:
    """Write a file durably; it appears under its name when it is whole, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _forget_left(path)
    write_whole(path, data)


def forget(path: Path) -> None:
    """Remove a file and what a killed process left beside it. For who is alone at work on it.

    Raises:
        OSError: Something cannot be removed.
    """
    path.unlink(missing_ok=True)
    _forget_left(path)


def _forget_left(path: Path) -> None:
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)


@contextmanager
def only_one(what: str) -> Iterator[bool]:
    """Whether we are the only process at work on it; the lock goes with the connection, so a crash frees it."""
    key = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
    with alone(key) as mine:
        yield mine
