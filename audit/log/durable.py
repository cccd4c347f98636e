"""A file that lasts: whole or not there, whatever stops the process or takes the power away."""

import contextlib
import errno
import fcntl
import glob
import os
import re
import secrets
import stat
from pathlib import Path

_LEFT = re.compile(r"\.[0-9a-f]{16}", re.ASCII)
_swept: set[Path] = set()


def write_whole(path: Path, data: bytes) -> None:
    """Write beside, sync, rename, sync the folder: under its name stand the old bytes or the new ones, for its owner alone.

    The first time in a process, what an earlier one left beside that was killed goes.
    """
    if path not in _swept:
        _swept.add(path)
        _sweep(path)
    mine = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # ends with the process
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        mine.replace(path)
    finally:
        mine.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def at_once(path: str, flags: int) -> int:
    """An opener of files to read: of a pipe that nobody writes it does not wait."""
    return os.open(path, flags | os.O_NONBLOCK)


def of_file(path: str, flags: int) -> int:
    """An opener of what must be a file, and no link to one: of anything else `OSError`, and it waits for nobody."""
    descriptor = at_once(path, flags | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "this is no file", path)
    return descriptor


def _sweep(path: Path) -> None:
    """Whoever still writes holds its file."""
    start = f".{path.name}"
    for left in path.parent.glob(f"{glob.escape(start)}.*"):
        if _LEFT.fullmatch(left.name.removeprefix(start)):
            with contextlib.suppress(OSError), open(left, "rb", opener=at_once) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
