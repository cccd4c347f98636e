"""What a test counted, said once at the end of a run, on however many workers it ran."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Count = Callable[[str], None]
COUNTED = "counted"


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Keep a line (or a table) for the end of the run."""
    return lambda line: record_property(COUNTED, line)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Every line that a test kept, in the order in which they ended."""
    lines = list(_lines(terminalreporter.stats))
    if lines:
        terminalreporter.section("counted")
    for line in lines:
        terminalreporter.write_line(line)


def _lines(stats: dict[str, list[Any]]) -> Iterator[str]:
    for outcome in ("passed", "failed"):
        for report in stats.get(outcome, []):
            yield from (text for name, text in report.user_properties if name == COUNTED and report.when == "call")
