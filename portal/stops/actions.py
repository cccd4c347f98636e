"""Start an emergency stop, and lift it by two people. What is open then is ended by ``portal/grants/stopping.py``, which calls this."""

from uuid import UUID

from django.conf import settings

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.people.strength import need_fresh
from portal.stops.models import Stop
from portal.stops.queries import concerned, lifters, scope_in_force
from portal.stops.rules import may_confirm, may_lift, may_start
from portal.stops.states import MOVES
from portal.systems.models import System

NO_LIFT_WAITS = "Nobody has asked to lift this stop, or it was decided on already."


@action(event="stop.started", refused="stop.act_refused")
def start(*, by: Actor, system: System | None, reason: str) -> Stop:
    """Stop one system, or all: from the commit on nothing new is asked, approved or opened there.

    The systems' rows are locked whole, in the order of their keys: see ``rules.need_no_stop``.
    """
    may_start(by, system)
    need_fresh(by, about=system)
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence why it is stopped.", about=system)
    rows = System.objects.filter(pk=system.pk) if system else System.objects.all()
    if not list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)):
        raise WrongState("There is no system that could be stopped.", about=system)
    if scope_in_force(system) is not None:
        raise ChangedMeanwhile("It is stopped already.", about=system)
    stop = Stop.objects.create(system=system, reason=reason.strip(), started_by_id=UUID(by.id), started_at=now())
    _tell(by, stop, "stop.started", concerned(system), reason=stop.reason)
    append(
        "stop.started", by=by, subject=stop.log_subject, stop_id=stop.pk, system_id=stop.system_id, reason=stop.reason
    )
    return stop


@action(event="stop.lift_asked", refused="stop.act_refused")
def ask_lift(*, by: Actor, stop: Stop, reason: str) -> Stop:
    """Ask to lift it; another person confirms. Until then it stays in force."""
    row = _locked(stop)
    may_lift(by, row)
    need_fresh(by, about=row)
    reason = reason.strip()
    if not reason:
        raise RefusedByPolicy("Say in one sentence why it can be lifted.", about=row)
    says = "Somebody has asked to lift this stop already, or it is lifted."
    make(row, MOVES["ask_lift"], says=says, lift_asked_by_id=UUID(by.id), lift_asked_at=now(), lift_reason=reason)
    others = [each for each in lifters(row.system) if str(each.pk) != by.id]
    _tell(by, row, "stop.lift_asked", others, reason=reason)
    append("stop.lift_asked", by=by, subject=row.log_subject, stop_id=row.pk, system_id=row.system_id, reason=reason)
    return row


@action(event="stop.lift_declined", refused="stop.act_refused")
def keep(*, by: Actor, stop: Stop, reason: str = "") -> Stop:
    """Keep it in force although lifting was asked for; who asked may take that back so."""
    row = _locked(stop)
    may_lift(by, row)
    need_fresh(by, about=row)
    asked_by = row.lift_asked_by_id
    make(row, MOVES["keep"], says=NO_LIFT_WAITS, lift_asked_by_id=None, lift_asked_at=None, lift_reason="")
    _tell(by, row, "stop.lift_declined", lifters(row.system), reason=reason)
    append(
        "stop.lift_declined", by=by, subject=row.log_subject, stop_id=row.pk, system_id=row.system_id,
        asked_by=asked_by, reason=reason.strip() or None,
    )  # fmt: skip
    return row


@action(event="stop.lifted", refused="stop.act_refused")
def lift(*, by: Actor, stop: Stop) -> Stop:
    """Confirm, as the second person. Nothing that was ended is opened again by it."""
    row = _locked(stop)
    may_confirm(by, row)
    need_fresh(by, about=row)
    at = now()
    make(row, MOVES["lift"], says=NO_LIFT_WAITS, lifted_by_id=UUID(by.id), lifted_at=at)
    _tell(by, row, "stop.lifted", concerned(row.system), reason=row.lift_reason)
    append(
        "stop.lifted", by=by, subject=row.log_subject, stop_id=row.pk, system_id=row.system_id, asked_by=row.lift_asked_by_id,
        approved_by=by.id, started_at=ms(row.started_at), lifted_at=ms(at),
    )  # fmt: skip
    return row


def _locked(stop: Stop) -> Stop:
    return Stop.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=stop.pk)


def _tell(by: Actor, stop: Stop, kind: str, people: list[Person], *, reason: str) -> None:
    tell(
        by=by, people=people, addresses=settings.PORTAL_SECURITY_LIST, kind=kind, about=stop.log_subject, path=f"/stops/{stop.pk}/",
        facts={"system": stop.where, "by": by.name, "reason": reason.strip(), "started_at": stop.started_at},
    )  # fmt: skip
