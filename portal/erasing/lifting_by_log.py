"""Lifting a legal hold that the log alone knows (`said_holds.py`): as `holding.py`, without a row.

A row would be locked. Here the lock of whoever sets a hold or erases is, and how the hold stands is read under it.
"""

from dataclasses import replace

from audit.log.append import Actor, action, append
from audit.log.erasing import lock
from portal.erasing.holding import NO_LIFT_WAITS, ONE_ASKED
from portal.erasing.rules import may_administer, may_ask_lift, may_lift
from portal.erasing.said_holds import SaidHold, said_hold
from portal.erasing.states import HOLD_MOVES
from portal.errors import RefusedByPolicy, WrongState
from portal.moves import Move
from portal.people.strength import need_fresh

HAS_A_ROW = "The portal has this hold again: lift it on its page."


@action(event="hold.lift_asked", refused="hold.act_refused")
def ask_lift(*, by: Actor, hold: SaidHold, reason: str) -> SaidHold:
    """Ask to lift it; another administrator confirms. Until then it stays in force."""
    found = _locked(hold)
    may_ask_lift(by, found)
    need_fresh(by, about=found)
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence why it can be lifted.", about=found)
    moved = _moved(found, HOLD_MOVES["ask_lift"], ONE_ASKED)
    append("hold.lift_asked", by=by, subject=found.log_subject, **_facts(found), reason=reason.strip())
    return moved


@action(event="hold.kept", refused="hold.act_refused")
def keep(*, by: Actor, hold: SaidHold) -> SaidHold:
    """Keep it in force although lifting was asked for; who asked takes that back so."""
    found = _locked(hold)
    may_administer(by, found)
    need_fresh(by, about=found)
    moved = _moved(found, HOLD_MOVES["keep"], NO_LIFT_WAITS)
    append("hold.kept", by=by, subject=found.log_subject, **_facts(found), asked_by=found.lift_asked_by_id)
    return moved


@action(event="hold.lifted", refused="hold.act_refused")
def lift(*, by: Actor, hold: SaidHold) -> SaidHold:
    """Lift it, as the second administrator. It ends when the log has sealed that."""
    found = _locked(hold)
    may_lift(by, found)
    need_fresh(by, about=found)
    moved = _moved(found, HOLD_MOVES["lift"], NO_LIFT_WAITS)
    append(
        "hold.lifted",
        by=by,
        subject=found.log_subject,
        **_facts(found),
        asked_by=found.lift_asked_by_id,
        approved_by=by.id,
    )
    return moved


def _locked(hold: SaidHold) -> SaidHold:
    lock()
    if (found := said_hold(hold.pk)) is None:
        raise WrongState(HAS_A_ROW, about=hold)
    return found


def _moved(found: SaidHold, move: Move, says: str) -> SaidHold:
    if found.state not in move.sources:
        raise WrongState(says, about=found)
    return replace(found, state=move.target)


def _facts(found: SaidHold) -> dict[str, object]:
    return {"hold_id": found.pk, "person_id": found.person_id or None, "case_id": found.case_id or None}
