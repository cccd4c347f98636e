"""Dated roles and eligibilities: proposed by one, approved by another; what narrows takes effect at once.

Ending one here leaves open grants as they are: `portal/grants/narrowing.py` does both in one transaction, and pages call that.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor, Entry, action, append, append_many
from portal.clock import ms, now, optional_ms
from portal.eligibility import ending, lending, rules
from portal.eligibility.facts import of_eligibility, of_role
from portal.eligibility.models import APPROVER, Eligibility, RoleAssignment
from portal.eligibility.queries import not_over
from portal.errors import NotAllowed, RefusedByPolicy
from portal.people.models import Person
from portal.people.rights import need_other
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.systems.models import Privilege, System


@action(event="role.proposed", refused="role.act_refused")
def propose_role(*, by: Actor, person: Person, role: str, system: System | None = None, from_at: datetime | None = None,
                 to_at: datetime | None = None, group: str = "") -> RoleAssignment:  # fmt: skip
    """Propose a role for somebody else, for one system or for all; a second administrator approves it.

    ``group`` is of approvers: a policy may want several groups among those who say yes.
    """
    rules.may_widen_role(by, system, person.pk, about=person)
    person, begins = _locked_person(person), from_at or now()
    rules.check_role(role, system)
    if group.strip() and role != APPROVER:
        raise RefusedByPolicy("Only approvers stand in a group.", about=person)
    rules.check_window(person, begins, to_at)
    if RoleAssignment.objects.filter(not_over(), person=person, role=role, system=system).exists():
        raise RefusedByPolicy(
            "This person holds that role already, or it waits for a second administrator.", about=person, kind="doubled"
        )
    made = RoleAssignment(person=person, role=role, system=system, proposed_by_id=UUID(by.id), proposed_at=now(), from_at=begins, to_at=to_at,
                          group=group.strip())  # fmt: skip
    rules.check_conflicts(made)
    made.save()
    append(
        "role.proposed", by=by, subject=made.log_subject, from_at=ms(begins), to_at=optional_ms(to_at), **of_role(made)
    )
    return made


@action(event="role.proposed", refused="role.act_refused")
def lend_role(*, by: Actor, to: Person, system: System | None, from_at: datetime, to_at: datetime) -> RoleAssignment:
    """Have somebody approve in one's place during one's leave. Like any role it waits for an administrator.

    Raises:
        NotAllowed: the actor is no approver of the system in their own right.
        RefusedByPolicy: see `lending.check_loan`.
    """
    need_fresh(by, about=to)
    for each in sorted(
        (to.pk, UUID(by.id))
    ):  # of two loans that would make a chain or a circle, the second sees the first
        lock_row(Person, each, no_key=True)
    person, begins = Person.objects.get(pk=to.pk), max(from_at, now())
    lending.may_lend(by, system)
    rules.check_window(person, begins, to_at)
    made = RoleAssignment(person=person, role=APPROVER, system=system, lent_by_id=UUID(by.id), proposed_by_id=UUID(by.id), proposed_at=now(),
                          from_at=begins, to_at=to_at)  # fmt: skip
    lending.check_loan(UUID(by.id), made, system, begins, to_at)
    rules.check_conflicts(made)
    made.save()
    append("role.proposed", by=by, subject=made.log_subject, from_at=ms(begins), to_at=ms(to_at), **of_role(made))
    return made


@action(event="role.granted", refused="role.act_refused")
def approve_role(*, by: Actor, assignment: RoleAssignment) -> RoleAssignment:
    """Approve a role, as the second administrator; never one's own."""
    locked = _locked_role(assignment)
    rules.may_widen_role(by, locked.system, locked.proposed_by_id, locked.person_id, about=locked)
    rules.still_waiting(locked)
    rules.check_conflicts(locked)
    if locked.lent_by_id is not None:
        lending.check_loan(locked.lent_by_id, locked, locked.system, locked.from_at, locked.to_at)
    _approve(by, locked)
    _append_granted(by, locked)
    return locked


@action(event="role.declined", refused="role.act_refused")
def decline_role(*, by: Actor, assignment: RoleAssignment) -> RoleAssignment:
    """Refuse a proposed role, or take one's own proposal back. It is kept."""
    locked = _locked_role(assignment)
    rules.may_widen_role(by, locked.system, locked.person_id, about=locked)
    rules.still_waiting(locked)
    ending.decline_role(by, locked)
    return locked


@action(event="role.ended", refused="role.act_refused")
def end_role(*, by: Actor, assignment: RoleAssignment, cause: str = "ended") -> RoleAssignment:
    """End a role at once."""
    locked = _locked_role(assignment)
    rules.may_end_role(by, locked)
    rules.still_holds(locked)
    rules.leaves_administrators(locked)
    ending.end_role(by, locked, cause)
    return locked


@action(event="role.ended")
def withdraw_role(*, by: Actor, assignment: RoleAssignment, cause: str) -> RoleAssignment:
    """End a role on the strength of a decision whose own rules have said who may: an attestation's."""
    locked = _locked_role(assignment)
    rules.still_holds(locked)
    rules.leaves_administrators(locked)
    ending.end_role(by, locked, cause)
    return locked


@action(event="role.shortened")
def shorten_role(*, by: Actor, assignment: RoleAssignment, to_at: datetime) -> RoleAssignment:
    """As `withdraw_role`: let it end earlier; a longer one is a new proposal."""
    locked = _locked_role(assignment)
    rules.still_holds(locked)
    rules.ends_earlier(locked, to_at)
    rules.leaves_administrators(locked, to_at)
    locked.to_at = to_at
    locked.save()
    append(
        "role.shortened", by=by, subject=locked.log_subject, to_at=ms(to_at), **of_role(locked),
        **rules.beneficiary(locked.person_id, by, ms(now())),
    )  # fmt: skip
    return locked


@action(event=("role.ended", "role.declined"), refused="role.act_refused")
def take_back(*, by: Actor, assignment: RoleAssignment) -> RoleAssignment:
    """Back from leave: who lent the role ends the loan at once, whether it holds already or still waits."""
    locked = _locked_role(assignment)
    if locked.lent_by_id is None or str(locked.lent_by_id) != by.id:
        raise NotAllowed("Only who lent a role takes it back.", about=locked, kind="not the lender")
    if locked.approved_at is None:
        rules.still_waiting(locked)
        ending.decline_role(by, locked)
        return locked
    rules.still_holds(locked)
    ending.end_role(by, locked, "taken back")
    return locked


@action(event="eligibility.proposed", refused="eligibility.act_refused")
def propose_eligibility(*, by: Actor, person: Person, privilege: Privilege, from_at: datetime | None = None,
                        to_at: datetime | None = None) -> Eligibility:  # fmt: skip
    """Propose that somebody else may ask for a privilege; a second person approves it."""
    rules.may_widen_list(by, privilege.system, person.pk, about=person)
    person, begins = _locked_person(person), from_at or now()
    rules.check_window(person, begins, to_at)
    if Eligibility.objects.filter(not_over(), person=person, privilege=privilege).exists():
        raise RefusedByPolicy(
            "This person is on the list already, or waits for a second person.", about=person, kind="doubled"
        )
    made = Eligibility.objects.create(
        person=person, privilege=privilege, proposed_by_id=UUID(by.id), proposed_at=now(), from_at=begins, to_at=to_at
    )
    append(
        "eligibility.proposed", by=by, subject=made.log_subject, expires_at=optional_ms(to_at), **of_eligibility(made)
    )
    return made


@action(event="eligibility.granted", refused="eligibility.act_refused")
def approve_eligibility(*, by: Actor, eligibility: Eligibility) -> Eligibility:
    """Approve it, as the second person; never one's own."""
    locked = _locked_eligibility(eligibility)
    rules.may_widen_list(by, locked.privilege.system, locked.proposed_by_id, locked.person_id, about=locked)
    rules.still_waiting(locked)
    _approve(by, locked)
    append(
        "eligibility.granted", by=by, subject=locked.log_subject, granted_by=by.id, granted_at=ms(locked.from_at),
        expires_at=optional_ms(locked.to_at), **of_eligibility(locked), **_second(by, locked),
    )  # fmt: skip
    return locked


@action(event="eligibility.declined", refused="eligibility.act_refused")
def decline_eligibility(*, by: Actor, eligibility: Eligibility) -> Eligibility:
    """Refuse it, or take one's own proposal back. It is kept."""
    locked = _locked_eligibility(eligibility)
    rules.may_widen_list(by, locked.privilege.system, locked.person_id, about=locked)
    rules.still_waiting(locked)
    ending.decline_eligibility(by, locked)
    return locked


@action(event="eligibility.revoked", refused="eligibility.act_refused")
def revoke_eligibility(*, by: Actor, eligibility: Eligibility, cause: str = "revoked") -> Eligibility:
    """Take somebody off the list at once."""
    locked = _locked_eligibility(eligibility)
    rules.may_take_off_list(by, locked)
    rules.still_holds(locked)
    ending.revoke_eligibility(by, locked, cause)
    return locked


@action(event="eligibility.shortened", refused="eligibility.act_refused")
def shorten_eligibility(*, by: Actor, eligibility: Eligibility, to_at: datetime) -> Eligibility:
    """Let an eligibility end earlier; a longer one is a new proposal."""
    locked = _locked_eligibility(eligibility)
    rules.may_take_off_list(by, locked)
    rules.still_holds(locked)
    rules.ends_earlier(locked, to_at)
    ending.shorten_eligibility(by, locked, to_at)
    return locked


@action(event="eligibility.reconfirmed", refused="eligibility.act_refused")
def reconfirm_eligibility(*, by: Actor, eligibility: Eligibility) -> Eligibility:
    """Note that it was looked at and kept."""
    locked = _locked_eligibility(eligibility)
    rules.may_take_off_list(by, locked)
    rules.still_holds(locked)
    append("eligibility.reconfirmed", by=by, subject=locked.log_subject, **of_eligibility(locked))
    return locked


@action(event="eligibility.reconfirmed", refused="eligibility.act_refused")
def reconfirm_eligibilities(*, by: Actor, eligibilities: Collection[UUID]) -> int:
    """As `reconfirm_eligibility`, for many; returns how many. Who may is asked once for each system."""
    rows = Eligibility.objects.select_for_update(of=("self",)).filter(pk__in=list(eligibilities)).order_by("pk")
    found = list(rows.select_related("privilege"))
    for row in {row.privilege.system_id: row for row in found}.values():
        rules.may_take_off_list(by, row)
    for row in found:
        need_other(by, row.person_id, about=row)
        rules.still_holds(row)
    append_many(Entry("eligibility.reconfirmed", by, of_eligibility(row), subject=row.log_subject) for row in found)
    return len(found)


# --- what they share


def _locked_person(person: Person) -> Person:
    """Of two proposals for one person at the same moment, the second sees the first."""
    return lock_row(Person, person.pk, no_key=True)


def _locked_role(assignment: RoleAssignment) -> RoleAssignment:
    return (
        RoleAssignment.objects.select_for_update(of=("self",)).select_related("system", "person").get(pk=assignment.pk)
    )


def _locked_eligibility(eligibility: Eligibility) -> Eligibility:
    return (
        Eligibility.objects.select_for_update(of=("self",))
        .select_related("privilege__system", "person")
        .get(pk=eligibility.pk)
    )


def _approve(by: Actor, locked: RoleAssignment | Eligibility) -> None:
    """It begins when it was proposed to begin, and never before somebody approved it."""
    at = now()
    rules.check_window(locked.person, locked.from_at, locked.to_at)
    locked.approved_by_id, locked.approved_at = UUID(by.id), at
    locked.from_at = max(locked.from_at, at)
    locked.save()


def _second(by: Actor, locked: RoleAssignment | Eligibility) -> dict[str, object]:
    return {
        "narrows": False, "changed_by": locked.proposed_by_id, "beneficiary_id": locked.person_id, "approved_by": by.id,
        "approved_at": optional_ms(locked.approved_at), "effective_at": ms(locked.from_at),
    }  # fmt: skip


def _append_granted(by: Actor, locked: RoleAssignment) -> None:
    append(
        "role.granted", by=by, subject=locked.log_subject, granted_by=by.id, granted_at=ms(locked.from_at), to_at=optional_ms(locked.to_at),
        **of_role(locked), **_second(by, locked),
    )  # fmt: skip
