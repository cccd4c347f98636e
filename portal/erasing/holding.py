"""Legal holds: while one is in force nothing of its person or case is erased, whoever asks."""

from uuid import UUID

from audit.log.append import Actor, action, append
from audit.log.erasing import lock
from audit.log.retained import first_of
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.erasing.models import LegalHold
from portal.erasing.rules import may_administer, may_ask_lift, may_lift
from portal.erasing.states import HOLD_MOVES
from portal.errors import RefusedByPolicy
from portal.moves import make
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.unique import refuse_doubled

ONE_ALREADY = "It is under legal hold already."
ONE_ASKED = "Somebody has asked to lift this hold already, or it is lifted."
NO_LIFT_WAITS = "Nobody has asked to lift this hold, or it was decided on already."


@action(event="hold.set", refused="hold.act_refused")
def set_hold(*, by: Actor, reason: str, person: Person | None = None, case: AccessRequest | None = None) -> LegalHold:
    """Hold a person's values, or a case's. It waits for an erasure that runs; what that erased is gone."""
    about = person or case
    may_administer(by, about)
    need_fresh(by, about=about)
    if (person is None) == (case is None):
        raise RefusedByPolicy("A legal hold is on a person or on a case.", about=about)
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence what it is held for.", about=about)
    lock()
    with refuse_doubled(ONE_ALREADY, about):
        row = LegalHold.objects.create(
            person=person,
            case=case,
            reason=reason.strip(),
            from_index=_first(person, case),
            set_by_id=UUID(by.id),
            set_at=now(),
        )
    append("hold.set", by=by, subject=row.log_subject, **_facts(row), reason=row.reason)
    return row


@action(event="hold.lift_asked", refused="hold.act_refused")
def ask_lift(*, by: Actor, hold: LegalHold, reason: str) -> LegalHold:
    """Ask to lift it; another administrator confirms. Until then it stays in force."""
    row = lock_row(LegalHold, hold.pk)
    may_ask_lift(by, row)
    need_fresh(by, about=row)
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence why it can be lifted.", about=row)
    make(
        row,
        HOLD_MOVES["ask_lift"],
        says=ONE_ASKED,
        lift_asked_by_id=UUID(by.id),
        lift_asked_at=now(),
        lift_reason=reason.strip(),
    )
    append("hold.lift_asked", by=by, subject=row.log_subject, **_facts(row), reason=reason.strip())
    return row


@action(event="hold.kept", refused="hold.act_refused")
def keep(*, by: Actor, hold: LegalHold) -> LegalHold:
    """Keep it in force although lifting was asked for; who asked takes that back so."""
    row = lock_row(LegalHold, hold.pk)
    may_administer(by, row)
    need_fresh(by, about=row)
    asked_by = row.lift_asked_by_id
    make(row, HOLD_MOVES["keep"], says=NO_LIFT_WAITS, lift_asked_by_id=None, lift_asked_at=None, lift_reason="")
    append("hold.kept", by=by, subject=row.log_subject, **_facts(row), asked_by=asked_by)
    return row


@action(event="hold.lifted", refused="hold.act_refused")
def lift(*, by: Actor, hold: LegalHold) -> LegalHold:
    """Lift it, as the second administrator."""
    row = lock_row(LegalHold, hold.pk)
    may_lift(by, row)
    need_fresh(by, about=row)
    make(row, HOLD_MOVES["lift"], says=NO_LIFT_WAITS, lifted_by_id=UUID(by.id), lifted_at=now())
    append(
        "hold.lifted", by=by, subject=row.log_subject, **_facts(row), asked_by=row.lift_asked_by_id, approved_by=by.id
    )
    return row


def _first(person: Person | None, case: AccessRequest | None) -> int:
    return first_of(case=str(case.pk)) if case else first_of(person=str(person.pk)) if person else 0


def _facts(row: LegalHold) -> dict[str, object]:
    return {"hold_id": row.pk, "person_id": row.person_id, "case_id": row.case_id}
