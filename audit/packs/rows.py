"""Rows that did not pass, as a pack prints them: whom and what each concerns, what was required, and rows that are alike together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import yaml

from audit.controls.model import ControlTest, Row
from audit.controls.sql import exemption_names
from audit.facts.schema import load_schema
from audit.packs.filters import minute, on_system
from audit.packs.known import Known
from audit.packs.subjects import Subject, Subjects, concerns_people

LOOKED_AT = ("deviation", "signal")  # each of these is printed by itself
WORST_FIRST = (*LOOKED_AT, "inconclusive", "open")
MOST_ROWS = 20
ALONE = 3  # as many rows that are alike are still printed one by one
NAMES_AT_MOST = 4
SAID_ELSEWHERE = ("person", "judge", "subject", "system")


@dataclass(frozen=True)
class PrintedRow:
    """A line: one row, or several that are alike (``count``). ``why`` is what was required and is not so, or not decided."""

    result: str
    count: int
    who: str
    login: str
    system: str
    when: str
    request: str
    more: tuple[str, ...]
    why: tuple[str, ...]
    says: tuple[str, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True)
class PrintedRows:
    """The lines of a test; ``covered`` of ``total`` rows stand in them."""

    lines: tuple[PrintedRow, ...]
    covered: int
    total: int


def printed_rows(test: ControlTest, rows: Iterable[Row], subjects: Subjects, known: Known) -> PrintedRows:
    """What of a test's rows is printed; the attached query gives them all."""
    looked_at = [row for row in rows if row.result in WORST_FIRST and not row.stand_in]
    looked_at.sort(key=lambda row: (WORST_FIRST.index(row.result), _why(test, row), row.id))
    lines = tuple(_lines(test, looked_at, subjects, known))[:MOST_ROWS]
    return PrintedRows(lines, sum(each.count for each in lines), len(looked_at))


def _lines(test: ControlTest, rows: Sequence[Row], subjects: Subjects, known: Known) -> Iterator[PrintedRow]:
    for (result, _), like in groupby(rows, key=lambda row: (row.result, _why(test, row))):
        some = list(like)
        if result in LOOKED_AT or len(some) <= ALONE:
            yield from (_line(test, [row], subjects, known) for row in some[:MOST_ROWS])
        else:
            yield _line(test, some, subjects, known)


def _line(test: ControlTest, rows: Sequence[Row], subjects: Subjects, known: Known) -> PrintedRow:
    """One row, or rows that are alike: how many, whom they concern, the first and the last."""
    about = [(subjects.of(test, row.id), row) for row in rows]
    about.sort(key=lambda each: (each[0].at or 0, each[1].id))
    found = [each for each, _ in about]
    (why, says), ids = _why(test, rows[0]), [row.id for _, row in about]
    first, alone = found[0], len(rows) == 1
    who = _some(name for each in found for name in each.who) or ("nobody is known" if concerns_people(test) else "")
    more = tuple(
        each for each in (_some(each.about for each in found), *_more(test, [row for _, row in about], known)) if each
    )
    return PrintedRow(
        rows[0].result, len(rows), who, first.login if alone else "",
        on_system(first.privilege, first.system) if alone else _some(each.system for each in found), _when(found), first.request if alone else "",
        more, why, says, tuple(dict.fromkeys((ids[0], ids[-1]))),
    )  # fmt: skip


def _when(found: Sequence[Subject]) -> str:
    times = [each.at for each in found if each.at is not None]
    if len(times) < 2:
        return minute(times[0]) if times else ""
    return f"first {minute(times[0])}, last {minute(times[-1])}"


def _some(names: Iterable[str]) -> str:
    """Each name once, the first few."""
    once = [each for each in dict.fromkeys(names) if each]
    more = len(once) - NAMES_AT_MOST
    return ", ".join(once[:NAMES_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _more(test: ControlTest, rows: Sequence[Row], known: Known) -> tuple[str, ...]:
    """What else the test shows of its rows: an incident, a class, a policy."""
    others = {name: column for name, column in test.population.shows.items() if name not in SAID_ELSEWHERE}
    said = (
        (name, _some(_shown(column, row.shows.get(name), known) for row in rows)) for name, column in others.items()
    )
    return tuple(f"{name.replace('_', ' ')} {value}" for name, value in said if value)


def _shown(column: str, value: str | int | float | None, known: Known) -> str:
    if isinstance(value, int) and load_schema().kind_of(column) == "time":
        return ""  # it stands in a column of its own
    return "unknown" if value is None else known.name(str(value))


def _why(test: ControlTest, row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was required of a row and is not so; and why that is not decided, in the catalogue's words."""
    rules = {name: rule.says for name, rule in exemption_names(test)}
    return required(test, (name for name, ok in row.clauses.items() if not ok)), tuple(
        rules[each] for each in row.holds
    )


def required(test: ControlTest, clauses: Iterable[str]) -> tuple[str, ...]:
    """What clauses require, in words; an operator's own by their names."""
    words = _words().get(test.id, {})
    return tuple(words.get(name, name.replace("_", " ")) for name in clauses)


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    stored: Mapping[str, Mapping[str, str]] = yaml.safe_load(
        Path(__file__).with_name("clauses.yaml").read_text(encoding="utf-8")
    )
    return stored
