"""Ask to erase what is kept of a person, and decide on it as the second administrator. Carrying it out: ``carrying_out.py``."""

from uuid import UUID

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.erasing.models import Erasure
from portal.erasing.retention import held
from portal.erasing.rules import may_ask, may_confirm, need_nameless
from portal.erasing.states import BASES, MOVES
from portal.errors import RefusedByPolicy, WrongState
from portal.moves import make
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.unique import refuse_doubled

STILL_HERE = "Somebody who still works here is not erased: note first that they have left."
ONE_ALREADY = "Erasing this person's values was asked for already."
HELD = "A legal hold is in force on this person: nothing is erased until two administrators have lifted it."
DECIDED = "This erasure was decided on already."


@action(event="erasure.asked", refused="erasure.act_refused")
def ask(*, by: Actor, person: Person, basis: str, reason: str) -> Erasure:
    """Ask to erase all that is kept of somebody who has left."""
    may_ask(by, person)
    need_fresh(by, about=person)
    locked = lock_row(Person, person.pk, no_key=True)
    if locked.left_at is None:
        raise WrongState(STILL_HERE, about=locked)
    if basis not in BASES:
        raise RefusedByPolicy("Say on what basis it is erased.", about=locked)
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence why it is erased.", about=locked)
    need_nameless(reason, locked, about=locked)
    _need_no_hold(locked.pk, locked)
    with refuse_doubled(ONE_ALREADY, locked):
        row = Erasure.objects.create(
            person=locked, basis=basis, reason=reason.strip(), asked_by_id=UUID(by.id), asked_at=now()
        )
    append(
        "erasure.asked", by=by, subject=row.log_subject, erasure_id=row.pk, person_id=row.person_id, basis=basis, reason=row.reason,
    )  # fmt: skip
    return row


@action(event="erasure.confirmed", refused="erasure.act_refused")
def confirm(*, by: Actor, erasure: Erasure) -> Erasure:
    """Say yes as the second administrator; it is carried out by the eraser's process."""
    row = lock_row(Erasure, erasure.pk)
    may_confirm(by, row)
    need_fresh(by, about=row)
    _need_no_hold(row.person_id, row)
    make(row, MOVES["confirm"], says=DECIDED, confirmed_by_id=UUID(by.id), confirmed_at=now())
    append(
        "erasure.confirmed", by=by, subject=row.log_subject, erasure_id=row.pk, person_id=row.person_id, basis=row.basis,
        asked_by=row.asked_by_id, approved_by=by.id,
    )  # fmt: skip
    return row


@action(event="erasure.declined", refused="erasure.act_refused")
def decline(*, by: Actor, erasure: Erasure) -> Erasure:
    """Say no; who asked takes it back."""
    row = lock_row(Erasure, erasure.pk)
    if by.id != str(row.asked_by_id):
        may_confirm(by, row)
    need_fresh(by, about=row)
    make(row, MOVES["decline"], says=DECIDED, closed_at=now())
    append(
        "erasure.declined", by=by, subject=row.log_subject, erasure_id=row.pk, person_id=row.person_id, asked_by=row.asked_by_id,
    )  # fmt: skip
    return row


def _need_no_hold(person_id: UUID, about: object) -> None:
    if str(person_id) in held()[1]:
        raise RefusedByPolicy(HELD, about=about, kind="legal hold")
