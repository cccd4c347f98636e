"""Runs the control test of a finding again, on the log alone, and writes down what came of it. Who closes the finding reads that, and nobody ticks it.

The test is run over what happened on the system since the finding was answered, and over the rows that the finding is about. It is passed when
nothing since then fails, and when there is something to go by: a row since then that passes, or the rows of the finding pass now.

What fell due on a schedule and was missed, or was tried and failed, stays so for ever, and falls due again only after the finding: it is tested again by
being done, late or once more, and that is something to go by (`done_since`).
"""

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from audit.controls.loading import load_catalogue
from audit.controls.model import Catalogue, CatalogueRefused, ControlTest, Row
from audit.controls.runner import run_catalogue
from audit.facts.fold import CannotFold
from audit.facts.schema import load_schema
from audit.log.append import Actor, action, append, process
from audit.log.checkpoints import public_keys
from audit.log.examination import stored_ranges
from audit.log.read import LoggedEvent, named
from audit.packs.evidence import Scope, folded
from audit.packs.keeping import only_one
from audit.packs.known import known_at
from audit.packs.position import NoPosition, Position, newest

logger = logging.getLogger("breakglass.retests")
RETESTS = process("retests")
ASKED, DONE = "finding.retest_asked", "finding.retested"
FAILURES = (CannotFold, CatalogueRefused, NoPosition)
PASSED, OPEN = "pass", "open"
DONE_SINCE = """
SELECT duties.id FROM duties JOIN findings ON findings.id = :finding LEFT JOIN duties AS missed ON missed.id = :about, period
WHERE duties.system_id IS :system AND duties.subject_kind IS missed.subject_kind AND coalesce(duties.ok, 1) = 1
  AND duties.done_at >= coalesce(missed.due_at, findings.raised_at) AND NOT (duties.due_at >= :since AND duties.due_at < period.end_at)
"""
ONLY_DONE = "SELECT duties.id FROM duties, period WHERE NOT (duties.due_at >= :since AND duties.due_at < period.end_at)"


@dataclass(frozen=True)
class Outcome:
    """What a test gave: rows since the answer, those of them that did not pass, and what the finding's own rows give now."""

    ok: bool
    rows: int
    failed: int
    subject: str
    says: str


def run_due() -> int:
    """Run what was asked for and sealed; returns how many. Harmless when run twice, or by two at once."""
    done = {event.fields["retest_id"] for event in named([DONE])}
    waiting = [event for event in named([ASKED]) if event.index is not None and event.fields["retest_id"] not in done]
    return sum(_run(event) for event in waiting)


def _run(asked: LoggedEvent) -> int:
    with only_one(f"retest {asked.fields['retest_id']}") as mine:
        if not mine or any(event.fields["retest_id"] == asked.fields["retest_id"] for event in named([DONE])):
            return 0
        try:
            position, catalogue = newest(), load_catalogue(tuple(Path(each) for each in settings.PORTAL_CATALOGUE_DIRS))
            if position.size <= (asked.index or 0):
                return 0
            record(
                by=RETESTS,
                asked=asked,
                outcome=retest(asked, position, catalogue),
                position=position,
                catalogue=catalogue,
            )
        except FAILURES as error:
            logger.error("retest %s could not be run: %s", asked.fields["retest_id"], error)
            return 0
    return 1


@action(event=DONE)
def record(*, by: Actor, asked: LoggedEvent, outcome: Outcome, position: Position, catalogue: Catalogue) -> None:
    """Write down what came of it."""
    given = asked.fields
    append(
        DONE, by=by, case=asked.case, subject=asked.subject, finding_id=given["finding_id"], retest_id=given["retest_id"], test_id=given["test_id"],
        retest_ok=outcome.ok, says=outcome.says, result_of_subject=outcome.subject or None, rows=outcome.rows, failed=outcome.failed,
        log_size=position.size, catalogue_sha256=catalogue.sha256,
    )  # fmt: skip


def retest(asked: LoggedEvent, position: Position, catalogue: Catalogue) -> Outcome:
    """Run the test of a finding at a position of the log.

    Raises:
        CannotFold: the log holds an entry that cannot be read.
    """
    given, test = asked.fields, catalogue.tests.get(asked.fields["test_id"])
    if test is None:
        return Outcome(False, 0, 0, "", f"There is no control test {given['test_id']} any more.")
    systems = (given["system_id"],) if given.get("system_id") else tuple(known_at(position.size).systems)
    scope = Scope(given["since"], max(position.at + 1, given["since"] + 1), systems, ())
    ranges = tuple(stored_ranges(public_keys(), position.size))
    db, _ = folded(scope, position, catalogue, ranges, lambda *_: None)
    with closing(db):
        return run_again(db, catalogue, test, given, asked.case)


def run_again(
    db: sqlite3.Connection, catalogue: Catalogue, test: ControlTest, given: Mapping[str, Any], case: str
) -> Outcome:
    """Run one test on facts whose period begins with the answer, and on the finding's own rows. ``given``: fields of ``finding.retest_asked``."""
    mine, again = rows_of(db, test, case, given["about_id"]), done_since(db, test, given)
    db.executemany(
        "INSERT OR IGNORE INTO carried_over (test_id, row_id) VALUES (?, ?)", [(test.id, row) for row in mine | again]
    )
    (result,) = run_catalogue(db, catalogue, only=[test.id])
    if result.stopped:
        return Outcome(False, 0, 0, "", result.stopped)
    apart = _only_done(db, test, given) - mine - again
    return judged(test, [row for row in result.rows if row.id not in apart], mine, again)


def done_since(db: sqlite3.Connection, test: ControlTest, given: Mapping[str, Any]) -> frozenset[str]:
    """Duties of the finding's system, of the same list where it has one, that were done, and worked, since the finding: a drill that was repeated, an
    attestation that was held late. Those that fell due since the answer are left out: the test looks at them anyway. Its population says of which kind.
    """
    if test.population.of != "duties":
        return frozenset()
    found = db.execute(DONE_SINCE, {
        "finding": str(given["finding_id"]), "about": given["about_id"], "system": given.get("system_id"), "since": given["since"],
    })  # fmt: skip
    return frozenset(str(row[0]) for row in found)


def _only_done(db: sqlite3.Connection, test: ControlTest, given: Mapping[str, Any]) -> frozenset[str]:
    """Duties that did not fall due since the answer: of these, only what `done_since` finds is something to go by."""
    if test.population.of != "duties":
        return frozenset()
    return frozenset(str(row[0]) for row in db.execute(ONLY_DONE, {"since": given["since"]}))


def rows_of(db: sqlite3.Connection, test: ControlTest, case: str, about: str) -> frozenset[str]:
    """Rows of the test's population that a finding is about: the thing that it names, or all of its case."""
    table = load_schema().tables[test.population.of]
    of_case = {
        "grant_id": "IN (SELECT id FROM grants WHERE request_id = :case)", "request_id": "= :case",
    }  # fmt: skip
    wanted = [f"{table.key} = :about", f"{table.key} = :case"]
    wanted += [f"{column} {words}" for column, words in of_case.items() if column in table.columns]
    if table.name == "findings":
        wanted.append("subject_id = :about")
    found = db.execute(
        f"SELECT {table.key} FROM {table.name} WHERE {' OR '.join(wanted)}",  # noqa: S608 - names of our own schema
        {"case": case or "-", "about": about},
    )
    return frozenset(str(row[0]) for row in found)


def judged(
    test: ControlTest, rows: Sequence[Row], mine: frozenset[str], again: frozenset[str] = frozenset()
) -> Outcome:
    """Whether it passed, and why, in a sentence. ``again``: duties that were done since the finding; of these, whatever else they were, one will do."""
    own = [row.result for row in rows if row.id in mine]
    since = [row.result for row in rows if row.id not in mine | again]
    done = sum(row.id in again for row in rows)
    failed, still_open = sum(result not in (PASSED, OPEN) for result in since), since.count(OPEN)
    own_ok = bool(own) and all(result == PASSED for result in own)
    subject = "" if not own else PASSED if own_ok else next(result for result in own if result != PASSED)
    ok = not failed and (own_ok or done > 0 or len(since) > still_open)
    still = f", {still_open} are still open" if still_open else ""
    counted = f"{len(since)} row{'' if len(since) == 1 else 's'} since the answer, {failed} of them did not pass{still}"
    about = f"; what the finding is about gives: {subject}" if subject else ""
    held = f"; done since it was found: {done}" if done else ""
    return Outcome(ok, len(since), failed, subject, f"{test.id}, {test.title}: {counted}{about}{held}.")
