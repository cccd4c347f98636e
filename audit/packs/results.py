"""Results of control tests as a pack prints them: counts, rows that need a look, and the hash of each population."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.controls.frameworks import MatrixLine, enabled, matrix
from audit.controls.model import Catalogue, Framework, TestResult
from audit.packs.known import Known
from audit.packs.rows import PrintedRows, printed_rows, required
from audit.packs.subjects import Subjects, time_head

ORDER = ("deviation", "signal", "inconclusive", "open", "pass", "not_applicable")


@dataclass(frozen=True)
class PrintedTest:
    """A test as it is printed; ``time`` heads the column of times, ``clauses`` say what must hold."""

    result: TestResult
    population_of: str
    population_sha256: str
    where: str
    exceptions: str
    rows: PrintedRows
    time: str
    stand_ins: int
    clauses: tuple[str, ...]

    @property
    def unfed(self) -> bool:
        """Whether every row is undecided for lack of facts."""
        return self.result.result == "inconclusive" and not self.result.says and not self.result.stopped


@dataclass(frozen=True)
class FrameworkMatrix:
    """A framework with its references and their results."""

    framework: Framework
    lines: tuple[MatrixLine, ...]


def tally(results: Sequence[TestResult]) -> list[tuple[str, int]]:
    """How many tests gave which result; every result is named, also one that no test gave."""
    counts = Counter(result.result for result in results)
    return [(name, counts[name]) for name in ORDER]


def matrices(catalogue: Catalogue, frameworks: Sequence[str], results: Sequence[TestResult]) -> list[FrameworkMatrix]:
    """The chosen frameworks."""
    return [FrameworkMatrix(each, tuple(matrix(each, results))) for each in enabled(catalogue, frameworks)]


def printed(catalogue: Catalogue, result: TestResult, subjects: Subjects, known: Known) -> PrintedTest:
    """A test as it is printed; of its rows only those are kept that need a look, since a population may be large."""
    test = catalogue.tests[result.id]
    return PrintedTest(
        result=replace(result, rows=()),
        population_of=test.population.of.replace("_", " "),
        population_sha256=population_sha256(result),
        where=test.population.where or "",
        exceptions=known.words(result.exceptions),
        rows=printed_rows(test, result.rows, subjects, known),
        time=time_head(test),
        stand_ins=sum(row.stand_in for row in result.rows),
        clauses=required(test, (clause.name for clause in test.must)),
    )


def population_sha256(result: TestResult) -> str:
    """SHA-256 of the ids of the rows judged, in order of their bytes, each with a line feed (``sort | sha256sum``)."""
    ids = sorted(row.id.encode() for row in result.rows if not row.stand_in)
    return hashlib.sha256(b"".join(each + b"\n" for each in ids)).hexdigest()


def populations(tests: Sequence[PrintedTest]) -> list[dict[str, str | int]]:
    """Each population with count and hash, for the log."""
    return [
        {"name": each.result.id, "row_count": each.result.population_count, "sha256": each.population_sha256}
        for each in tests
    ]


def sql_file(results: Sequence[TestResult]) -> bytes:
    """Every query that ran, as one file for any SQLite shell."""
    parts = [f"-- {each.id} {each.title}\n{each.sql};\n" for each in results]
    return ("-- Run with: sqlite3 -header facts.sqlite < tests.sql\n\n" + "\n".join(parts)).encode()


def deviating(result: TestResult, catalogue: Catalogue, table: str) -> set[str]:
    """Ids of rows of a table that failed a test."""
    if catalogue.tests[result.id].population.of != table:
        return set()
    return {row.id for row in result.rows if row.result in ("deviation", "signal")}


def worst_first(tests: Sequence[PrintedTest]) -> list[PrintedTest]:
    """Those that need a look, worst first."""
    found = [each for each in tests if each.result.result in ORDER[:2]]
    return sorted(found, key=lambda each: ORDER.index(each.result.result))
