"""An approver who goes on leave lends the role to somebody else, for dated days: who may, to whom, and for whom it counts.

At any moment a person either lends or borrows: so a loan is never lent on, and two who are away never stand in for each other. What was lent
decides nothing on the requests of who lent it, and nothing once who lent it holds the role no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.log.append import Actor
from portal.eligibility.models import APPROVER, RESPONDER, RoleAssignment
from portal.eligibility.queries import covers, in_force, lock_undecided, not_over, roles_of
from portal.errors import NotAllowed, RefusedByPolicy
from portal.people.models import Person
from portal.systems.models import System

ONLY_APPROVERS = "Only an approver of this system, in their own right, may lend the role."


@dataclass(frozen=True)
class Standing:
    """Whether somebody may decide on a person's requests for a system, and in whose place; nobody's where they may in their own right."""

    may: bool
    lent_by: UUID | None = None
    group: str = ""
    from_the_responder: bool = False


@dataclass(frozen=True)
class Seats:
    """Who stands in for whom towards one responder, and who is not asked: the responder, who is away, who stands in for the responder alone."""

    in_place: Mapping[UUID, UUID]
    not_asked: frozenset[UUID]


def seats(loans: Iterable[tuple[UUID, UUID | None]], responder_id: UUID) -> Seats:
    """The seats that follow from loans: pairs of who stands in, and who lent. Pure, so that now and a past moment are judged alike."""
    lent = [(who, lender) for who, lender in loans if lender is not None]
    in_place = {who: lender for who, lender in lent if lender != responder_id}
    idle = {who for who, _ in lent} - set(in_place)
    return Seats(in_place, frozenset({responder_id, *(lender for _, lender in lent), *idle}))


def standing_of(person_id: UUID | str, system: System, responder_id: UUID | str) -> Standing:
    """How the person stands as approver of the system towards this responder, now. One query, two where the role is lent.

    Of several roles the one with a group counts; who stands in for somebody stands in their group.
    """
    held = list(roles_of(person_id).filter(covers(system), role=APPROVER).order_by("-group", "pk"))
    own = [each for each in held if each.lent_by_id is None]
    if own:
        return Standing(may=True, group=own[0].group)
    lenders = [
        each.lent_by_id for each in held if each.lent_by_id is not None and str(each.lent_by_id) != str(responder_id)
    ]
    place = own_roles(system).filter(person_id__in=lenders).order_by("-group", "person_id").first() if lenders else None
    if place is None:
        return Standing(may=False, from_the_responder=bool(held) and not lenders)
    return Standing(may=True, lent_by=place.person_id, group=place.group)


def lock_standing(person_id: UUID | str, system: System) -> None:
    """Keep as they are, until the caller's transaction ends, the roles for the system that the person decides by, and those that they lent.

    Who ends one of them at the same moment waits, or was first: so who may is asked once the locks are had. They are had before the row that is
    decided on, and the roles of responders are left out, as whoever leaves locks their roles before what they asked for.
    """
    named = UUID(str(person_id))
    rows = RoleAssignment.objects.filter(Q(person_id=named) | Q(lent_by_id=named), covers(system))
    list(lock_undecided(rows.exclude(role=RESPONDER)))


def groups_of(system: System, approvers: Iterable[UUID], in_place: Mapping[UUID, UUID]) -> dict[UUID, str]:
    """The group of each of these approvers, as `standing_of` says it; empty where they stand in none. ``in_place``: who stands in, for whom. One query."""
    wanted = set(approvers)
    rows = own_roles(system).filter(person_id__in=wanted | {in_place[each] for each in wanted & set(in_place)})
    own = dict(rows.order_by("group").values_list("person_id", "group"))
    return {each: own[each] if each in own else own.get(in_place.get(each, each), "") for each in wanted}


def groups_in(system: System) -> list[str]:
    """The groups in which approvers of the system stand now, by name. One query."""
    rows = own_roles(system).exclude(group="").order_by("group")
    return list(rows.values_list("group", flat=True).distinct())


def own_roles(system: System | None) -> QuerySet[RoleAssignment]:
    """Approvers of the system in their own right, now."""
    return RoleAssignment.objects.filter(
        in_force(), covers(system), role=APPROVER, lent_by__isnull=True, person__left_at__isnull=True
    )  # fmt: skip


def away(system: System) -> QuerySet[RoleAssignment]:
    """Loans in force for the system: who lent is away."""
    return RoleAssignment.objects.filter(in_force(), covers(system), role=APPROVER, lent_by__isnull=False)


def is_away(person_id: UUID | str, system: System) -> bool:
    """Whether somebody stands in for the person on this system now: one seat has one voice. One query."""
    return away(system).filter(lent_by_id=UUID(str(person_id))).exists()


def approves(person_id: UUID | str, system: System, responder_id: UUID | str) -> bool:
    """Whether the person has an approver's voice towards this responder now: may decide, and nobody stands in for them. Two queries, three on a loan."""
    return standing_of(person_id, system, responder_id).may and not is_away(person_id, system)


def decided_by(person_id: UUID, responder: str) -> Q:
    """Rows with a ``system`` on which the person decides as approver now, as `standing_of` and `is_away` say of each. Two queries.

    Args:
        responder: The field that names whose request it is.
    """
    found = Q(pk__in=[])
    for system, lender in roles_of(person_id).filter(role=APPROVER).values_list("system_id", "lent_by_id"):
        found |= _on(system) if lender is None else _on(system) & ~Q(**{responder: lender})
    lent = RoleAssignment.objects.filter(in_force(), role=APPROVER, lent_by_id=person_id)
    for system in lent.values_list("system_id", flat=True):
        found &= ~_on(system)
    return found


def _on(system: UUID | None) -> Q:
    """Rows of the system; all rows where the role is that of all systems. An empty condition would vanish beside another."""
    return Q(pk__isnull=False) if system is None else Q(system=system)


def lendable(person_id: UUID) -> tuple[QuerySet[System], bool]:
    """Systems whose role of approver the person holds in their own right, and whether it is that of all of them."""
    own = roles_of(person_id).filter(role=APPROVER, lent_by__isnull=True)
    held = list(own.values_list("system_id", flat=True))
    return System.objects.all() if None in held else System.objects.filter(pk__in=held), None in held


def lends(person_id: UUID) -> bool:
    """Whether the person has a role of approver that may be lent. One query."""
    return roles_of(person_id).filter(role=APPROVER, lent_by__isnull=True).exists()


def may_lend(by: Actor, system: System | None) -> None:
    """An approver of the system in their own right; of all systems where none is named.

    Raises:
        NotAllowed: the actor is not that, or holds the role on loan.
    """
    if not own_roles(system).filter(person_id=UUID(by.id)).exists():
        raise NotAllowed(ONLY_APPROVERS, about=system, kind="not an approver")


def check_loan(
    lender: UUID, loan: RoleAssignment, system: System | None, from_at: datetime, to_at: datetime | None
) -> None:
    """To somebody else who does not approve there anyway, neither away nor standing in for somebody during these days.

    Raises:
        RefusedByPolicy: it would double, lead back, make a chain or a circle, or outlast what is lent.
    """
    borrower, person = loan.person_id, Person.objects.get(pk=loan.person_id)
    if borrower == lender:
        raise RefusedByPolicy("Nobody stands in for themselves.", about=person, kind="own loan")
    meanwhile = RoleAssignment.objects.filter(not_over(), overlapping(from_at, to_at), role=APPROVER).exclude(
        pk=loan.pk
    )
    if meanwhile.filter(covers(system), person_id=borrower).exists():
        raise RefusedByPolicy(
            "This person approves there already in these days, or waits to.", about=person, kind="doubled"
        )
    if meanwhile.filter(lent_by_id=borrower).exists():
        raise RefusedByPolicy(
            "This person is away in these days, and lent the role too.", about=person, kind="circle of loans"
        )
    if meanwhile.filter(person_id=lender, lent_by__isnull=False).exists():
        raise RefusedByPolicy(
            "In these days you stand in for somebody yourself; a loan is not lent on.",
            about=person,
            kind="chain of loans",
        )
    own = RoleAssignment.objects.filter(
        not_over(), covers(system), role=APPROVER, person_id=lender, lent_by__isnull=True
    )
    whole = own.filter(approved_at__isnull=False, from_at__lte=from_at).filter(
        Q(to_at__isnull=True) | Q(to_at__gte=to_at)
    )
    if not whole.exists():
        raise RefusedByPolicy(
            "The role that is lent does not last that long.", about=person, kind="outlasts what is lent"
        )


def overlapping(from_at: datetime, to_at: datetime | None) -> Q:
    """Dated rows that share a moment with the window."""
    begins = Q() if to_at is None else Q(from_at__lt=to_at)
    return begins & (Q(to_at__isnull=True) | Q(to_at__gt=from_at))
