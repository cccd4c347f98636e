"""The four charts, each with the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from portal.charts import queries
from portal.charts.drawing import Chart, Series, bars
from portal.charts.queries import Month
from portal.people.models import Person

NONE = "—"
T = TypeVar("T")


@dataclass(frozen=True)
class Figure:
    """A chart with its table; ``empty`` where there is nothing to draw."""

    chart: Chart
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: bool
    note: str = ""


def figures(viewer: Person) -> list[Figure]:
    """All of them, of what the viewer may see. One query each, and those for what they may see."""
    months = queries.last_months()
    return [_uses(viewer, months), _to_open(viewer, months), _to_review(viewer, months), _findings(viewer)]


def _uses(viewer: Person, months: list[Month]) -> Figure:
    found = queries.uses(viewer, months)
    counts = [(row["uses"], row["bypasses"]) if (row := found.get(month)) else (0, 0) for month in months]
    total, bypassed = sum(uses for uses, _ in counts), sum(bypasses for _, bypasses in counts)
    chart = bars(
        name="uses", title="Uses by month, and how many by bypass", says=f"{total} uses in 12 months, {bypassed} by bypass.", stacked=True,
        labels=[month.label for month in months],
        series=[Series("With approval", "a", [uses - bypasses for uses, bypasses in counts]), Series("By bypass", "glass", [each for _, each in counts])],
    )  # fmt: skip
    rows = [
        [month.words, str(uses), str(bypasses), _share(bypasses, uses)]
        for month, (uses, bypasses) in _newest(months, counts)
    ]
    return Figure(chart, ("Month", "Uses", "By bypass", "Share of bypass"), rows, not total, "Drills are no uses.")


def _to_open(viewer: Person, months: list[Month]) -> Figure:
    found = queries.to_open(viewer, months)
    rows = [found.get(month) or {} for month in months]
    columns = [("approved", "With approval", "a"), ("bypass", "By bypass", "glass")]
    chart = bars(
        name="to-open", title="Minutes from request to opening, half of the uses within",
        says="The median of each month, with approval and by bypass.", labels=[month.label for month in months],
        series=[Series(words, look, [_in(row.get(name), 60) for row in rows]) for name, words, look in columns],
    )  # fmt: skip
    said = [
        [month.words, *(_words(row.get(name)) for name in ("approved", "slowest", "bypass"))]
        for month, row in _newest(months, rows)
    ]
    return Figure(chart, ("Month", "With approval", "Nine in ten within", "By bypass"), said, not found)


def _to_review(viewer: Person, months: list[Month]) -> Figure:
    found = queries.to_review(viewer, months)
    rows = [found.get(month) or {} for month in months]
    chart = bars(
        name="to-review", title="Hours from the end of a use to its review, half of the reviews within",
        says="The median of each month in which reviews were submitted.", labels=[month.label for month in months],
        series=[Series("Median", "a", [_in(row.get("median"), 3600) for row in rows])],
    )  # fmt: skip
    said = [
        [
            month.words,
            str(row.get("reviews", 0)),
            _words(row.get("median")),
            _words(row.get("slowest")),
            str(row.get("late", 0)),
        ]
        for month, row in _newest(months, rows)
    ]
    return Figure(chart, ("Month", "Reviews", "Half within", "Nine in ten within", "Late"), said, not found)


def _findings(viewer: Person) -> Figure:
    found = queries.findings_by_age(viewer)
    chart = bars(
        name="findings", title="Open findings by age", says="How long open findings have stood, and how many are past their date.", stacked=True,
        labels=[words for words, _, _ in found],
        series=[Series("In time", "a", [count - late for _, count, late in found]), Series("Overdue", "b", [late for _, _, late in found])],
    )  # fmt: skip
    rows = [[words, str(count), str(late)] for words, count, late in found]
    return Figure(chart, ("Age", "Open", "Of these overdue"), rows, not sum(count for _, count, _ in found))


def _newest(months: list[Month], rows: Sequence[T]) -> list[tuple[Month, T]]:
    return list(zip(reversed(months), reversed(rows), strict=True))


def _share(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else NONE


def _in(took: timedelta | None, seconds: int) -> float | None:
    return None if took is None else round(took.total_seconds() / seconds, 1)


def _words(took: timedelta | None) -> str:
    """ "40 s", "12 min", "3.5 h", "2.1 days"."""
    if took is None:
        return NONE
    seconds = took.total_seconds()
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"
