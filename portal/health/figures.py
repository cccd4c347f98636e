"""How the log grew, was anchored and was backed up of late: charts of the status page, each with the table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat

from audit.log import by_day
from audit.log.backup_times import FAILED, MADE
from audit.log.by_day import Anchored
from audit.log.read import LoggedEvent, last_named
from portal.charts.drawing import Chart, Series, bars
from portal.clock import moment, ms, now

DAYS = 14
BACKUPS = 12
NONE = "—"


@dataclass(frozen=True)
class Figure:
    """One card: its charts and the table under them. Where there is nothing to draw there are none, and ``empty`` says why."""

    id: str
    title: str
    charts: Sequence[Chart]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str
    note: str = ""


def figures() -> list[Figure]:
    """All of them. One query each, however much is in the log."""
    days = by_day.last_days(ms(now()), DAYS)
    return [_growth(days), _anchored(days), _backups()]


def _growth(days: list[int]) -> Figure:
    sizes = by_day.sizes(days)
    before = [0, *sizes]
    says = f"{sizes[-1]} entries by now, {sizes[-1] - sizes[0]} of them since {_words(days[0])}."
    chart = bars(
        name="log-size", title="Entries of the log at the end of each day", says=says,
        labels=_labels(days), series=[Series("Entries", "a", sizes)],
    )  # fmt: skip
    more = [NONE, *(str(after - earlier) for earlier, after in zip(before[1:], sizes[1:], strict=False))]
    rows = [[_words(day), str(size), new] for day, size, new in zip(days, sizes, more, strict=True)][::-1]
    return _figure(
        chart, "Size of the log", ("Day", "Entries", "More than the day before"), rows, "Nothing is sealed yet."
    )


def _anchored(days: list[int]) -> Figure:
    found = by_day.anchored(days)
    chart = bars(
        name="anchored", title="Hours of each day in which the log was witnessed and timestamped", says=_spoken(found), labels=_labels(days),
        series=[Series("Witnessed", "a", [each.witnessed for each in found]), Series("Timestamped", "b", [each.timestamped for each in found])],
    )  # fmt: skip
    rows = [
        [_words(day), str(each.witnessed), _by_witness(each), str(each.timestamped)]
        for day, each in zip(days, found, strict=True)
    ][::-1]
    return _figure(
        chart, "Witnessed and timestamped", ("Day", "Hours witnessed", "By", "Hours timestamped"), rows,
        "Nothing was witnessed or timestamped in the last two weeks.", "Witnessed: by one witness at least, whose line verified.",
    )  # fmt: skip


def _spoken(found: list[Anchored]) -> str:
    witnessed, timestamped = (sum(each) for each in zip(*((it.witnessed, it.timestamped) for it in found), strict=True))
    return f"In {DAYS} days {witnessed} hours were witnessed and {timestamped} timestamped; a full day has 24."


def _by_witness(day: Anchored) -> str:
    return ", ".join(f"{name} {hours}" for name, hours in day.by_witness.items()) or NONE


def _backups() -> Figure:
    events = last_named([MADE, FAILED], BACKUPS)
    says, labels = _count(events), [f"{moment(each.at):%-H} h" for each in events]
    wrote = [Series("Bytes", "a", _values(events, "bytes"))]
    took = [Series("Seconds", "b", _values(events, "took_ms", 1000))]
    charts = [
        bars(name="backup-bytes", title="Bytes that each backup wrote", says=says, labels=labels, series=wrote, tens=True),
        bars(name="backup-seconds", title="Seconds that each backup took", says=says, labels=labels, series=took),
    ]  # fmt: skip
    rows = [_line(each) for each in reversed(events)]
    return Figure(
        "backups-card", "Backups", charts if events else (), ("When", "Wrote", "Took", "Entries"), rows,
        "No backup was made yet.", "A backup writes what is new since the last one.",
    )  # fmt: skip


def _values(events: Sequence[LoggedEvent], field: str, parts: int = 1) -> list[float | None]:
    """Of a backup that failed nothing is drawn."""
    return [each.fields[field] / parts if each.name == MADE else None for each in events]


def _count(events: Sequence[LoggedEvent]) -> str:
    failed = sum(each.name == FAILED for each in events)
    return f"The last {len(events)} backups; {failed} failed." if failed else f"The last {len(events)} backups."


def _line(event: LoggedEvent) -> list[str]:
    when, said = f"{moment(event.at):%-d %b %Y, %H:%M} UTC", event.fields
    if event.name == FAILED:
        return [when, f"Failed: {said['sentence']}", NONE, NONE]
    return [when, filesizeformat(said["bytes"]), f"{said['took_ms'] / 1000:.1f} s", str(said["size"])]


def _figure(
    chart: Chart, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str, note: str = ""
) -> Figure:
    return Figure(f"{chart.id}-card", title, [chart] if chart.bars else (), columns, rows, empty, note)


def _labels(days: Sequence[int]) -> list[str]:
    """The day alone: the month beside it has no room at the edge, and stands in the table."""
    return [f"{moment(day):%-d}" for day in days]


def _words(day: int) -> str:
    return f"{moment(day):%-d %b %Y}"
