"""A long run in shards, and one that goes on where it broke off: `make faults ARGS="--done FILE --shard 1/4"`."""

import zlib
from pathlib import Path
from typing import Any

import pytest

DONE = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options."""
    group = parser.getgroup("long runs")
    group.addoption(
        "--done", metavar="FILE", help="note each test that held in the file, and leave out those that stand there"
    )
    group.addoption("--shard", metavar="K/N", help="the K-th of N shares of the tests, by their names")


def pytest_configure(config: pytest.Config) -> None:
    """What was done before is read once, for all workers: the file grows while they run."""
    given = getattr(config, "workerinput", None)
    config.stash[DONE] = frozenset(given["done"] if given else _read(config.getoption("done")))
    if given is None and config.getoption("done"):
        config.pluginmanager.register(Notes(Path(config.getoption("done"))))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker."""
    node.workerinput["done"] = sorted(node.config.stash[DONE])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is done, and what belongs to another share."""
    done, shard = config.stash[DONE], parse_shard(config.getoption("shard"))
    out = [item for item in items if item.nodeid in done or not belongs(item.nodeid, shard)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in set(out)]


class Notes:
    """Adds a line for each test that held; only where the results of all workers arrive."""

    def __init__(self, file: Path) -> None:
        """Into this file."""
        self.file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once the test itself held."""
        if report.when == "call" and report.passed:
            with self.file.open("a") as kept:
                kept.write(f"{report.nodeid}\n")


def parse_shard(text: str | None) -> tuple[int, int]:
    """`2/4` as (2, 4); nothing is the whole."""
    share, _, shares = (text or "1/1").partition("/")
    if not (share.isdecimal() and shares.isdecimal() and 1 <= int(share) <= int(shares)):
        raise pytest.UsageError(f"--shard is written as 2/4, not {text}.")
    return int(share), int(shares)


def belongs(nodeid: str, shard: tuple[int, int]) -> bool:
    """Whether the test is in this share; by its name, so that a new test moves no other."""
    share, shares = shard
    return zlib.crc32(nodeid.encode()) % shares == share - 1


def _read(file: str | None) -> list[str]:
    place = Path(file) if file else None
    return place.read_text().splitlines() if place and place.exists() else []
