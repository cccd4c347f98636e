"""Runs the tests of a catalogue over a database of facts: judges each row, and says of each test what it gave."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from audit.controls.guard import Limits, Stopped, reading
from audit.controls.model import NOT_APPLICABLE, RESULTS, Catalogue, ControlTest, FigureUsed, Row, TestResult
from audit.controls.sql import columns, exemption_names, proof_text, select_text
from audit.controls.words import exception_words
from audit.facts.given import CutAway, Period, lay_given

USUAL = Limits()
CUT = "cut:"
CUT_SAYS = "entries of the period were cut under retention, so rows may be missing; what is counted is what is left"


def prepare(
    db: sqlite3.Connection,
    catalogue: Catalogue,
    period: Period,
    *,
    carried_over: Iterable[tuple[str, str]] = (),
    unreadable: Iterable[tuple[str, str]] = (),
    unfed: Iterable[str] = (),
    cuts: Iterable[CutAway] = (),
) -> None:
    """Lay beside the facts what tests read with them: period, parameters, limits, cuts, and the catalogue's views."""
    lay_given(
        db,
        period=period,
        parameters=catalogue.parameters,
        carried_over=carried_over,
        unreadable=unreadable,
        unfed=unfed,
        cuts=cuts,
    )
    db.executescript(catalogue.views)


def run_catalogue(
    db: sqlite3.Connection, catalogue: Catalogue, *, only: Iterable[str] | None = None, limits: Limits = USUAL
) -> Iterator[TestResult]:
    """Run every test, or those named; a test that is stopped is inconclusive, and says why."""
    for name in catalogue.tests if only is None else only:
        test = catalogue.tests[name]
        try:
            yield run_test(db, catalogue, test, limits=limits)
        except Stopped as stopped:
            yield _stopped(db, catalogue, test, str(stopped))


def run_test(db: sqlite3.Connection, catalogue: Catalogue, test: ControlTest, *, limits: Limits = USUAL) -> TestResult:
    """Run one test.

    Raises:
        Stopped: it would do more than read, takes too long, or gives rows that its population does not hold.
    """
    sql, proof = select_text(test), proof_text(test)
    most = _most_rows(db, test)
    with reading(db, limits):
        found = db.execute(sql).fetchmany(most + 1)
        proved = bool(found) or db.execute(proof).fetchone() == (1,)
    rows = tuple(_rows(test, found))
    _one_row_each(rows, most)
    return _judge(test, rows, proved, _figures(db, catalogue, test), sql=sql, proof=proof)


def _most_rows(db: sqlite3.Connection, test: ControlTest) -> int:
    """How many rows a test can give: one for each row of its table, and one for each that stands in."""
    tables = [test.population.of] + ([test.stand_ins.of] if test.stand_ins else []) + ["cuts"]
    return sum(int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables)  # noqa: S608  known tables


def _rows(test: ControlTest, found: Iterable[tuple[str | int | float | None, ...]]) -> Iterator[Row]:
    names = columns(test)
    first = len(test.population.shows) + 1
    last = first + len(test.must)
    for values in found:
        shows = dict(zip(names[1:first], values[1:first], strict=True))
        clauses = {} if values[first] is None else _ticks(names[first:last], values[first:last])
        holds = tuple(name for name, value in zip(names[last:], values[last:-1], strict=True) if value == 1)
        yield Row(str(values[0]), str(values[-1]), shows, clauses, holds)


def _ticks(names: Sequence[str], values: Sequence[str | int | float | None]) -> dict[str, int]:
    if wrong := [name for name, value in zip(names, values, strict=True) if value not in (0, 1)]:
        raise Stopped(f"The clause {wrong[0]} gives something else than yes or no.")
    return {name: int(value or 0) for name, value in zip(names, values, strict=True)}


def _one_row_each(rows: tuple[Row, ...], most: int) -> None:
    judged = [row.id for row in rows if not row.stand_in]
    if len(rows) > most or len(set(judged)) < len(judged):
        raise Stopped("It gives more rows than its population holds: each may be judged once.")


def _judge(
    test: ControlTest, rows: tuple[Row, ...], proved: bool, figures: Mapping[str, FigureUsed], *, sql: str, proof: str
) -> TestResult:
    counts = Counter(row.result for row in rows)
    population = sum(not row.stand_in for row in rows)
    failed = [row for row in rows if row.result == test.failing]
    empty = NOT_APPLICABLE if proved else "inconclusive"
    words = exception_words(test, population=population, failed=failed, figures=figures) if failed else ""
    return TestResult(
        id=test.id,
        title=test.title,
        kind=test.kind,
        severity=test.severity,
        sql=sql,
        proof_sql=proof,
        population_count=population,
        result=next((result for result in RESULTS if counts[result]), empty),
        rows=rows,
        counts={result: counts[result] for result in RESULTS if counts[result]},
        exceptions=words,
        says=_says(test, rows),
        params=tuple(figures.values()),
    )


def _says(test: ControlTest, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Why rows are open or inconclusive, in the catalogue's words."""
    holds = {name for row in rows for name in row.holds if name.split("_")[0] == row.result}
    said = [rule.says for name, rule in exemption_names(test) if name in holds]
    stand_ins = [row.id for row in rows if row.stand_in]
    if test.stand_ins and not all(each.startswith(CUT) for each in stand_ins):
        said.append(test.stand_ins.says)
    if any(each.startswith(CUT) for each in stand_ins):
        said.append(CUT_SAYS)
    return tuple(said)


def _figures(db: sqlite3.Connection, catalogue: Catalogue, test: ControlTest) -> dict[str, FigureUsed]:
    """The parameters that a test names, with whether a policy is stricter for some request."""
    return {name: _figure(db, catalogue, name) for name in test.parameters}


def _figure(db: sqlite3.Connection, catalogue: Catalogue, name: str) -> FigureUsed:
    parameter = catalogue.parameters[name]
    tightened = False
    if parameter.in_policy and not isinstance(parameter.value, dict):
        query = f"SELECT 1 FROM limits WHERE {name} <> (SELECT {name} FROM limits WHERE request_id = 'default') LIMIT 1"  # noqa: S608  a known column
        tightened = db.execute(query).fetchone() is not None
    return FigureUsed(name, parameter.value, parameter.unit, tightened)


def _stopped(db: sqlite3.Connection, catalogue: Catalogue, test: ControlTest, sentence: str) -> TestResult:
    return TestResult(
        id=test.id,
        title=test.title,
        kind=test.kind,
        severity=test.severity,
        sql=select_text(test),
        proof_sql=proof_text(test),
        population_count=0,
        result="inconclusive",
        rows=(),
        counts={},
        exceptions="",
        says=(),
        params=tuple(_figures(db, catalogue, test).values()),
        stopped=f"{test.id} was stopped and is not decided. {sentence}",
    )
