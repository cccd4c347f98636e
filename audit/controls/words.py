"""A result in the catalogue's words: braces filled with counts, parameters, and what the deviating rows show."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from audit.controls.model import ControlTest, FigureUsed, Row
from audit.facts.schema import load_schema

BRACES = re.compile(r"\{(\w+)\}")
NAMED_AT_MOST = 5


def exception_words(
    test: ControlTest, *, population: int, failed: Sequence[Row], figures: Mapping[str, FigureUsed]
) -> str:
    """The exception of a test that has failed rows; what they show is listed once each, the first five by name."""
    known = {"n": str(len(failed)), "N": str(population)}

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in known:
            return known[name]
        if name in figures:
            return _figure(figures[name])
        return _listed(_shown(test, name, row.shows.get(name)) for row in failed)

    return BRACES.sub(fill, test.exception)


def braces(text: str) -> set[str]:
    """Names in braces."""
    return set(BRACES.findall(text))


def utc(milliseconds: int) -> str:
    """A time as people read it; seconds only where there are any."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S UTC" if milliseconds % 60_000 else "%Y-%m-%d %H:%M UTC")


def _figure(figure: FigureUsed) -> str:
    value = figure.value
    if isinstance(value, Mapping):
        value = ", ".join(f"{name} {each}" for name, each in value.items())
    elif isinstance(value, list):
        value = ", ".join(str(each) for each in value)
    return f"{value} (stricter where a policy says so)" if figure.tightened else str(value)


def _shown(test: ControlTest, name: str, value: str | int | float | None) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, int) and load_schema().kind_of(test.population.shows[name]) == "time":
        return utc(value)
    return str(value)


def _listed(values: Iterable[str]) -> str:
    once = list(dict.fromkeys(values))
    more = len(once) - NAMED_AT_MOST
    return ", ".join(once[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
