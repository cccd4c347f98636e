"""Completeness by source: how many windows got which verdict, and each that is not complete, with what is missing."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from audit.log.read import LoggedEvent
from audit.packs.known import Known

VERDICTS = ("complete", "reconciled", "gap", "pending", "unknown", "not covered")
WINDOWS = """
SELECT source_windows.* FROM source_windows, period
WHERE from_at < period.end_at AND to_at >= period.start_at ORDER BY from_at, id
"""
MOST_LINES = 60


@dataclass(frozen=True)
class SourceLine:
    """A source with the number of windows for each verdict, in the order of ``VERDICTS``."""

    name: str
    system: str
    counting: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class WindowLine:
    """Windows of a source that are not complete for the same reasons; mostly it is one. The times are of the first and the last."""

    source: str
    kind: str
    from_at: int
    to_at: int
    verdict: str
    missing: tuple[str, ...]
    reasons: tuple[str, ...]
    count: int = 1


@dataclass(frozen=True)
class ByCompleteness:
    """What the chapter prints; ``total`` counts the windows that are not complete, ``covered`` those in the lines.

    ``silent`` names the systems of the pack of which no window lies in the period.
    """

    sources: tuple[SourceLine, ...]
    windows: tuple[WindowLine, ...]
    covered: int
    total: int
    silent: tuple[str, ...]


def by_source(
    db: sqlite3.Connection, judged: Sequence[LoggedEvent], known: Known, systems: Collection[str]
) -> ByCompleteness:
    """Facts decide; the log's own words stand beside them."""
    said = {event.fields["window_id"]: event.fields for event in judged}
    cursor = db.execute(WINDOWS)
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, values, strict=True)) for values in cursor]
    sources: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        sources.setdefault((row["system_id"] or "", row["source_id"] or ""), []).append(row["verdict"])
    open_windows = [row for row in rows if row["verdict"] not in ("complete", "reconciled")]
    lines = tuple(_together(_window(row, said.get(row["id"], {}), known) for row in open_windows))[:MOST_LINES]
    return ByCompleteness(
        tuple(_source(*key, verdicts, known) for key, verdicts in sorted(sources.items())), lines,
        sum(line.count for line in lines), len(open_windows),
        tuple(sorted(known.systems.get(each, each[:8]) for each in set(systems) - {system for system, _ in sources})),
    )  # fmt: skip


def _together(windows: Iterable[WindowLine]) -> Iterator[WindowLine]:
    """Windows that are alike but for their times as one line, in the order of the first of each."""
    alike: dict[WindowLine, list[WindowLine]] = {}
    for each in windows:
        alike.setdefault(replace(each, from_at=0, to_at=0), []).append(each)
    for some in alike.values():
        yield replace(some[0], to_at=some[-1].to_at, count=len(some))


def _source(system: str, source: str, verdicts: Sequence[str], known: Known) -> SourceLine:
    found = known.sources.get(source)
    return SourceLine(
        found.kind if found else "no source", known.systems.get(system, system[:8]),
        found.counting if found else "nothing is counted", tuple(verdicts.count(each) for each in VERDICTS),
    )  # fmt: skip


def _window(row: Mapping[str, object], said: Mapping[str, object], known: Known) -> WindowLine:
    source = known.sources.get(str(row["source_id"] or ""))
    system = known.systems.get(str(row["system_id"] or ""), str(row["system_id"] or "")[:8])
    return WindowLine(
        f"{source.kind} of {system}" if source else system, str(said.get("kind", "not judged")), _int(row["from_at"]),
        _int(row["to_at"]), str(row["verdict"]), _texts(said.get("ranges")), _texts(said.get("reasons")),
    )  # fmt: skip


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
