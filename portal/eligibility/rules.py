"""Who may put others on the lists, take them off, and what a proposal must look like."""

from datetime import datetime
from uuid import UUID

from audit.log.append import Actor
from audit.log.locks import until_commit
from portal.clock import now
from portal.eligibility.models import ADMINISTRATOR, OWNER, ROLES, Eligibility, RoleAssignment
from portal.eligibility.queries import conflicts_of, in_force
from portal.errors import RefusedByPolicy, WrongState
from portal.people.models import Person
from portal.people.rights import ADMINISTER, MANAGE, NARROW, need_other, need_permission
from portal.people.strength import need_fresh
from portal.systems.models import System

ONLY_ADMINISTRATORS = "Only administrators of this system propose and approve roles."
ONLY_MANAGERS = "Only administrators and the owner of this system propose and approve who is on its lists."
FEWEST_ADMINISTRATORS = 2  # one proposes, another approves: with fewer nobody could be made one any more
ADMINISTRATORS_LOCK = 0x62676164  # "bgad"
TOO_FEW = (
    "Fewer than two people would administer all systems then, and nobody could make another. Make one more administrator of all systems first: "
    "one proposes, another approves. Then this one can go. Nothing was changed."
)
ONLY_NARROWERS = "Only administrators, the owner and reviewers of this system take somebody off its lists."


def may_widen_role(by: Actor, system: System | None, *concerned: object, about: object = None) -> None:
    """An administrator of the system (without one: of all systems) who is not concerned, freshly confirmed.

    Raises:
        NotAllowed, StepUpNeeded: the actor is not that.
    """
    need_permission(by, ADMINISTER, system, says=ONLY_ADMINISTRATORS)
    need_other(by, *concerned, about=about)
    need_fresh(by, about=about)


def may_widen_list(by: Actor, system: System, *concerned: object, about: object = None) -> None:
    """An administrator or the owner of the system who is not concerned, freshly confirmed.

    Raises:
        NotAllowed, StepUpNeeded: the actor is not that.
    """
    need_permission(by, MANAGE, system, says=ONLY_MANAGERS)
    need_other(by, *concerned, about=about)
    need_fresh(by, about=about)


def is_manager(by: Actor, eligibility: Eligibility) -> None:
    """Administrator or owner of the system, and not the one whom it is about; for a page's buttons, before the step-up.

    Raises:
        NotAllowed: the actor is not that.
    """
    need_permission(by, MANAGE, eligibility.privilege.system, says=ONLY_MANAGERS)
    need_other(by, eligibility.person_id, about=eligibility)


def is_narrower(by: Actor, eligibility: Eligibility) -> None:
    """Administrator, owner or reviewer of the system, and not the one whom it is about.

    Raises:
        NotAllowed: the actor is not that.
    """
    need_permission(by, NARROW, eligibility.privilege.system, says=ONLY_NARROWERS)
    need_other(by, eligibility.person_id, about=eligibility)


def may_end_role(by: Actor, assignment: RoleAssignment) -> None:
    """An administrator of the system, never of one's own role: that is told by another.

    Raises:
        NotAllowed, StepUpNeeded: the actor is not that.
    """
    may_widen_role(by, assignment.system, assignment.person_id, about=assignment)


def may_take_off_list(by: Actor, eligibility: Eligibility) -> None:
    """`is_narrower`, freshly confirmed.

    Raises:
        NotAllowed, StepUpNeeded: the actor is not that.
    """
    is_narrower(by, eligibility)
    need_fresh(by, about=eligibility)


def check_window(person: Person, from_at: datetime, to_at: datetime | None) -> None:
    """The person is here, and the window is not over before it begins.

    Raises:
        RefusedByPolicy: it is not so.
    """
    if person.left_at is not None:
        raise RefusedByPolicy("This person has left.", about=person)
    if to_at is not None and (to_at <= from_at or to_at <= now()):
        raise RefusedByPolicy("The end must be later than the beginning, and later than now.", about=person)


def check_role(role: str, system: System | None) -> None:
    """A role that exists; an owner owns one system.

    Raises:
        RefusedByPolicy: it is not so.
    """
    if role not in dict(ROLES):
        raise RefusedByPolicy("There is no such role.", about=system)
    if role == OWNER and system is None:
        raise RefusedByPolicy("An owner owns one system: choose which.")


def check_conflicts(row: RoleAssignment) -> None:
    """Nobody holds two roles that conflict for one system at one time (T-50); what waits counts too.

    Raises:
        RefusedByPolicy: the person holds, or waits for, such a role.
    """
    other = conflicts_of(row).first()
    if other is not None:
        held = "holds" if other.approved_at else "waits for"
        where = other.system.name if other.system else "all systems"
        raise RefusedByPolicy(
            f"This person {held} the role of {other.role} for {where}, and nobody holds it beside that of {row.role}. End that one first.",
            about=row.person, kind="conflicting role",
        )  # fmt: skip


def still_waiting(row: RoleAssignment | Eligibility) -> None:
    """Neither approved nor declined yet.

    Raises:
        WrongState: somebody has decided.
    """
    if row.approved_at is not None or row.ended_at is not None:
        raise WrongState("Somebody has decided on this already.", about=row)


def still_holds(row: RoleAssignment | Eligibility) -> None:
    """Approved and not ended.

    Raises:
        WrongState: there is nothing to end.
    """
    if row.approved_at is None or row.ended_at is not None:
        raise WrongState("This does not hold any more, or does not hold yet.", about=row)


def ends_earlier(row: RoleAssignment | Eligibility, to_at: datetime) -> None:
    """The new end lies ahead, and before the present one.

    Raises:
        RefusedByPolicy: it does not.
    """
    if to_at <= now() or (row.to_at is not None and to_at >= row.to_at):
        raise RefusedByPolicy("The new end must lie between now and the present end.", about=row)


def leaves_administrators(row: RoleAssignment, to_at: datetime | None = None) -> None:
    """Two administrators of all systems remain when the role is over (``None``: now). One at a time, so that two who end each other's do not both go.

    Somebody who has left is no question of this: what they held ends in any case.

    Raises:
        RefusedByPolicy: fewer would remain.
    """
    if row.role != ADMINISTRATOR or row.system_id is not None:
        return
    until_commit(ADMINISTRATORS_LOCK)
    at = to_at or now()  # after the lock: what ended while it was waited for has ended before
    others = RoleAssignment.objects.filter(in_force(at), role=ADMINISTRATOR, system=None, person__left_at=None)
    if others.exclude(pk=row.pk).order_by().values("person").distinct().count() < FEWEST_ADMINISTRATORS:
        raise RefusedByPolicy(TOO_FEW, about=row, kind="too few administrators")


def beneficiary(person_id: UUID, by: Actor, at: int) -> dict[str, object]:
    """The fields that every change of a rule tells, for one that narrows: it takes effect at once and waits for nobody."""
    return {"narrows": True, "changed_by": by.id, "beneficiary_id": person_id, "effective_at": at}
