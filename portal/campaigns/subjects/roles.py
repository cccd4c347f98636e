"""Lines about roles in the portal: of one system, or for all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
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
from portal.campaigns.subjects.base import (
    NARROWED,
    Subject,
    dated_facts,
    given,
    given_by,
    hands_in,
    needed,
    still_held,
)
from portal.clock import optional_ms
from portal.eligibility.models import APPROVER, RESPONDER, REVIEWER, RoleAssignment
from portal.eligibility.queries import in_force
from portal.eligibility.rules import ends_earlier
from portal.grants import narrowing
from portal.grants.models import Grant
from portal.people.models import Person, SignIn
from portal.reconciliation.models import Listing
from portal.systems.models import System

NAME = "role"
Uses = Mapping[UUID, tuple[int, datetime]]  # person -> how often, and when last
COUNTED = (RESPONDER, APPROVER, REVIEWER)  # of the others no act is counted: their last sign-in stands instead


def lines(system: System | None, _: Listing | None) -> list[Line]:
    """Roles in force for exactly this system, or for all of them, by names. Six questions, however many there are."""
    rows = RoleAssignment.objects.filter(in_force(), system=system, person__left_at__isnull=True)
    found = list(rows.select_related("person").order_by("person__name", "role"))
    uses, signed_in = _uses(system), _signed_in({row.person_id for row in found})
    return [
        Line(
            NAME, str(row.pk), row.role.capitalize(), f"{row.person.name}: {row.role}"[:200],
            _facts(row, uses[row.role].get(row.person_id), signed_in.get(row.person_id)), row.person_id, given_by(row),
        )
        for row in found
    ]  # fmt: skip


def _facts(row: RoleAssignment, used: tuple[int, datetime] | None, signed_in: datetime | None) -> dict[str, Any]:
    number, last = used or (0, None)
    counted = row.role in COUNTED
    return given({
        "role": row.role, **dated_facts(row), "uses": number if counted else None, "last_sign_in": optional_ms(signed_in),
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
    of_reviews = Q(reviews__submitted_at__isnull=False) & (
        Q() if system is None else Q(reviews__request__system=system)
    )
    reviewed = Person.objects.filter(of_reviews).order_by().values_list("pk")
    of_seconds = Q(second_reviews__second_submitted_at__isnull=False)
    of_seconds &= Q() if system is None else Q(second_reviews__request__system=system)
    seconded = Person.objects.filter(of_seconds).order_by().values_list("pk")
    return defaultdict(dict, {
        RESPONDER: _counted(opened.annotate(Count("pk"), Max("opened_at"))),
        APPROVER: _counted(decided.annotate(Count("pk"), Max("decided_at"))),
        REVIEWER: _together(
            _counted(reviewed.annotate(Count("reviews"), Max("reviews__submitted_at"))),
            _counted(seconded.annotate(Count("second_reviews"), Max("second_reviews__second_submitted_at"))),
        ),
    })  # fmt: skip


def _together(first: Uses, second: Uses) -> Uses:
    none = (0, None)
    both = {person: (first.get(person, none), second.get(person, none)) for person in {*first, *second}}
    return {
        person: (one[0] + other[0], max(at for at in (one[1], other[1]) if at is not None))
        for person, (one, other) in both.items()
    }


def _counted(rows: Iterable[Any]) -> Uses:
    return {person: (number, last) for person, number, last in rows}


def _signed_in(people: Collection[UUID]) -> dict[UUID, datetime]:
    rows = SignIn.objects.filter(person__in=people).order_by().values_list("person_id").annotate(Max("opened_at"))
    return dict(rows)


def in_force_of(item: Item) -> RoleAssignment | None:
    """The role of the line, if nobody ended it meanwhile."""
    return still_held(RoleAssignment.objects.select_related("system", "person"), item)


def may_narrow(item: Item, to_at: datetime) -> None:
    """What `narrow` will ask as well, before another person is asked to agree.

    Raises:
        RefusedByPolicy: it is not in force, or would not end earlier.
    """
    ends_earlier(needed(in_force_of(item), item), to_at)


def narrow(by: Actor, item: Item, to_at: datetime) -> None:
    """It ends earlier, and with it what was opened on its strength and would outlast it."""
    narrowing.shorten_role(by=by, assignment=needed(in_force_of(item), item), to_at=to_at)


def revoke(by: Actor, item: Item, _: str) -> None:
    """It ends at once, and with it what was opened on its strength."""
    row = in_force_of(item)
    if row is not None:
        narrowing.withdraw_role(by=by, assignment=row, cause="attestation")


def grants(item: Item) -> QuerySet[Grant]:
    """A responder's grants on the system that came before the decision, unless another role carries them."""
    rows = Grant.objects.none() if _carried(item) else uses(item)
    return rows.filter(authorised_at__lte=item.decided_at).select_related("privilege")


def uses(item: Item) -> QuerySet[Grant]:
    """A responder's grants on the system; of the other roles nothing is opened."""
    if item.facts["role"] != RESPONDER:
        return Grant.objects.none()
    rows, system = Grant.objects.filter(person=item.person), item.campaign.system
    return rows.filter(system=system) if system is not None else rows


def _carried(item: Item) -> bool:
    """Whether the person holds the role for the system all the same."""
    wide = Q(system__isnull=True) | Q(system=item.campaign.system)
    return RoleAssignment.objects.filter(in_force(), wide, person=item.person, role=RESPONDER).exists()


def present(item: Item, _: Listing | None) -> bool:
    """Whether the portal's own rows still show it in force; without an end, where it was to get an earlier one."""
    found = RoleAssignment.objects.filter(in_force(), pk=item.subject)
    return (found.filter(to_at__isnull=True) if item.state == MODIFIED else found).exists()


SUBJECT = Subject(
    NAME, (ROLES,), lines, hands_in(RoleAssignment), narrow, revoke, ("role.ended", "role.shortened", *NARROWED), grants, uses, present,
    needs_listing=lambda _: False,
)  # fmt: skip
