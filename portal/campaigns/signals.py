"""How a campaign was judged, as figures: what a second look is worth is somebody's to say, the portal accuses nobody and refuses nothing.

Pure: rows in, figures out. Thresholds are the catalogue's (T-24). A line's time runs from when it came to be seen, or from the judge's
decision before it if that is later, to its own decision: lines that were kept together took no time each but the first.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Judged:
    """One decided line: times in milliseconds since 1970 UTC; ``opened``: whether its evidence was looked at; ``bulk``: with which others."""

    judge: str
    shown_at: int
    decided_at: int
    kept: bool
    reason: str
    risk: str
    opened: bool
    bulk: str = ""


@dataclass(frozen=True)
class Limits:
    """From which figures on a second look is worth it; the catalogue's parameters of the same names."""

    stamp_min_items: int
    stamp_keep_rate: float
    stamp_seconds: float
    stamp_same_comment: int


@dataclass(frozen=True)
class Figure:
    """One figure: what was measured, what it is held against, and whether it lies beyond that."""

    name: str
    value: str
    held_against: str
    beyond: bool


@dataclass(frozen=True)
class Sitting:
    """One judge's run through the lines of a campaign."""

    judge: str
    rows: int
    figures: tuple[Figure, ...]

    @property
    def signals(self) -> int:
        """How many figures lie beyond what they are held against."""
        return sum(each.beyond for each in self.figures)


def sittings(rows: Iterable[Judged], limits: Limits, high: str) -> list[Sitting]:
    """Each judge's run, those with most signals first. ``high`` names the risk whose evidence has to be looked at."""
    by_judge: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        by_judge[row.judge].append(row)
    found = [_sitting(judge, mine, limits, high) for judge, mine in by_judge.items()]
    return sorted(found, key=lambda each: (-each.signals, -each.rows, each.judge))


def _sitting(judge: str, rows: Sequence[Judged], limits: Limits, high: str) -> Sitting:
    took = seconds_each(rows)
    middle, keep_rate = median(took.values()), sum(row.kept for row in rows) / len(rows)
    of_high = [took[place] for place, row in enumerate(rows) if row.risk == high]
    unopened = sum(row.risk == high and not row.opened for row in rows)
    same = max(Counter(row.reason for row in rows if row.reason).values(), default=0)
    stamped = len(rows) >= limits.stamp_min_items and keep_rate >= limits.stamp_keep_rate
    figures = (
        Figure(
            "Time for each line, median", _seconds(middle), f"about {_seconds(limits.stamp_seconds)} to read one",
            beyond=stamped and middle < limits.stamp_seconds,
        ),
        Figure(
            "Kept", f"{keep_rate:.0%} of {len(rows)}", f"{limits.stamp_keep_rate:.0%} of {limits.stamp_min_items} or more, at speed",
            beyond=stamped and middle < limits.stamp_seconds,
        ),
        Figure(
            "Shortest time for a line of high risk", _seconds(min(of_high)) if of_high else "none was there",
            f"about {_seconds(limits.stamp_seconds)}", beyond=bool(of_high) and min(of_high) < limits.stamp_seconds,
        ),
        Figure("Evidence of high risk never opened", str(unopened), "0", beyond=unopened > 0),
        Figure("Lines with the same words", str(same), f"fewer than {limits.stamp_same_comment}", beyond=same >= limits.stamp_same_comment),
        Figure("Lines of mixed risk kept together", str(_mixed(rows)), "0", beyond=_mixed(rows) > 0),
    )  # fmt: skip
    return Sitting(judge, len(rows), figures)


def seconds_each(rows: Sequence[Judged]) -> dict[int, float]:
    """Seconds for each row, by its place."""
    took, previous = {}, 0
    for place in sorted(range(len(rows)), key=lambda each: rows[each].decided_at):
        row = rows[place]
        took[place] = (row.decided_at - max(row.shown_at, previous)) / 1000
        previous = row.decided_at
    return took


def _mixed(rows: Iterable[Judged]) -> int:
    """Lines that were kept together with lines of another risk."""
    together: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.bulk:
            together[row.bulk].append(row.risk)
    return sum(len(risks) for risks in together.values() if len(set(risks)) > 1)


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 60 else f"{value / 60:.0f} min"
