"""How rows of the lists end or are shortened, each with its event, within the action of a caller who has asked who may."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from audit.log.append import Actor, append
from portal.clock import ms, now
from portal.eligibility import rules
from portal.eligibility.facts import of_eligibility, of_role
from portal.eligibility.lending import own_roles
from portal.eligibility.models import APPROVER, Eligibility, RoleAssignment
from portal.eligibility.queries import in_force, lock_undecided
from portal.people.models import Person


def end_role(by: Actor, row: RoleAssignment, cause: str) -> None:
    """End a role that holds; the row is locked."""
    at = _end(by, row, cause)
    append(
        "role.ended", by=by, subject=row.log_subject, ended_at=at, cause=cause, **of_role(row),
        **rules.beneficiary(row.person_id, by, at),
    )  # fmt: skip
    if row.role == APPROVER and row.lent_by_id is None:
        _end_loans_without_a_role(by, row.person_id)


def _end_loans_without_a_role(by: Actor, lender: UUID) -> None:
    """What the lender no longer has cannot be lent."""
    lent = (
        RoleAssignment.objects.select_for_update(of=("self",))
        .select_related("system", "person")
        .filter(in_force(), lent_by=lender)
    )
    for loan in lent.order_by("pk"):
        if not own_roles(loan.system).filter(person_id=lender).exists():
            end_role(by, loan, "lender no longer approves")


def decline_role(by: Actor, row: RoleAssignment) -> None:
    """Decline a proposed role; the row is locked."""
    _end(by, row, "declined")
    append("role.declined", by=by, subject=row.log_subject, **of_role(row))


def revoke_eligibility(by: Actor, row: Eligibility, cause: str) -> None:
    """Take somebody off a list; the row is locked."""
    at = _end(by, row, cause)
    append(
        "eligibility.revoked", by=by, subject=row.log_subject, revoked_at=at, cause=cause, **of_eligibility(row),
        **rules.beneficiary(row.person_id, by, at),
    )  # fmt: skip


def decline_eligibility(by: Actor, row: Eligibility) -> None:
    """Decline a proposed eligibility; the row is locked."""
    _end(by, row, "declined")
    append("eligibility.declined", by=by, subject=row.log_subject, **of_eligibility(row))


def shorten_eligibility(by: Actor, row: Eligibility, to_at: datetime) -> None:
    """Let an eligibility end earlier; the row is locked."""
    row.to_at = to_at
    row.save()
    append(
        "eligibility.shortened", by=by, subject=row.log_subject, expires_at=ms(to_at), **of_eligibility(row),
        **rules.beneficiary(row.person_id, by, ms(now())),
    )  # fmt: skip


def end_all_of(by: Actor, person: Person, cause: str) -> None:
    """Everything that a person holds, was proposed for, or lent. The list before the role, as in `may_use_locked`."""
    for eligibility in _listed(person):
        if eligibility.approved_at:
            revoke_eligibility(by, eligibility, cause)
        else:
            decline_eligibility(by, eligibility)
    for assignment in lock_undecided(RoleAssignment.objects.filter(Q(person=person) | Q(lent_by=person))):
        if assignment.approved_at:
            end_role(by, assignment, cause)
        else:
            decline_role(by, assignment)


def end_lists_by(by: Actor, person: Person, end: datetime, cause: str) -> Iterator[Eligibility]:
    """Let a person's eligibilities end at ``end``, or at once where that is over. Gives those that this changed, one by one."""
    for row in _listed(person):
        if row.approved_at is None or (row.to_at is not None and row.to_at <= end):
            continue
        if end <= now() or row.from_at >= end:
            revoke_eligibility(by, row, cause)
        else:
            shorten_eligibility(by, row, end)
        yield row


def _listed(person: Person) -> list[Eligibility]:
    return list(lock_undecided(Eligibility.objects.filter(person=person).select_related("privilege__system__owner")))


def _end(by: Actor, row: RoleAssignment | Eligibility, cause: str) -> int:
    at = now()
    row.ended_at, row.ended_by, row.ended_cause = at, by.id, cause
    row.save()
    return ms(at)
