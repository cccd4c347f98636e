"""What a pack holds, computed from the sealed log alone at one position: facts, results of the tests, cases, activities."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings

from audit.cases.case import Case
from audit.cases.done import Activity
from audit.cases.fold import fold as fold_case
from audit.cases.fold import with_secret
from audit.cases.fold.grants import REPLACED
from audit.controls.loading import load_catalogue
from audit.controls.model import Catalogue, TestResult
from audit.controls.runner import prepare, run_catalogue
from audit.facts.fold import UNFED, CannotFold, fold
from audit.facts.fold.entry import Entry
from audit.facts.fold.resting import Rests
from audit.facts.given import CutAway, Period
from audit.facts.schema import new_database
from audit.log.checkpoints import public_keys
from audit.log.cuts import begins_at, carried_out
from audit.log.examination import stored_ranges
from audit.log.ranges import RangeResult
from audit.log.read import LoggedEvent
from audit.log.said import Cut
from audit.packs.carried import Carried, open_rows, pack_before
from audit.packs.exports import Line
from audit.packs.filters import clock
from audit.packs.known import Known, known_at, logins_since
from audit.packs.position import Position, at_size
from audit.packs.reading import entries, named, of_cases
from audit.packs.results import PrintedTest, deviating, printed
from audit.packs.subjects import Subjects

CASES_AT_ONCE = 25
CHOSEN = """
SELECT DISTINCT requests.id FROM period, requests LEFT JOIN grants ON grants.request_id = requests.id
WHERE (requests.requested_at >= period.start_at AND requests.requested_at < period.end_at)
  OR (grants.opened_at < period.end_at AND coalesce(grants.over_at, period.end_at) >= period.start_at)
ORDER BY requests.requested_at, requests.id
"""
ACTIVITIES = """
SELECT activities.* FROM activities, period WHERE at >= period.start_at AND at < period.end_at ORDER BY at, id
"""
Say = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scope:
    """What is asked for: from ``start`` up to, not including, ``end`` (ms); ids of systems; ids of frameworks."""

    start: int
    end: int
    systems: tuple[str, ...]
    frameworks: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """All that a pack prints or attaches. ``as_of`` is the time of the position; times in ms."""

    scope: Scope
    position: Position
    catalogue: Catalogue
    db: sqlite3.Connection
    ranges: tuple[RangeResult, ...]
    tests: tuple[PrintedTest, ...]
    deviating: frozenset[str]
    cases: tuple[Case, ...]
    lines: tuple[Line, ...]
    windows: tuple[LoggedEvent, ...]
    known: Known
    carried: Carried | None = None
    cuts: tuple[Cut, ...] = ()
    rests: Rests = field(default_factory=Rests)

    @property
    def results(self) -> tuple[TestResult, ...]:
        """Results without their rows."""
        return tuple(each.result for each in self.tests)

    @property
    def as_of(self) -> int:
        """The time of the position."""
        return self.position.at


def gathered(scope: Scope, position: Position, say: Say) -> Evidence:
    """Compute everything.

    Raises:
        CannotFold: the log holds an entry that cannot be read.
        CatalogueRefused: what the operator added to the catalogue is refused.
        NoPosition: the pack before was made at a position that does not verify.
    """
    catalogue = load_catalogue(tuple(Path(each) for each in settings.PORTAL_CATALOGUE_DIRS))
    ranges = tuple(_verified(position, say))
    carried = _carried(scope, position, catalogue, ranges, say)
    db, rests = folded(scope, position, catalogue, ranges, say, carried.rows if carried else ())
    known, odd = known_at(position.size), set[str]()
    subjects = Subjects(db, known, logins_since(position.size, scope.start))
    tests = tuple(_tested(db, catalogue, subjects, known, odd, say))
    cases = tuple(_cases(db, position, say))
    return Evidence(
        scope, position, catalogue, db, ranges, tests, frozenset(odd), cases, tuple(_lines(db, cases, position, scope, known)),
        tuple(_windows(position, scope)), known, carried, tuple(carried_out()), rests,
    )  # fmt: skip


def _verified(position: Position, say: Say) -> Iterator[RangeResult]:
    for each in stored_ranges(public_keys(), position.size):
        say("The log is verified", each.to_index + 1, position.size)
        yield each


def _carried(
    scope: Scope, position: Position, catalogue: Catalogue, ranges: Sequence[RangeResult], say: Say
) -> Carried | None:
    """What the pack before left open, by its facts as they were."""
    before = pack_before(position.size, scope.systems, scope.start)
    if before is None or before.size <= begins_at():
        return None
    then, was = replace(scope, start=before.first, end=before.end), at_size(before.size)
    db, _ = folded(then, was, catalogue, [each for each in ranges if each.to_index < was.size], say)
    with closing(db):
        return Carried(before, tuple(open_rows(run_catalogue(db, catalogue))))


def folded(
    scope: Scope, position: Position, catalogue: Catalogue, ranges: Sequence[RangeResult], say: Say,
    carried: Iterable[tuple[str, str]] = (),
) -> tuple[sqlite3.Connection, Rests]:  # fmt: skip
    """Facts of the chosen systems at the position, with all that tests read beside them, and the entries that they rest on.

    Raises:
        CannotFold: the log holds an entry that cannot be read.
    """
    db, period = new_database(), Period(scope.start, scope.end, position.at)
    done = fold(
        db,
        _counted(position, say),
        period=period,
        parameters=catalogue.parameters,
        ranges=ranges,
        only=scope.systems,
    )
    prepare(
        db, catalogue, period, carried_over=carried, unreadable=done.unreadable, unfed=UNFED, cuts=map(_away, carried_out())
    )  # fmt: skip
    return db, done.rests


def _away(cut: Cut) -> CutAway:
    return CutAway(cut.minimum, cut.place, cut.at, cut.from_at, cut.to_at, cut.keep_until)


def _counted(position: Position, say: Say) -> Iterator[Entry]:
    for number, entry in enumerate(entries(position.size), 1):
        if number % 500 == 0:
            say("Entries become facts", number, position.size)
        yield entry


def _tested(
    db: sqlite3.Connection, catalogue: Catalogue, subjects: Subjects, known: Known, odd: set[str], say: Say
) -> Iterator[PrintedTest]:
    """Each test as it is printed; ``odd`` gathers the activities that failed one."""
    for number, result in enumerate(run_catalogue(db, catalogue), 1):
        say("Control tests run", number, len(catalogue.tests))
        odd |= deviating(result, catalogue, "activities")
        yield printed(catalogue, result, subjects, known)


def _cases(db: sqlite3.Connection, position: Position, say: Say) -> Iterator[Case]:
    chosen = [row[0] for row in db.execute(CHOSEN)]
    replaced = list(named(position.size, REPLACED))
    for start in range(0, len(chosen), CASES_AT_ONCE):
        some = chosen[start : start + CASES_AT_ONCE]
        events: dict[str, list[LoggedEvent]] = {each: [] for each in some}
        for event in of_cases(position.size, some):
            events[event.case].append(event)
        for number, (case, mine) in enumerate(events.items(), start + 1):
            say("Cases are put together", number, len(chosen))
            yield with_secret(fold_case(case, sorted(mine, key=lambda event: event.at)), replaced)


def _lines(
    db: sqlite3.Connection, cases: Sequence[Case], position: Position, scope: Scope, known: Known
) -> Iterator[Line]:
    """Every activity of the period that the facts hold, with the words that lie beside the log."""
    told = {each.id: (each, case) for case in cases for each in case.activities}
    loose = {
        event.fields["activity_id"]: event
        for event in named(position.size, ("activity.recorded",), since=scope.start, loose=True)
    }
    cursor = db.execute(ACTIVITIES)
    names = [column[0] for column in cursor.description]
    for values in cursor:
        row = dict(zip(names, values, strict=True))
        activity, case = told.get(row["id"], (None, None))
        yield _fact(row, known) | _words(activity, case, loose.get(row["id"]))


def _fact(row: Mapping[str, object], known: Known) -> dict[str, object]:
    at, person, system = row["at"], str(row["person_id"] or ""), str(row["system_id"] or "")
    return {
        "activity_id": row["id"], "at": at, "at_utc": clock(at) if isinstance(at, int) else "", "system_id": system,
        "system": known.systems.get(system, ""), "grant_id": row["grant_id"], "person_id": person,
        "person": known.people.get(person, ""), "session_id": row["session_id"], "source_id": row["source_id"],
        "source_number": row["source_number"], "class": row["class"], "outcome": row["outcome"],
        "received_at": row["received_at"], "emergency": row["emergency"],
    }  # fmt: skip


def _words(activity: Activity | None, case: Case | None, event: LoggedEvent | None) -> dict[str, object]:
    if activity is not None and case is not None:
        return {
            "log_index": activity.index, "case_id": case.id, "at_least": int(activity.at_least),
            "state_code": activity.state_code, "not_intended": int(activity.outside and not case.unnamed), "object": activity.object,
            "statement": activity.statement, "statement_length": activity.length, "accepted": int(activity.accepted),
        }  # fmt: skip
    if event is None:
        return {}
    return {
        "log_index": event.index, "at_least": event.fields["at_least"], "state_code": event.fields.get("state_code", ""),
        "object": event.says("object"), "statement": event.says("statement"),
        "statement_length": event.fields.get("statement_length"),
    }  # fmt: skip


def _windows(position: Position, scope: Scope) -> Iterator[LoggedEvent]:
    """The last verdict on each window of a chosen system that lies in the period."""
    last: dict[str, LoggedEvent] = {}
    for event in named(position.size, ("completeness.judged",), since=scope.start):
        given = event.fields
        if given["system_id"] in scope.systems and given["from_at"] < scope.end and given["to_at"] >= scope.start:
            last[given["window_id"]] = event
    return iter(sorted(last.values(), key=lambda event: (event.fields["from_at"], event.fields["window_id"])))


__all__ = ["CannotFold", "Evidence", "Say", "Scope", "folded", "gathered"]
