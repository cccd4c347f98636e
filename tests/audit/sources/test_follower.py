"""Following files: whole lines once, in order, through rotation; what cannot be read any more is said."""

import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.follower import Follower, OutOfReach, Position, Reading


def order(raw: bytes) -> int | None:
    """Lines of these tests begin with their time."""
    head = raw.split(b" ")[0]
    return int(head) if head.isdigit() else None


def follow(
    folder: Path, position: Position | None = None, chunk: int = 4_000_000
) -> tuple[list[bytes], list[str], Position]:
    """Read until nothing more is waiting: lines, kinds of losses, position."""
    position = position or Position()
    lines: list[bytes] = []
    losses: list[str] = []
    while True:
        # a new follower each time: everything that matters is in the position, and the position lives through JSON
        position = msgspec.convert(msgspec.to_builtins(position), Position)
        reading: Reading = Follower(folder, order=order).read(position, now=9, chunk=chunk)
        lines += reading.lines
        losses += [loss.kind for loss in reading.losses]
        position = reading.position
        if not reading.more:
            return lines, losses, position


def append(file: Path, text: bytes) -> None:
    with file.open("ab") as handle:
        handle.write(text)


def test_torn_last_line_waits(tmp_path: Path) -> None:
    log = tmp_path / "a.json"
    append(log, b"1 one\n2 tw")
    lines, losses, position = follow(tmp_path)
    assert (lines, losses) == ([b"1 one"], [])
    append(log, b"o\n")
    assert follow(tmp_path, position)[:2] == ([b"2 two"], [])


def test_rotated_files_are_read_in_the_order_of_their_first_lines(tmp_path: Path) -> None:
    append(tmp_path / "z.json", b"1 one\n")
    append(tmp_path / "m.json", b"2 two\n3 three\n")
    append(tmp_path / "a.json", b"4 four\n")
    append(tmp_path / "a.log", b"0 another format\n")
    lines, losses, position = follow(tmp_path)
    assert (lines, losses) == ([b"1 one", b"2 two", b"3 three", b"4 four"], [])
    append(tmp_path / "k.json", b"5 five\n")
    assert follow(tmp_path, position)[:2] == ([b"5 five"], [])


def test_file_that_was_read_may_go(tmp_path: Path) -> None:
    append(tmp_path / "a.json", b"1 one\n")
    append(tmp_path / "b.json", b"2 two\n")
    *_, position = follow(tmp_path)
    (tmp_path / "a.json").unlink()
    append(tmp_path / "b.json", b"3 three\n")
    assert follow(tmp_path, position)[:2] == ([b"3 three"], [])


def test_file_that_is_gone_before_it_was_read_is_a_loss(tmp_path: Path) -> None:
    append(tmp_path / "a.json", b"1 one\n")
    *_, position = follow(tmp_path)
    append(tmp_path / "a.json", b"2 two\n")
    (tmp_path / "a.json").unlink()
    lines, losses, position = follow(tmp_path, position)
    assert (lines, losses) == ([], ["file_vanished"])
    append(tmp_path / "b.json", b"3 three\n")
    assert follow(tmp_path, position)[:2] == ([b"3 three"], []), "told once"


def test_renamed_file_is_read_to_its_end(tmp_path: Path) -> None:
    append(tmp_path / "a.json", b"1 one\n")
    *_, position = follow(tmp_path)
    append(tmp_path / "a.json", b"2 two\n")
    (tmp_path / "a.json").rename(tmp_path / "a.json.1")
    append(tmp_path / "b.json", b"3 three\n")
    assert follow(tmp_path, position)[:2] == ([b"2 two", b"3 three"], [])


@pytest.mark.parametrize("after", [b"", b"1 on", b"1 eno\n2 two\n3 three\n", b"7 seven\n8 eight\n9 nine\n"])
def test_file_that_was_cut_or_replaced_is_a_loss_and_read_anew(tmp_path: Path, after: bytes) -> None:
    append(tmp_path / "a.json", b"1 one\n2 two\n")
    *_, position = follow(tmp_path)
    with (tmp_path / "a.json").open("r+b") as handle:  # the same file, as a truncating writer leaves it
        handle.truncate()
        handle.write(after)
    lines, losses, _ = follow(tmp_path, position)
    assert (lines, losses) == (after.splitlines() if after.endswith(b"\n") else [], ["file_cut"])


def test_another_file_under_the_same_name_is_a_loss(tmp_path: Path) -> None:
    append(tmp_path / "a.json", b"1 one\n2 two\n")
    *_, position = follow(tmp_path)
    append(tmp_path / "new", b"3 three\n")
    (tmp_path / "new").rename(tmp_path / "a.json")
    assert follow(tmp_path, position)[:2] == ([b"3 three"], ["file_vanished"])


def test_torn_line_at_the_end_of_a_finished_file_is_a_loss(tmp_path: Path) -> None:
    append(tmp_path / "a.json", b"1 one\n2 tw")
    append(tmp_path / "b.json", b"3 three\n")
    assert follow(tmp_path)[:2] == ([b"1 one", b"3 three"], ["line_unreadable"])


def test_links_and_pipes_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    append(elsewhere, b"1 secret\n")
    (tmp_path / "a.json").symlink_to(elsewhere)
    os.mkfifo(tmp_path / "b.json")
    append(tmp_path / "c.json", b"2 two\n")
    assert follow(tmp_path)[:2] == ([b"2 two"], [])


def test_folder_out_of_reach_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutOfReach, match="cannot be read: No such file or directory"):
        Follower(tmp_path / "none", order=order).read(Position())


def test_line_longer_than_a_reading_is_whole(tmp_path: Path) -> None:
    long = b"1 " + b"x" * 100_000
    append(tmp_path / "a.json", long + b"\n2 two\n")
    assert follow(tmp_path, chunk=1000)[:2] == ([long, b"2 two"], [])


@given(st.lists(st.tuples(st.sampled_from(["write", "tear", "rotate", "read"]), st.integers(1, 40)), max_size=30))
def test_every_line_comes_once_whatever_happens_between(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    written: list[bytes] = []
    read: list[bytes] = []
    position, files, torn = Position(), 0, b""
    for what, size in [*steps, ("write", 1), ("read", 50)]:
        file = folder / f"{1000 - files}.json"
        if what == "write":
            line = torn or b"%d %s" % (len(written) + 1, b"x" * size)
            append(file, line[len(torn[:4]) if torn else 0 :] + b"\n")
            written.append(line)
            torn = b""
        elif what == "tear" and not torn:
            torn = b"%d %s" % (len(written) + 1, b"y" * (size + 8))
            append(file, torn[:4])
        elif what == "rotate" and not torn and file.exists():
            files += 1
        elif what == "read":
            lines, losses, position = follow(folder, position, chunk=size)
            assert losses == []
            read += lines
    assert read == written
