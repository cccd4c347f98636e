"""A store in a directory of one file system, which any web server may hand out as it stands."""

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from audit.log.durable import at_once, of_file
from audit.log.stores import HEAD, MOST_BYTES, Conflict, Overtaken, Still, StoreUnavailable, always, check_bundle

BESIDE = re.compile(r"\..+\.[0-9a-f]{16}")  # what a writer that was killed has left beside the place that it meant
READABLE, ENTERABLE = 0o644, 0o755  # whatever the umask: other accounts serve and check these files
LOCK = ".lock"


@dataclass(frozen=True)
class DirectoryStore:
    """The directory; it is made where it is missing. Resources appear whole under their names or not at all."""

    folder: Path
    begun: float = field(default_factory=time.time, compare=False, kw_only=True)  # s since 1970
    head: str = field(default=HEAD, kw_only=True)  # how the file is called that is moved
    most: int = field(default=MOST_BYTES, kw_only=True)  # bytes of a resource

    def check(self) -> None:
        """See `Store.check`: made where it is missing, and freed of what earlier writers left when they were killed."""
        with _told():
            self.folder.mkdir(parents=True, exist_ok=True)
            for folder, _, names in os.walk(self.folder):
                for left in (Path(folder, name) for name in names if BESIDE.fullmatch(name)):
                    with contextlib.suppress(FileNotFoundError):  # its writer lives, and has just taken it away
                        if left.stat().st_mtime < self.begun:
                            left.unlink()

    def read(self, path: str) -> bytes | None:
        """See `Store.read`."""
        with _told():
            try:
                with open(self.folder / path, "rb", opener=at_once) as file:
                    data = file.read(self.most + 1)
            except (FileNotFoundError, NotADirectoryError):
                return None
        if len(data) > self.most:
            raise StoreUnavailable(f"{path} has more than {self.most} bytes.")
        return data

    def put(self, resources: dict[str, bytes], still: Still = always) -> None:
        """See `Store.put`."""
        folders: set[Path] = set()
        with _told():
            for path, data in resources.items():
                place = self.folder / path
                folders |= _made(place.parent, self.folder)
                still()
                self._put_one(place, data)
            for folder in folders:
                _sync(folder)

    def move_head(self, before: bytes | None, after: bytes) -> None:
        """See `Store.move_head`. Under a lock of the file system that ends with the process."""
        place = self.folder / self.head
        with _told(), _locked(self.folder):
            folders = _made(place.parent, self.folder)
            with _beside(place, after) as mine:
                if self.read(self.head) != before:
                    raise Overtaken("Somebody else has published meanwhile.")
                mine.replace(place)
                for folder in folders:
                    _sync(folder)

    def beside(self, head: str) -> "DirectoryStore":
        """See `Store.beside`."""
        return replace(self, head=head)

    def forget(self, folders: list[str]) -> None:
        """See `Store.forget`."""
        for folder in folders:
            _check_passes(folder)
            shutil.rmtree(self.folder / folder, ignore_errors=True)

    def listed(self, below: str) -> list[str]:
        """See `Store.listed`; what a killed writer left beside a place is none of them."""
        with _told():
            places = (place for place in (self.folder / below).rglob("*") if place.is_file())
            return sorted(str(place.relative_to(self.folder)) for place in places if not BESIDE.fullmatch(place.name))

    def remove(self, paths: list[str]) -> None:
        """See `ClearedStore.remove`."""
        with _told():
            for path in paths:
                (self.folder / path).unlink(missing_ok=True)
            for folder in {(self.folder / path).parent for path in paths}:
                _sync(folder)

    def locked_until(self, path: str) -> datetime | None:  # noqa: ARG002 - as the other store is called
        """See `Store.locked_until`: a directory locks nothing."""
        return None

    def cut(self, paths: list[str]) -> None:
        """See `Store.cut`."""
        with _told():
            for place in (self.folder / check_bundle(path) for path in paths):
                place.unlink(missing_ok=True)
                if place.parent.exists():
                    _sync(place.parent)

    def passing(self, below: str) -> list[str]:
        """See `PassingStore.passing`."""
        with _told():
            return sorted(f"{below}/{each.name}" for each in (self.folder / below).glob("*.p"))

    def erase(self, folders: list[str]) -> None:
        """See `PassingStore.erase`."""
        for folder in folders:
            _check_passes(folder)
            with _told():
                shutil.rmtree(self.folder / folder)
                _sync((self.folder / folder).parent)

    def _put_one(self, place: Path, data: bytes) -> None:
        if place.exists():
            return self._compare(place, data)
        with _beside(place, data) as mine:
            try:
                os.link(mine, place)
            except FileExistsError:
                self._compare(place, data)
        return None

    def _compare(self, place: Path, data: bytes) -> None:
        """What is there may have been written by a process that was killed before it synced the folder; the caller syncs it."""
        with open(place, "rb", opener=of_file) as file:
            if file.read(len(data) + 1) != data:
                raise Conflict(f"{place.relative_to(self.folder)} holds other bytes.")


def _check_passes(folder: str) -> None:
    if not folder.endswith(".p"):
        raise ValueError(f"{folder} holds no partial resources.")


def _made(folder: Path, top: Path) -> set[Path]:
    """Make a folder below ``top``; what must be synced for a file in it to last: all up to the top, which is cheap when nothing changed."""
    folder.mkdir(parents=True, exist_ok=True)
    on_the_way = {folder, *(parent for parent in folder.parents if parent == top or top in parent.parents)}
    for each in on_the_way:
        if each.stat().st_mode & 0o777 != ENTERABLE:
            each.chmod(ENTERABLE)
    return on_the_way


@contextmanager
def _beside(place: Path, data: bytes) -> Iterator[Path]:
    """A synced file with the bytes, beside the place that it shall take."""
    mine = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READABLE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), READABLE)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield mine
    finally:
        with contextlib.suppress(OSError):
            mine.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT, READABLE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"{error.filename or 'The directory of the log'}: {error.strerror}.") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
