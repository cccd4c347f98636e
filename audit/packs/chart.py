"""Who used what and when, as numbers for the SVG template: a lane for each person and system, a bar for each use.

Drawn by a template of our own, so it is text and shapes alone; the table beside it says the same in words.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit.cases.asked import Asked
from audit.cases.case import Case

WIDTH, LEFT, LANE, TOP = 486, 136, 15, 18  # points
MOST_LANES = 30
LEAST_WIDTH = 2.2  # a short use is seen too; its length is in the table
LABEL = 30  # characters
ROOM = 12  # half of a date


@dataclass(frozen=True)
class Bar:
    """One use, in points from the left of the chart."""

    x: float
    width: float
    mode: str


@dataclass(frozen=True)
class Lane:
    """One person on one system."""

    label: str
    y: float
    bars: tuple[Bar, ...]

    @property
    def text_y(self) -> float:
        """Where its label stands."""
        return self.y + 9

    @property
    def bar_y(self) -> float:
        """Top of its bars."""
        return self.y + 2.5

    @property
    def drill_y(self) -> float:
        """Top of the thinner bars of drills."""
        return self.y + 5

    @property
    def rule_y(self) -> float:
        """The line below it."""
        return self.y + LANE - 1


@dataclass(frozen=True)
class Tick:
    """A date under the chart."""

    x: float
    label: str

    @property
    def anchor(self) -> str:
        """Which end of the words stands at the line; none runs out of the chart."""
        return "end" if self.x > WIDTH - ROOM else "middle"


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws."""

    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    height: float
    width: int
    left: int
    title: str
    left_out: int

    @property
    def axis(self) -> float:
        """Where the lines of the dates end."""
        return self.height - 14

    @property
    def foot(self) -> float:
        """Where the dates stand."""
        return self.height - 5


def chart(cases: Sequence[Case], start: int, end: int, as_of: int, names: Mapping[str, str]) -> Chart:
    """The chart of the uses that opened; times in ms. Those with most uses come first when there are too many lanes."""
    used = [case for case in cases if case.asked and case.grant and case.grant.opened_at is not None]
    lanes = Counter(_lane(case.asked, names) for case in used if case.asked)
    kept = sorted(key for key, _ in sorted(lanes.items(), key=lambda item: (-item[1], item[0]))[:MOST_LANES])
    scale = _Scale(start, max(end, start + 1))
    drawn = tuple(
        Lane(_label(*lane), TOP + number * LANE, tuple(_bars(used, lane, scale, as_of, names)))
        for number, lane in enumerate(kept)
    )
    height = TOP + len(kept) * LANE + 18
    left_out = len(lanes) - len(kept)
    return Chart(drawn, tuple(_ticks(scale)), height, WIDTH, LEFT, _title(used, lanes), left_out)


@dataclass(frozen=True)
class _Scale:
    start: int
    end: int

    def x(self, at: int) -> float:
        inside = min(max(at, self.start), self.end)
        return round(LEFT + (WIDTH - LEFT) * (inside - self.start) / (self.end - self.start), 2)


def _bars(
    used: Sequence[Case], lane: tuple[str, str], scale: _Scale, as_of: int, names: Mapping[str, str]
) -> Iterator[Bar]:
    for case in used:
        if case.asked and case.grant and case.grant.opened_at is not None and _lane(case.asked, names) == lane:
            x = scale.x(case.grant.opened_at)
            width = max(scale.x(case.grant.over_at or as_of) - x, LEAST_WIDTH)
            yield Bar(round(min(x, WIDTH - width), 2), round(width, 2), case.asked.mode)


def _lane(asked: Asked, names: Mapping[str, str]) -> tuple[str, str]:
    return names.get(asked.by, asked.by[:8]), asked.system


def _label(person: str, system: str) -> str:
    text = f"{person} · {system}"
    return text if len(text) <= LABEL else f"{text[: LABEL - 1]}…"


def _ticks(scale: _Scale) -> list[Tick]:
    """Five to nine dates, on days, weeks or months."""
    first, last = (datetime.fromtimestamp(each / 1000, UTC) for each in (scale.start, scale.end))
    days = (last - first).days
    step = 1 if days <= 9 else 7 if days <= 63 else 0
    ticks: list[Tick] = []
    at = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while at <= last:
        if at >= first and (step or (at.day == 1 and (at.month % max(1, days // 240) == 0 or days < 240))):
            ticks.append(Tick(scale.x(int(at.timestamp() * 1000)), f"{at.day} {at:%b}"))
        at += timedelta(days=step or 1)
    return ticks


def _title(used: Sequence[Case], lanes: Mapping[tuple[str, str], int]) -> str:
    modes = Counter(case.asked.mode for case in used if case.asked)
    people, systems = len({person for person, _ in lanes}), len({system for _, system in lanes})
    words = ", ".join(f"{count} {mode}" for mode, count in sorted(modes.items())) or "none"
    return f"Uses in the period by person and system: {words}; {people} people, {systems} systems. The table below lists each."
