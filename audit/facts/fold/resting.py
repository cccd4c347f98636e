"""Which entries the rows of facts rest on, noted while they are folded, so that each of them can be proved.

The log's own ranges and bundles rest on all entries: the checkpoint's root proves those, not a proof of each.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.facts.fold.entry import LogEntry
from audit.facts.given import Period

Place = tuple[str, str]  # a table of facts and the key of a row
ASIDE: Place = ("", "")  # what was noted beside the rows, and is reckoned into some at the end
LINKS = {"request_id": "requests", "grant_id": "grants", "campaign_id": "campaigns", "item_id": "items"}
VALUES = "personal_values"
# Tables with a row for almost every entry, and the columns that say from when to when it lasts: a pack proves those of its period.
CROWDS = {
    "activities": ("at", "at"),
    "sessions": ("started_at", "ended_at"),
    VALUES: ("keep_until", "keep_until"),
}


@dataclass(frozen=True)
class Named:
    """What an entry names: systems, and the rows that it hangs on."""

    systems: frozenset[str]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Rests:
    """Indexes of the entries on which the facts rest.

    ``elsewhere``: how many more gave a row that belongs to no system, and tell of another one; ``outside``: of actions and connections before or
    after the period. ``unknown``: indexes of entries whose names this version does not know, so that nothing of them is in any row.
    """

    on: tuple[int, ...] = ()
    elsewhere: int = 0
    outside: int = 0
    unknown: tuple[int, ...] = ()


@dataclass
class Resting:
    """What each entry gave so far, by its index."""

    gave: dict[int, tuple[list[Place], Named]] = field(default_factory=dict)
    _entry: LogEntry | None = None

    def begin(self, entry: LogEntry) -> None:
        """Say which entry is folded next."""
        self._entry = entry

    def note(self, place: Place) -> None:
        """The entry gave something to a row."""
        entry = self._entry
        if entry is not None and entry.index is not None:
            if entry.index not in self.gave:
                self.gave[entry.index] = ([], _named(entry))
            self.gave[entry.index][0].append(place)

    def count(self) -> int:
        """How much the entry gave so far."""
        entry = self._entry
        return len(self.gave[entry.index][0]) if entry is not None and entry.index in self.gave else 0


def _named(entry: LogEntry) -> Named:
    given = entry.fields
    system, several = given.get("system_id"), given.get("systems")
    systems = frozenset([system] if system else several if isinstance(several, list) else ())
    places = [(table, given[name]) for name, table in LINKS.items() if given.get(name)]
    return Named(systems, (*places, ("requests", entry.case)) if entry.case else tuple(places))


def rests(
    resting: Resting, rows: Mapping[str, Mapping[str, Mapping[str, Any]]], period: Period, *,
    only: Collection[str] | None, gone: Mapping[str, Collection[str]],
) -> Rests:  # fmt: skip
    """The entries that gave a row which stands. ``gone`` are the rows of systems that are not among ``only``."""
    on, elsewhere, outside = [], 0, 0
    for index, (places, named) in resting.gave.items():
        theirs = _of_others(named, only, gone)
        standing = list(_standing(places, rows, gone, aside=not theirs))
        if not any(_in_period(place, rows, period) for place in standing):
            outside += bool(standing) and not theirs
        elif theirs:
            elsewhere += 1
        else:
            on.append(index)
    return Rests(tuple(on), elsewhere, outside)


def _of_others(named: Named, only: Collection[str] | None, gone: Mapping[str, Collection[str]]) -> bool:
    """Whether the entry tells of other systems, which are nobody's to read here."""
    if only is not None and named.systems and named.systems.isdisjoint(only):
        return True
    return any(key in gone.get(table, ()) for table, key in named.places)


def _standing(
    places: Collection[Place], rows: Mapping[str, Mapping[str, Any]], gone: Mapping[str, Collection[str]], *, aside: bool
) -> Iterator[Place]:  # fmt: skip
    for place in places:
        table, key = place
        if place == ASIDE:
            if aside:
                yield place
        elif key in rows.get(VALUES, ()) if table == VALUES else key not in gone.get(table, ()):
            yield place


def _in_period(place: Place, rows: Mapping[str, Mapping[str, Mapping[str, Any]]], period: Period) -> bool:
    table, key = place
    if table not in CROWDS:
        return True
    row = rows[table].get(key, {})
    first, last = (row.get(name) for name in CROWDS[table])
    return (first is None or first < period.end_at) and (last is None or last >= period.start_at)
