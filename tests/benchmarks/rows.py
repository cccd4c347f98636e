"""What a benchmark says: one row for each figure, its bar beside it."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `figure` and `bar` are texts with their units; `beside` is what else to know of it."""

    name: str
    figure: str
    bar: str
    ok: bool
    beside: str = ""

    def plain(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


def at_most(name: str, figure: float, bar: float, unit: str = "s", *, beside: str = "") -> Row:
    """A figure that must not be greater than its bar."""
    return Row(name, f"{figure:.3g} {unit}", f"<= {bar:g} {unit}", figure <= bar, beside)


def at_least(name: str, figure: float, bar: float, unit: str = "x", *, beside: str = "") -> Row:
    """A figure that must not be smaller than its bar."""
    return Row(name, f"{figure:.2f} {unit}", f">= {bar:g} {unit}", figure >= bar, beside)


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that is not less than so many percent of all."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def table(rows: Sequence[Row]) -> str:
    """All rows, one line each, with what stands beside below."""
    widths = [
        max(len(text) for text in column)
        for column in zip(*((row.name, row.figure, row.bar) for row in rows), strict=True)
    ]
    lines = []
    for row in rows:
        cells = (
            row.name.ljust(widths[0]),
            row.figure.rjust(widths[1]),
            row.bar.ljust(widths[2]),
            "ok" if row.ok else "MISSED",
        )
        lines.append("  ".join(cells))
        lines += [f"      {line}" for line in row.beside.splitlines()]
    return "\n".join(lines)
