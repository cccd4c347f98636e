"""A run that broke off goes on where it was, and shares are whole together."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.resuming import belongs, parse_shard

TESTS = """
import pathlib
import pytest

@pytest.mark.parametrize("number", range(6))
def test_holds(number: int) -> None:
    assert number != 4 or pathlib.Path(__file__).with_name("mended").exists()
"""


def run(place: Path, *arguments: str) -> str:
    """The last line of a run of the six tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.resuming", *arguments]
    ended = subprocess.run(
        command,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    return (ended.stdout.strip().splitlines() or [ended.stderr])[-1]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with six tests, one of which fails."""
    (tmp_path / "test_six.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_held_is_left_out_the_next_time(place: Path, workers: str) -> None:
    assert "1 failed, 5 passed" in run(place, "--done", "done", "-n", workers)
    assert sorted((place / "done").read_text().split()) == [f"test_six.py::test_holds[{n}]" for n in (0, 1, 2, 3, 5)]
    (place / "mended").touch()
    ended = run(place, "--done", "done", "-n", workers)
    assert "1 passed" in ended
    assert "failed" not in ended
    assert len((place / "done").read_text().split()) == 6


def test_each_test_is_in_one_share() -> None:
    names = [f"tests/test_any.py::test_one[{number}]" for number in range(200)]
    shares = [[name for name in names if belongs(name, (share, 4))] for share in (1, 2, 3, 4)]
    assert sorted(name for share in shares for name in share) == sorted(names)
    assert all(shares)
    assert [name for name in names if belongs(name, parse_shard(None))] == names


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "1/0", "-1/4", "1/2/3"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="2/4"):
        parse_shard(text)
