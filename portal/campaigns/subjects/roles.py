"""Lines about roles in the portal: of one system, or for all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from audit.log.append import Actor
from portal.access_requests.models import Approval
from portal.campaigns.lines import Line
from portal.campaigns.lists import ROLES
from portal.campaigns.models import Item
from portal.campaigns.states import MODIFIED
from portal.campaigns.subjects.base import NARROWED, Hands, Subject, given
from portal.clock import ms, optional_ms
from portal.eligibility.models import APPROVER, RESPONDER, REVIEWER, RoleAssignment
from portal.eligibility.queries import in_force
from portal.errors import RefusedByPolicy
from portal.grants import narrowing
from portal.grants.models import Grant
from portal.people.models import Person, SignIn
from portal.reconciliation.models import Listing
from portal.systems.models import System

NAME = "role"
Uses = Mapping[UUID, tuple[int, datetime]]  # person -> how often, and when last
COUNTED = (RESPONDER, APPROVER, REVIEWER)  # of the others no act is counted: their last sign-in stands instead


def lines(system: System | None, _: Listing | None) -> list[Line]:
    """Roles in force for exactly this system, or for all of them, by names. Five questions, however many there are."""
    rows = RoleAssignment.objects.filter(in_force(), system=system, person__left_at__isnull=True)
    found = list(rows.select_related("person").order_by("person__name", "role"))
    uses, signed_in = _uses(system), _signed_in({row.person_id for row in found})
    return [
        Line(
            NAME, str(row.pk), row.role.capitalize(), f"{row.person.name}: {row.role}"[:200],
            _facts(row, uses[row.role].get(row.person_id), signed_in.get(row.person_id)), row.person_id, _given_by(row),
        )
        for row in found
    ]  # fmt: skip


def _given_by(row: RoleAssignment) -> frozenset[str]:
    return frozenset(str(each) for each in (row.proposed_by_id, row.approved_by_id) if each)


def _facts(row: RoleAssignment, used: tuple[int, datetime] | None, signed_in: datetime | None) -> dict[str, Any]:
    number, last = used or (0, None)
    counted = row.role in COUNTED
    return given({
        "role": row.role, "granted_at": ms(row.from_at), "granted_by": str(row.approved_by_id), "proposed_by": str(row.proposed_by_id),
        "expires_at": optional_ms(row.to_at), "uses": number if counted else None, "last_sign_in": optional_ms(signed_in),
        "last_use": optional_ms(last if counted else signed_in),
    })  # fmt: skip


def _uses(system: System | None) -> Mapping[str, Uses]:
    """What each role was used for: grants opened, requests decided, uses reviewed."""
    here = Q() if system is None else Q(system=system)
    opened = (
        Grant.objects.filter(here, opened_at__isnull=False)
        .exclude(request__mode="drill")
        .order_by()
        .values_list("person_id")
    )
    of_requests = Q() if system is None else Q(request__system=system)
    decided = Approval.objects.filter(of_requests).order_by().values_list("approver_id")
    of_reviews = Q(reviews__submitted_at__isnull=False) & (Q() if system is None else Q(reviews__grant__system=system))
    reviewed = Person.objects.filter(of_reviews).order_by().values_list("pk")
    return defaultdict(dict, {
        RESPONDER: _counted(opened.annotate(Count("pk"), Max("opened_at"))),
        APPROVER: _counted(decided.annotate(Count("pk"), Max("decided_at"))),
        REVIEWER: _counted(reviewed.annotate(Count("reviews"), Max("reviews__submitted_at"))),
    })  # fmt: skip


def _counted(rows: Iterable[Any]) -> Uses:
    return {person: (number, last) for person, number, last in rows}


def _signed_in(people: Collection[UUID]) -> dict[UUID, datetime]:
    rows = SignIn.objects.filter(person__in=people).order_by().values_list("person_id").annotate(Max("opened_at"))
    return dict(rows)


def hands(subjects: Collection[str]) -> Hands:
    """Who proposed and who approved each."""
    return {str(row.pk): _given_by(row) for row in RoleAssignment.objects.filter(pk__in=list(subjects))}


def in_force_of(item: Item) -> RoleAssignment | None:
    """The role of the line, if nobody ended it meanwhile."""
    found = RoleAssignment.objects.filter(pk=item.subject, approved_at__isnull=False, ended_at__isnull=True)
    return found.select_related("system", "person").first()


def keep(_: Actor, __: Sequence[Item]) -> None:
    """They stay: the decision says all there is to say."""


def narrow(by: Actor, item: Item, to_at: datetime) -> None:
    """It ends earlier, and with it what was opened on its strength and would outlast it."""
    row = in_force_of(item)
    if row is None:
        raise RefusedByPolicy("Only what is in force can end earlier. Keep or revoke this line.", about=item)
    narrowing.shorten_role(by=by, assignment=row, to_at=to_at)


def revoke(by: Actor, item: Item, _: str) -> None:
    """It ends at once, and with it what was opened on its strength."""
    row = in_force_of(item)
    if row is not None:
        narrowing.withdraw_role(by=by, assignment=row, cause="attestation")


def grants(item: Item) -> QuerySet[Grant]:
    """A responder's grants on the system that came before the decision, unless another role carries them."""
    if item.facts["role"] != RESPONDER or _carried(item):
        return Grant.objects.none()
    rows = Grant.objects.filter(person=item.person, authorised_at__lte=item.decided_at)
    system = item.campaign.system
    return (rows.filter(system=system) if system is not None else rows).select_related("privilege")


def _carried(item: Item) -> bool:
    """Whether the person holds the role for the system all the same."""
    wide = Q(system__isnull=True) | Q(system=item.campaign.system)
    return RoleAssignment.objects.filter(in_force(), wide, person=item.person, role=RESPONDER).exists()


def present(item: Item, _: Listing | None) -> bool:
    """Whether the portal's own rows still show it in force; without an end, where it was to get an earlier one."""
    found = RoleAssignment.objects.filter(in_force(), pk=item.subject)
    return (found.filter(to_at__isnull=True) if item.state == MODIFIED else found).exists()


SUBJECT = Subject(
    NAME, (ROLES,), lines, hands, keep, narrow, revoke, ("role.ended", "role.shortened", *NARROWED), grants, present,
    needs_listing=lambda _: False,
)  # fmt: skip
