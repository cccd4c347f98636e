"""A directory as a store: whole resources, none replaced, a head that only its reader moves."""

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit.log.stores import HEAD, Conflict, Overtaken, StoreUnavailable
from audit.log.stores.directory import DirectoryStore


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path / "log")


def files(folder: Path) -> dict[str, bytes]:
    """All files, hidden ones included but for the lock."""
    found = (each for each in folder.rglob("*") if each.is_file() and each.name != ".lock")
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def test_resources_lie_under_their_paths_readable_by_all(store: DirectoryStore) -> None:
    before = os.umask(0o077)
    try:
        store.put({"tile/0/x001/234.p/8": b"hashes", "tile/entries/000": b"entries"})
    finally:
        os.umask(before)
    assert files(store.folder) == {"tile/0/x001/234.p/8": b"hashes", "tile/entries/000": b"entries"}
    modes = {stat.S_IMODE(each.stat().st_mode) for each in store.folder.rglob("*") if each.is_file()}
    assert (modes, stat.S_IMODE((store.folder / "tile/0/x001").stat().st_mode)) == ({0o644}, 0o755)
    assert [store.read("tile/entries/000"), store.read("tile/entries/001")] == [b"entries", None]


def test_same_bytes_may_be_put_again_and_others_never(store: DirectoryStore) -> None:
    store.put({"tile/0/000": b"one"})
    store.put({"tile/0/000": b"one"})
    with pytest.raises(Conflict, match="tile/0/000"):
        store.put({"tile/0/000": b"other"})
    assert files(store.folder) == {"tile/0/000": b"one"}


@pytest.mark.parametrize("what", ["pipe", "link", "folder"])
def test_what_is_no_file_is_told_and_nobody_waits_for_it(what: str, store: DirectoryStore) -> None:
    store.put({"tile/0/001": b"one"})
    place = store.folder / "tile/0/000"
    if what == "pipe":
        os.mkfifo(place)
    elif what == "link":
        place.symlink_to(store.folder / "tile/0/001")
    else:
        place.mkdir()
    with pytest.raises(StoreUnavailable, match=r"tile/0/000: "):
        store.put({"tile/0/000": b"one"})


def test_a_longer_resource_holds_other_bytes_and_is_not_read_to_its_end(store: DirectoryStore) -> None:
    store.put({"tile/0/000": b"one"})
    os.truncate(store.folder / "tile/0/000", 2**40)  # sparse: no memory would hold it
    with pytest.raises(Conflict, match="tile/0/000"):
        store.put({"tile/0/000": b"one"})


def test_head_is_moved_only_by_who_read_it_last(store: DirectoryStore) -> None:
    store.put({"tile/0/000.p/1": b"1"})
    store.move_head(None, b"first")
    store.move_head(b"first", b"second")
    for stale in (None, b"first"):
        with pytest.raises(Overtaken):
            store.move_head(stale, b"third")
    assert store.read(HEAD) == b"second"
    assert files(store.folder) == {HEAD: b"second", "tile/0/000.p/1": b"1"}


def test_of_fifty_that_move_the_head_at_once_one_does(store: DirectoryStore) -> None:
    store.move_head(None, b"before")

    def move(number: int) -> bool:
        try:
            store.move_head(b"before", b"%d" % number)
        except Overtaken:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        moved = list(pool.map(move, range(50)))
    assert (moved.count(True), store.read(HEAD)) == (1, b"%d" % moved.index(True))


def test_partial_resources_are_forgotten_and_nothing_else_ever(store: DirectoryStore) -> None:
    store.put({"tile/0/000.p/8": b"part", "tile/0/000": b"full"})
    store.forget(["tile/0/000.p", "tile/0/001.p"])
    with pytest.raises(ValueError, match="holds no partial"):
        store.forget(["tile/0"])
    assert files(store.folder) == {"tile/0/000": b"full"}


def test_a_directory_that_cannot_be_written_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file stands here")
    store = DirectoryStore(tmp_path / "log")
    with pytest.raises(StoreUnavailable):
        store.put({"tile/0/000": b"x"})
    with pytest.raises(StoreUnavailable):
        store.move_head(None, b"x")


def test_lock_of_a_killed_publisher_holds_nobody_up(store: DirectoryStore) -> None:
    store.move_head(None, b"before")
    program = "import fcntl, os, sys; f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT); fcntl.flock(f, 2); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(store.folder / ".lock")],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()
        store.move_head(b"before", b"after")
    assert store.read(HEAD) == b"after"


def test_what_killed_writers_left_goes_at_the_start_and_what_is_being_written_stays(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "log")
    store.put({"tile/0/000": b"one"})
    left, written = (store.folder / f"tile/0/.001.{digit * 16}" for digit in "ab")
    for each, seconds in ((left, -1), (written, 1)):
        each.write_bytes(b"half")
        os.utime(each, (store.begun + seconds, store.begun + seconds))
    store.check()
    assert sorted(files(store.folder)) == [f"tile/0/{written.name}", "tile/0/000"]
