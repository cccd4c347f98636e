"""Bars as numbers for the SVG template: shapes and text alone, in the colours of the page. The table under it says the same in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10

WIDTH, HEIGHT, LEFT, TOP, FOOT = 360, 168, 34, 10, 20
STEPS = 4
TENS = "Each line is ten times the one below it."
NICE = (1, 2, 3, 4, 5, 10)
"""How far its lines may lie apart, times a power of ten: most of what is drawn is counted, and a half use is none."""
WIDEST = 48
"""Room for the bars over one label: where there are few, a single one would fill the picture."""
LABEL_WIDTH = 26
"""Room that a label under the bars needs; where there is less, every second or third is left out."""


@dataclass(frozen=True)
class Series:
    """Values of one kind, one for each label; nothing where there is none. ``look`` names its class: a, b or glass."""

    name: str
    look: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Bar:
    """One bar, in units of the view box."""

    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True)
class Mark:
    """A label under the bars, or a line across them with its value."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws."""

    id: str
    title: str
    says: str
    bars: tuple[Bar, ...]
    labels: tuple[Mark, ...]
    lines: tuple[Mark, ...]
    legend: tuple[tuple[str, str], ...]
    note: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - FOOT


def bars(
    *,
    name: str,
    title: str,
    says: str,
    labels: Sequence[str],
    series: Sequence[Series],
    stacked: bool = False,
    tens: bool = False,
) -> Chart:
    """Bars side by side, or one on the other.

    Args:
        says: What the chart shows, in a sentence or two, for whoever does not see it.
        stacked: The first series stands below.
        tens: Each line is ten times the one below it, for counts of which some are a thousand times others. Such bars cannot be added, so of a
            stack only one may have a value.
    """
    if tens:
        series = [replace(each, values=[_tens(value) for value in each.values]) for each in series]
    top = _top_of_tens(series) if tens else _top(labels, series, stacked=stacked)
    slot = (WIDTH - LEFT) / max(1, len(labels))
    drawn = [bar for number in range(len(labels)) for bar in _slot(number, slot, series, top, stacked=stacked)]
    every = max(1, ceil(LABEL_WIDTH / slot))
    marks = tuple(
        Mark(round(LEFT + slot * (number + 0.5), 1), text)
        for number, text in enumerate(labels)
        if (len(labels) - 1 - number) % every == 0
    )
    steps = [(step, 10.0 ** (step - 1)) for step in range(1, int(top) + 1)] if tens else _even(top)
    lines = tuple(Mark(round(_y(at, top), 1), _short(value)) for at, value in steps)
    legend = tuple((each.name, each.look) for each in series)
    return Chart(name, title, says, tuple(drawn), marks, lines, legend, TENS if tens else "")


def _slot(number: int, slot: float, series: Sequence[Series], top: float, *, stacked: bool) -> list[Bar]:
    room = min(slot * 0.72, WIDEST)
    width = room if stacked else room / max(1, len(series))
    left, below, found = LEFT + slot * number + (slot - room) / 2, 0.0, []
    for place, each in enumerate(series):
        value = each.values[number] or 0
        y = _y(below + value, top)
        height = _y(below, top) - y
        if value:
            x = left if stacked else left + width * place
            found.append(
                Bar(round(x, 1), round(y, 1), round(width - (0 if stacked else 1), 1), round(height, 1), each.look)
            )
        below += value if stacked else 0
    return found


def _y(value: float, top: float) -> float:
    return HEIGHT - FOOT - (HEIGHT - FOOT - TOP) * value / top


def _tens(value: float | None) -> float:
    """How many lines high a count stands: 1 at the first, 10 at the second."""
    return log10(value) + 1 if value and value >= 1 else 0


def _top_of_tens(series: Sequence[Series]) -> float:
    return float(max([STEPS, *(ceil(value or 0) for each in series for value in each.values)]))


def _even(top: float) -> list[tuple[float, float]]:
    """Where the lines of a scale stand that grows evenly, and what they say."""
    return [(top * step / STEPS, top * step / STEPS) for step in range(1, STEPS + 1)]


def _top(labels: Sequence[str], series: Sequence[Series], *, stacked: bool) -> float:
    """The end of the scale: a round number that is no smaller than the highest bar."""
    slots = [[each.values[number] or 0 for each in series] for number in range(len(labels))]
    highest = max((sum(slot) if stacked else max(slot) for slot in slots if slot), default=0)
    if highest <= STEPS:
        return STEPS
    apart = highest / STEPS
    scale = 10 ** floor(log10(apart))
    return float(STEPS * next(scale * nice for nice in NICE if scale * nice >= apart))


def _short(value: float) -> str:
    if value < 1000:
        return f"{value:g}"
    if value < 1_000_000:
        return f"{value / 1000:g}k"
    return f"{value / 1_000_000:g}M" if value < 1_000_000_000 else f"{value / 1_000_000_000:g}G"
