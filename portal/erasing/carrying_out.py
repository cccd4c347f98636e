"""Carrying out what two administrators confirmed: the log's values with the eraser's role, then all other rows. Each step can be repeated."""

import logging

from django.db import DatabaseError

from audit.log.append import Actor, action, append, process
from audit.log.erasing import HeldUp, erase_person, erasing, lock, need_unheld
from portal.clock import ms, now
from portal.erasing.models import Erasure
from portal.erasing.places import clear_row_changes, clear_rows
from portal.erasing.queries import confirmed
from portal.erasing.retention import held
from portal.erasing.rules import words_for
from portal.erasing.states import CONFIRMED, MOVES
from portal.errors import WrongState
from portal.moves import make
from portal.people.models import Person
from portal.personnel.actions import discard
from portal.personnel.queries import lists_naming
from portal.rows import lock_row
from portal.sweeping import done

alarms = logging.getLogger("breakglass.alarm")
ERASER = process("eraser")
NOT_NOW = "It is not confirmed, or done already."
HELD = "A legal hold protects an entry that it would take something from; it is erased once two administrators have lifted it."


def run_due() -> int:
    """Carry out what is confirmed and not held up; returns how many."""
    return sum(done("erasures", carry_out, erasure=each) for each in confirmed())


def carry_out(*, erasure: Erasure) -> Erasure:
    """Erase one person's values everywhere.

    Raises:
        WrongState: a legal hold on the person is in force, or on a case or person of an entry that it would take something from.
    """
    try:
        return finish(by=ERASER, erasure=erasure)
    except DatabaseError as error:
        alarms.error(
            "An erasure cannot be carried out: is ERASER_DATABASE_URL the eraser's login? %s", type(error).__name__
        )
        raise


@action(event="erasure.done")
def finish(*, by: Actor, erasure: Erasure) -> Erasure:
    """Erase it in the log, then in the portal's own rows, and say what was done.

    The log's part commits first, on the eraser's connection. Where the rest breaks off, the rows still say what is to be looked for, so the next
    run does it all again.
    """
    row = lock_row(Erasure, erasure.pk)
    person = lock_row(Person, row.person_id, no_key=True)  # whoever sets a hold refers to it
    words = words_for(person)
    with erasing() as alias:
        values = _erase_log(alias, row, words)
        changes = clear_row_changes(alias, words)
    _need_still_unheld(row)
    for each in lists_naming(words):
        discard(by=by, row=each, cause="somebody in it was erased")
    rows = clear_rows(person, words, ms(now())) | ({"row changes": changes} if changes else {})
    make(row, MOVES["finish"], says=NOT_NOW, closed_at=now())
    append(
        "erasure.done", by=by, subject=row.log_subject, erasure_id=row.pk, person_id=row.person_id, basis=row.basis,
        asked_by=row.asked_by_id, approved_by=row.confirmed_by_id, values=values, rows=rows,
    )  # fmt: skip
    return row


def _need_still_unheld(erasure: Erasure) -> None:
    """Whoever set a hold since the eraser's transaction ended keeps the rows, as far as they are still there; whoever sets one now waits."""
    lock()
    cases, people = held()
    if str(erasure.person_id) in people:
        raise WrongState(HELD, about=erasure)
    try:
        need_unheld("default", found=(), cases=cases, people=people, erasure_id=erasure.pk)
    except HeldUp:
        raise WrongState(HELD, about=erasure) from None


def _erase_log(alias: str, erasure: Erasure, words: list[str]) -> int:
    """With the eraser's rights, and the holds as they stand under the lock."""
    if erasure.state != CONFIRMED:
        raise WrongState(NOT_NOW, about=erasure)
    cases, people = held(alias)
    if str(erasure.person_id) in people:
        raise WrongState(HELD, about=erasure)
    try:
        return erase_person(
            alias, person=str(erasure.person_id), words=words, cases=cases, people=people, erasure_id=erasure.pk, basis=erasure.basis,
        )  # fmt: skip
    except HeldUp:
        raise WrongState(HELD, about=erasure) from None
