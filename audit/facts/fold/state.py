"""Rows of facts while they grow, entry by entry."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from audit.facts.fold.entry import LogEntry, is_person
from audit.facts.fold.keeping import Kept
from audit.facts.fold.resting import Resting

Row = dict[str, Any]


@dataclass
class Listing:
    """A listing of a target: when it was taken, and the grants whose right it found there."""

    system: str | None = None
    at: int | None = None
    grants: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Taken:
    """What a download took away: a pack of these systems, or the dossier of a case on one."""

    systems: frozenset[str] = frozenset()
    case: str = ""


@dataclass
class AccountRun:
    """A time in which a system had sealed accounts without a break; it lasts while there is no ``over``."""

    began: int
    over: int | None = None


@dataclass
class Facts:
    """All rows so far by table and key, and which of them rest on an entry that cannot be relied on.

    ``damaged`` is set while an entry is folded that is damaged or lies in a range of the log that does not verify.
    """

    rows: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    unreadable: set[tuple[str, str]] = field(default_factory=set)
    case_rows: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    damaged_cases: set[str] = field(default_factory=set)
    damaged: bool = False
    case: str = ""
    first_at: int | None = None
    founded_by: str = ""
    founders: tuple[str, ...] = ()
    made_administrators: list[tuple[str, str, str]] = field(default_factory=list)
    markers: dict[str, str] = field(default_factory=dict)
    accounts_by_login: dict[tuple[str, str], str] = field(default_factory=dict)
    account_runs: dict[str, list[AccountRun]] = field(default_factory=lambda: defaultdict(list))  # by system
    session_markers: dict[str, str | None] = field(default_factory=dict)
    unmatched: set[str] = field(default_factory=set)
    sources: dict[str, Row] = field(default_factory=dict)
    windows_of_grants: set[str] = field(default_factory=set)
    read_backs: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    involved: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    act_index: dict[str, int] = field(default_factory=dict)
    acceptances: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    item_people: dict[str, str] = field(default_factory=dict)
    item_marks: dict[str, Row] = field(default_factory=lambda: defaultdict(dict))
    mixed_bulks: set[tuple[str, str]] = field(default_factory=set)
    packs: dict[str, frozenset[str]] = field(default_factory=dict)
    major_changes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    drills: dict[str, Row] = field(default_factory=dict)
    restores: list[tuple[int, int]] = field(
        default_factory=list
    )  # when the store was restored for trial, and whether it verified
    taken: dict[str, Taken] = field(default_factory=dict)
    guards: dict[str, list[Row]] = field(
        default_factory=lambda: defaultdict(list)
    )  # checks of who could alter a store, by store
    personnel_taken: list[int] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)
    resting: Resting = field(default_factory=Resting)
    listings: dict[str, Listing] = field(default_factory=lambda: defaultdict(Listing))

    def put(self, table: str, key: str, **columns: Any) -> Row:
        """Set columns of a row, making it where there is none."""
        row = self.rows[table].setdefault(key, {})
        row.update(columns)
        self._touched(table, key)
        return row

    def change(self, table: str, key: str, **columns: Any) -> None:
        """Set columns of a row that is there; an unknown row stays unknown."""
        if key in self.rows[table]:
            self.put(table, key, **columns)

    def get(self, table: str, key: str | None) -> Row:
        """A row to read; an unknown one is empty."""
        return self.rows[table].get(key, {}) if key is not None else {}

    def each(self, table: str) -> Iterator[tuple[str, Row]]:
        """All rows of a table with their keys, in the order in which they came."""
        yield from self.rows[table].items()

    def begin(self, entry: LogEntry, *, damaged: bool) -> None:
        """Say which entry is folded next."""
        self.damaged, self.case = damaged, entry.case
        self.resting.begin(entry)
        self.first_at = entry.at if self.first_at is None else self.first_at
        if damaged and entry.case:
            self.damaged_cases.add(entry.case)

    def act(self, entry: LogEntry, kind: str, request: str | None = None) -> None:
        """An act that needs a strong sign-in, as its envelope says it was proved; a process needs none."""
        if is_person(entry.by):
            self.put(
                "acts", str(entry.id), request_id=request, kind=kind, person_id=entry.by,
                at=entry.at, auth_method=entry.method, auth_at=entry.strong_at,
            )  # fmt: skip

    def derive(self, table: str, key: str, *, rests_on: tuple[str, str], **columns: Any) -> None:
        """A row made from another one, and as readable as that."""
        self.rows[table][key] = columns
        if rests_on in self.unreadable:
            self.unreadable.add((table, key))

    def end(self) -> None:
        """All entries are folded: a case with a damaged entry makes all of its rows unreadable."""
        for case in self.damaged_cases:
            self.unreadable |= self.case_rows[case]

    def _touched(self, table: str, key: str) -> None:
        self.resting.note((table, key))
        if self.damaged:
            self.unreadable.add((table, key))
        if self.case:
            self.case_rows[self.case].add((table, key))


def given(entry: LogEntry, *names: str) -> Row:
    """The named fields of an entry that were given; an empty text says as little as an absent one."""
    return {name: entry.fields[name] for name in names if entry.fields.get(name, "") != ""}
