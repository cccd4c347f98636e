"""What a control test, its catalogue and its results are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from audit.facts.parameters import Parameter, Value

KINDS = ("gate", "reconciliation", "negative", "indicator")
SEVERITIES = ("critical", "high", "medium", "low")
RESULTS = ("deviation", "signal", "inconclusive", "open", "pass")  # of a test: the first of these that any row has
NOT_APPLICABLE = "not_applicable"


class CatalogueRefused(ValueError):
    """A catalogue, or what an operator adds to it, is not taken; the sentence says what and why."""


@dataclass(frozen=True)
class Clause:
    """An attribute that is ticked for each row."""

    name: str
    sql: str


@dataclass(frozen=True)
class Exemption:
    """When a clause is open or inconclusive instead; ``clauses`` are those it speaks of, ``turns`` which of them."""

    sql: str
    says: str
    clauses: tuple[str, ...]
    turns: str = ""


@dataclass(frozen=True)
class StandIns:
    """Rows that may be missing from a population, each stood in for by an inconclusive one."""

    of: str
    at: str
    where: str
    says: str


@dataclass(frozen=True)
class Population:
    """The rows judged: of one table, in the period by any time of ``at`` or by ``span``; ``shows`` are columns printed beside them."""

    of: str
    source: str
    at: tuple[str, ...]
    span: tuple[str, str] | None
    where: str | None
    shows: Mapping[str, str]


@dataclass(frozen=True)
class ControlTest:
    """One test of the catalogue, as ``tests.yaml`` words it."""

    id: str
    title: str
    kind: str
    severity: str
    population: Population
    must: tuple[Clause, ...]
    open: tuple[Exemption, ...]
    inconclusive: tuple[Exemption, ...]
    stand_ins: StandIns | None
    parameters: tuple[str, ...]
    exception: str

    @property
    def failing(self) -> str:
        """What a row that fails is called."""
        return "signal" if self.kind == "indicator" else "deviation"


@dataclass(frozen=True)
class Reference:
    """One reference of a framework: the tests that bear on it, what to read for design, what is not shown."""

    ref: str
    subject: str
    coverage: str
    tests: tuple[str, ...]
    design: str
    not_shown: str


@dataclass(frozen=True)
class Framework:
    """A framework and its references, in our own words; what of them was compared with the published text, and what not."""

    id: str
    name: str
    version: str
    enabled: bool
    wording: str
    compared: str
    not_compared: str
    limit: str
    references: tuple[Reference, ...]

    @property
    def label(self) -> str:
        """Its name with its version."""
        return self.name if self.version in self.name else f"{self.name}, {self.version}"


@dataclass(frozen=True)
class Catalogue:
    """Tests, parameters, views and frameworks; ``sha256`` names exactly these files."""

    tests: Mapping[str, ControlTest]
    parameters: Mapping[str, Parameter]
    frameworks: Mapping[str, Framework]
    views: str
    retired: Mapping[str, str]
    files: Mapping[str, str]
    sha256: str
    tightened: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureUsed:
    """A parameter as a result prints it; ``tightened`` where a system's policy is stricter for some request."""

    name: str
    value: Value
    unit: str
    tightened: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One row judged.

    ``clauses`` gives 1 or 0 for each clause, and is empty for a stand-in; ``holds`` names the rules of open and
    inconclusive that hold for it (``open``, ``open_2``, ``inconclusive``).
    """

    id: str
    result: str
    shows: Mapping[str, str | int | float | None]
    clauses: Mapping[str, int]
    holds: tuple[str, ...]

    @property
    def stand_in(self) -> bool:
        """Whether the row stands for rows that may be missing."""
        return not self.clauses


@dataclass(frozen=True)
class TestResult:
    """What one test gave: the SQL that ran, each row, and the exception in words (empty where nothing failed)."""

    __test__: ClassVar[bool] = False  # its name is no test of a test runner

    id: str
    title: str
    kind: str
    severity: str
    sql: str
    proof_sql: str
    population_count: int
    result: str
    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    exceptions: str
    says: tuple[str, ...]
    params: tuple[FigureUsed, ...]
    stopped: str = ""
