"""A file is whole or not there at every step of its writing."""

import fcntl
import os
from pathlib import Path

import pytest

from audit.log import durable
from audit.log.durable import write_whole


def test_new_bytes_are_on_the_disk_before_they_have_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each sync: what is synced, and what stands under the name. A power cut may fall between any two of them."""
    path, steps, sync = tmp_path / "seen", [], os.fsync
    path.write_bytes(b"old")

    def watched(descriptor: int) -> None:
        sync(descriptor)
        synced = Path(f"/proc/self/fd/{descriptor}").resolve()
        steps.append(("folder" if synced == tmp_path else synced.read_bytes(), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", watched)
    write_whole(path, b"new")
    assert steps == [(b"new", b"old"), ("folder", b"new")]
    assert [(each.name, each.stat().st_mode & 0o777) for each in tmp_path.iterdir()] == [("seen", 0o600)]


def test_failure_leaves_the_old_bytes_and_nothing_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "seen"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("seen", b"old")]


def test_what_a_killed_writer_left_goes_at_the_next_start_and_what_is_being_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "seen"
    left, written = (tmp_path / f".seen.{each * 16}" for each in "ab")
    others = [tmp_path / name for name in (".seen.lock", ".other.aaaaaaaaaaaaaaaa", "seen.aaaaaaaaaaaaaaaa")]
    for each in (left, written, *others):
        each.write_bytes(b"half")
    with written.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(durable, "_swept", set())
        write_whole(path, b"new")
    assert set(tmp_path.iterdir()) == {path, written, *others}
