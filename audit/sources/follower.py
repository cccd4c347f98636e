"""Following a folder of log files from a remembered position, through rotation, restart and replacement.

Only whole lines are handed out: a torn last line waits. What was written and cannot be read any more is a loss, never silence.
The folder belongs to the target, so nothing in it is trusted: links and anything but plain files are left alone.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from audit.sources.records import LossFound

CHUNK = 4_000_000
"""Bytes of one reading."""
LONGEST_LINE = 64_000_000
PRINT = 256


class OutOfReach(Exception):
    """The log cannot be read: no such folder, or no right to it."""


class Position(msgspec.Struct, frozen=True):
    """How far the log was read: the file, by inode and name, the offset behind the last whole line, and prints of what lies before it.

    ``head`` is SHA-256 of the first bytes of the file, ``tail`` of the last bytes before the offset, each at most 256.
    """

    name: str = ""
    inode: int = 0
    order: tuple[int, str] = (0, "")
    offset: int = 0
    head: str = ""
    tail: str = ""


class Reading(msgspec.Struct, frozen=True):
    """Whole lines in their order, the position behind them, what was lost, and whether more is waiting."""

    lines: list[bytes]
    position: Position
    losses: list[LossFound]
    more: bool


Order = Callable[[bytes], int | None]
"""Time of a line in milliseconds; None where it cannot be told."""


class Candidate(msgspec.Struct, frozen=True):
    """A file of the log whose first line is there."""

    path: Path
    inode: int
    size: int
    order: tuple[int, str]


class Follower:
    """Reads one folder. It remembers nothing that matters: the position does."""

    def __init__(self, folder: Path, *, order: Order, suffix: str = ".json") -> None:
        """``order`` tells the time of a line, by which files are put in order; ``suffix`` tells which files belong to the log."""
        self.folder = folder
        self._order = order
        self._suffix = suffix
        self._first: dict[tuple[int, str, int, int], int | None] = {}

    def read(self, position: Position, *, now: int = 0, chunk: int = CHUNK) -> Reading:
        """Read on from a position. ``now`` (ms) dates a loss.

        Raises:
            OutOfReach: the folder or its files cannot be read.
        """
        try:
            return self._read(position, now, chunk)
        except OSError as error:
            raise OutOfReach(f"The log in {self.folder} cannot be read: {error.strerror}.") from error

    def _read(self, position: Position, now: int, chunk: int) -> Reading:
        files = self._files(position)
        current, losses = self._current(files, position, now)
        if losses:
            name, inode = (current.path.name, current.inode) if current else ("", 0)
            position = Position(name, inode, current.order if current else position.order)
        later = [each for each in files if each.order > position.order and each.inode != position.inode]
        if current is None:
            if not later:
                return Reading([], position, losses, more=False)
            current, later = later[0], later[1:]
            position = Position(current.path.name, current.inode, current.order)
        return self._lines_of(current, later, position, losses, now, chunk)

    def _current(
        self, files: list[Candidate], position: Position, now: int
    ) -> tuple[Candidate | None, list[LossFound]]:
        """The file that is being read, under whatever name; and what was lost if it is gone or is another one by now."""
        if not position.inode:
            return None, []
        current = next((each for each in files if each.inode == position.inode), None) or self._renamed(position)
        if current is None:
            says = f"{position.name} is gone; what it held after byte {position.offset} was not read."
            return None, [LossFound("file_vanished", position.order[0], now, says)]
        if not _same(current, position):
            says = f"{position.name} was cut or replaced; what it held after byte {position.offset} was not read."
            return current, [LossFound("file_cut", position.order[0], now, says)]
        return current, []

    def _lines_of(
        self,
        current: Candidate,
        later: list[Candidate],
        position: Position,
        losses: list[LossFound],
        now: int,
        chunk: int,
    ) -> Reading:
        """Read on in the current file. ``later`` was listed before, so where it is not empty the current file is final."""
        lines, moved, rest = _lines(current.path, position, chunk)
        if lines or not later:
            return Reading(lines, moved, losses, more=bool(lines) and (bool(later) or rest > 0))
        if rest:
            says = f"The last line of {position.name} is torn; {rest} bytes were not readable."
            losses = [*losses, LossFound("line_unreadable", position.order[0], now, says)]
        following = later[0]
        return Reading([], Position(following.path.name, following.inode, following.order), losses, more=True)

    def _files(self, position: Position) -> list[Candidate]:
        found: list[Candidate] = []
        seen: dict[tuple[int, str, int, int], int | None] = {}
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.endswith(self._suffix) or not entry.is_file(follow_symlinks=False):
                    continue
                status = entry.stat(follow_symlinks=False)
                if status.st_ino == position.inode:
                    found.append(Candidate(Path(entry.path), status.st_ino, status.st_size, position.order))
                    continue
                key = (status.st_ino, entry.name, status.st_size, status.st_mtime_ns)
                at = seen[key] = self._first[key] if key in self._first else self._first_time(Path(entry.path))
                if at is not None:
                    found.append(Candidate(Path(entry.path), status.st_ino, status.st_size, (at, entry.name)))
        self._first = seen
        return sorted(found, key=lambda each: each.order)

    def _first_time(self, path: Path) -> int | None:
        """Time of the first line that has one; None while no line is whole."""
        with _open(path) as file:
            head = file.read(65_536)
            if b"\n" not in head:
                head += file.read(LONGEST_LINE)
        return next((at for line in head.split(b"\n")[:-1] if (at := self._order(line)) is not None), None)

    def _renamed(self, position: Position) -> Candidate | None:
        """The file under a name that is none of the log any more."""
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.inode() == position.inode and entry.is_file(follow_symlinks=False):
                    size = entry.stat(follow_symlinks=False).st_size
                    return Candidate(Path(entry.path), position.inode, size, position.order)
        return None


def _lines(path: Path, position: Position, chunk: int) -> tuple[list[bytes], Position, int]:
    """Whole lines after the position, the position behind them, and how many bytes are left behind that."""
    with _open(path) as file:
        file.seek(position.offset)
        data = file.read(chunk)
        while b"\n" not in data and len(data) < LONGEST_LINE and (more := file.read(chunk)):
            data += more
        end = data.rfind(b"\n") + 1
        if not end and len(data) >= LONGEST_LINE:
            end = len(data)  # nothing that a server writes; the parser will say so
        size = os.fstat(file.fileno()).st_size
        offset = position.offset + end
        if not end:
            return [], position, size - offset
        head, tail = _prints(file, offset)
    moved = Position(position.name, position.inode, position.order, offset, head, tail)
    return data[:end].removesuffix(b"\n").split(b"\n"), moved, size - offset


def _prints(file: BinaryIO, offset: int) -> tuple[str, str]:
    length = min(PRINT, offset)
    file.seek(0)
    head = file.read(length)
    file.seek(offset - length)
    return hashlib.sha256(head).hexdigest(), hashlib.sha256(file.read(length)).hexdigest()


def _same(current: Candidate, position: Position) -> bool:
    """Whether what was read still stands before the offset."""
    if current.size < position.offset:
        return False
    if not position.offset:
        return True
    with _open(current.path) as file:
        return _prints(file, position.offset) == (position.head, position.tail)


def _open(path: Path) -> BinaryIO:
    """Open a plain file; a link or a pipe put in its place is refused."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not a plain file")
    return os.fdopen(handle, "rb")
