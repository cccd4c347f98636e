"""What an earlier pack of the same systems left open: those rows are judged again in the pack that follows it.

Nothing is stored for it. The earlier pack stands in the log with its period and position, so its facts are folded again up
to there, over the periods of the packs that adjoin each other, and the tests say which rows were open then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from audit.controls.model import TestResult
from audit.log.read import LoggedEvent
from audit.packs.reading import named


@dataclass(frozen=True)
class Earlier:
    """The pack before: its period, and the position at which it was made; ``first`` is where its forerunners begin (ms), ``said`` the entries that tell."""

    start: int
    end: int
    size: int
    first: int
    said: tuple[int, ...] = ()


@dataclass(frozen=True)
class Carried:
    """Rows that were open in it, as pairs of test and row."""

    pack: Earlier
    rows: tuple[tuple[str, str], ...]


def pack_before(size: int, systems: Iterable[str], start: int) -> Earlier | None:
    """The last pack of the same systems, made up to a position, whose period ends by ``start``."""
    return last_before(_packs(named(size, ("pack.requested", "pack.made")), sorted(set(systems))), start)


def _packs(events: Iterable[LoggedEvent], systems: list[str]) -> Iterator[Earlier]:
    asked: dict[str, LoggedEvent] = {}
    for event in events:
        said = event.fields
        if event.name == "pack.requested" and sorted(said["systems"]) == systems:
            asked[said["pack_id"]] = event
        elif event.name == "pack.made" and said["pack_id"] in asked:
            request = asked[said["pack_id"]].fields
            told = tuple(each.index for each in (asked[said["pack_id"]], event) if each.index is not None)
            yield Earlier(
                request["period_start"], request["period_end"], said["log_size"], request["period_start"], told
            )


def last_before(packs: Iterable[Earlier], start: int) -> Earlier | None:
    """The latest of them that ends by then, with the beginning of those that adjoin it."""
    before = sorted((each for each in packs if each.end <= start), key=lambda each: (each.end, each.size))
    if not before:
        return None
    first = before[-1].start
    for each in reversed(before):
        first = min(first, each.start) if each.end >= first else first
    return replace(before[-1], first=first)


def open_rows(results: Iterable[TestResult]) -> Iterator[tuple[str, str]]:
    """The rows of a test that wait for something, as pairs of test and row."""
    for result in results:
        yield from ((result.id, row.id) for row in result.rows if row.result == "open" and not row.stand_in)
