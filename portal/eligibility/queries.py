"""Who holds which role, and who may ask for what, at a time."""

from collections.abc import Iterable
from datetime import datetime
from itertools import combinations
from typing import TypeVar
from uuid import UUID

from django.db.models import BooleanField, CharField, F, Model, Q, QuerySet, Value
from django.db.models.lookups import IsNull

from portal.clock import now
from portal.eligibility.models import (
    ADMINISTRATOR,
    AUDITOR,
    CONFLICTING,
    OWNER,
    RESPONDER,
    REVIEWER,
    Eligibility,
    RoleAssignment,
)
from portal.people.models import Person
from portal.people.queries import contract_end_of
from portal.systems.models import Privilege, System

Row = TypeVar("Row", bound=Model)


def in_force(at: datetime | None = None) -> Q:
    """Approved, begun and not over."""
    at = at or now()
    over = Q(to_at__isnull=True) | Q(to_at__gt=at)
    return Q(approved_at__isnull=False, from_at__lte=at) & over & (Q(ended_at__isnull=True) | Q(ended_at__gt=at))


def not_over(at: datetime | None = None) -> Q:
    """Waiting, to come, or in force."""
    at = at or now()
    return (Q(to_at__isnull=True) | Q(to_at__gt=at)) & Q(ended_at__isnull=True)


def holds(person_id: UUID | str, role: str, system: System | None = None, at: datetime | None = None) -> bool:
    """Whether the person holds the role for the system, or for all systems. Without a system: for all systems only."""
    return roles_of(person_id, at).filter(role=role).filter(covers(system)).exists()


def holds_anywhere(person_id: UUID | str, roles: Iterable[str], at: datetime | None = None) -> bool:
    """Whether the person holds one of the roles for any system."""
    return roles_of(person_id, at).filter(role__in=list(roles)).exists()


def covers(system: System | None) -> Q:
    """Roles for the system, or for all; without a system: for all only."""
    everywhere = Q(system__isnull=True)
    return everywhere if system is None else everywhere | Q(system=system)


def roles_of(person_id: UUID | str, at: datetime | None = None) -> QuerySet[RoleAssignment]:
    """The person's roles in force."""
    return RoleAssignment.objects.filter(in_force(at), person_id=person_id, person__left_at__isnull=True)


def roles_held(person_id: UUID | str) -> dict[str, bool]:
    """Roles in force, each with whether it is for all systems; who is named as a system's owner is an owner of that one. One query."""
    held = roles_of(person_id).values_list("role", IsNull(F("system"), True))
    owner, one = Value(OWNER, output_field=CharField()), Value(False, output_field=BooleanField())
    owned = System.objects.filter(owner=UUID(str(person_id))).values_list(owner, one)
    return dict(sorted(held.union(owned)))


def role_names(person_id: UUID | str) -> frozenset[str]:
    """Roles in force for any system, as `roles_held` has them."""
    return frozenset(roles_held(person_id))


def keeps_systems(person_id: UUID | str) -> bool:
    """Whether systems are the person's to look at, were there none yet: as administrator, auditor or owner."""
    return not role_names(person_id).isdisjoint((ADMINISTRATOR, AUDITOR, OWNER))


def systems_where(person_id: UUID | str, roles: Iterable[str], at: datetime | None = None) -> QuerySet[System]:
    """Systems for which the person holds one of the roles."""
    held = list(roles_of(person_id, at).filter(role__in=list(roles)).values_list("system_id", flat=True))
    return System.objects.all() if None in held else System.objects.filter(pk__in=held)


def people_with(role: str, system: System, at: datetime | None = None) -> QuerySet[Person]:
    """People who hold the role for the system, by name."""
    held = RoleAssignment.objects.filter(in_force(at), covers(system), role=role)
    return Person.objects.filter(pk__in=held.values("person_id"), left_at__isnull=True).order_by("name")


def people_with_for_any(role: str, at: datetime | None = None) -> list[Person]:
    """People who hold the role for any system; who is named as a system's owner is an owner. By name."""
    held = Q(pk__in=RoleAssignment.objects.filter(in_force(at), role=role).values("person_id"))
    named = Q(owned_systems__isnull=False) if role == OWNER else Q(pk__in=[])
    return list(Person.objects.filter(held | named, left_at__isnull=True).distinct().order_by("name"))


def owner_told(system: System) -> list[Person]:
    """Who is told what the owner of the system is told: where the owner has left, who else owns it, or else who administers it.

    Who left stays among them: `tell` sends them nothing, and says to the others why they are told.
    """
    if system.owner.left_at is None:
        return [system.owner]
    return [*(people_with(OWNER, system) or people_with(ADMINISTRATOR, system)), system.owner]


def administrators() -> QuerySet[Person]:
    """Those of all systems, who look after people; by name."""
    held = RoleAssignment.objects.filter(in_force(), role=ADMINISTRATOR, system__isnull=True)
    return Person.objects.filter(pk__in=held.values("person_id"), left_at__isnull=True).order_by("name")


def stands_for_something(person_id: UUID) -> bool:
    """Whether the person holds a role, has one to come, or is named as a system's owner."""
    held = RoleAssignment.objects.filter(not_over(), person_id=person_id, approved_at__isnull=False)
    return held.exists() or System.objects.filter(owner=person_id).exists()


def eligibilities_of(person_id: UUID | str, at: datetime | None = None) -> QuerySet[Eligibility]:
    """What the person may ask for now."""
    chosen = Eligibility.objects.filter(in_force(at), person_id=person_id, person__left_at__isnull=True)
    return chosen.select_related("privilege__system").order_by("privilege__system__name", "privilege__name")


def may_use(person_id: UUID | str, privilege: Privilege) -> bool:
    """Whether the person is on the list for the privilege and a responder of its system: the list says what, the role that they may ask.

    Of another company's people only while their contract runs.
    """
    listed = eligibilities_of(person_id).filter(privilege=privilege).exists()
    if not listed or not holds(person_id, RESPONDER, privilege.system):
        return False
    contract = contract_end_of(person_id)
    return contract is None or contract > now()


def may_use_locked(person_id: UUID | str, privilege: Privilege) -> bool:
    """As `may_use`, and it stays so until the caller's transaction ends: who takes it away at the same moment waits, and then sees what came of it.

    The list before the role, each in the order of its keys: whoever locks several of them locks in this order. What holds is asked after the
    locks are had, since a row that ended while they were waited for ended after any time taken before.
    """
    held = RoleAssignment.objects.filter(covers(privilege.system), role=RESPONDER)
    for rows in (Eligibility.objects.filter(privilege=privilege), held):
        list(lock_undecided(rows.filter(person_id=person_id)))
    return may_use(person_id, privilege)


def lock_undecided(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Those of the rows that are not over, locked in the one order of all."""
    return rows.filter(not_over()).select_for_update(of=("self",)).order_by("pk")


def usable_until(person_id: UUID | str, privilege: Privilege, at: datetime | None = None) -> datetime | None:
    """Until when list, role and, of another company's people, the contract carry a use that begins now; ``None``: without an end.

    What follows without a gap is counted in.
    """
    at = at or now()
    listed = Eligibility.objects.filter(person_id=person_id, privilege=privilege)
    held = RoleAssignment.objects.filter(covers(privilege.system), person_id=person_id, role=RESPONDER)
    ends = (_carried(listed, at), _carried(held, at), contract_end_of(person_id))
    return min(filter(None, ends), default=None)


def _carried(rows: QuerySet[Row], at: datetime) -> datetime | None:
    end = at
    dated = rows.filter(not_over(at), approved_at__isnull=False).order_by("from_at").values_list("from_at", "to_at")
    for from_at, to_at in dated:
        if from_at > end:
            break
        if to_at is None:
            return None
        end = max(end, to_at)
    return end


# --- the lists as pages show them


def _may_widen(viewer: Person) -> tuple[Q, Q]:
    """Roles and eligibilities that the viewer may propose and approve, their own left out."""
    administered = systems_where(viewer.pk, (ADMINISTRATOR,))
    everywhere = holds(viewer.pk, ADMINISTRATOR)
    managed = Q(privilege__system__in=systems_where(viewer.pk, (ADMINISTRATOR, OWNER))) | Q(
        privilege__system__owner=viewer
    )
    roles = Q(system__in=administered) | (Q(system__isnull=True) if everywhere else Q(pk__in=[]))
    return roles & ~Q(person=viewer), managed & ~Q(person=viewer)


def roles_waiting_for(viewer: Person) -> list[RoleAssignment]:
    """Proposed roles on which the viewer may decide as the second person."""
    waiting = RoleAssignment.objects.filter(not_over(), _may_widen(viewer)[0], approved_at__isnull=True).exclude(
        proposed_by=viewer
    )
    return list(waiting.select_related("person", "system", "proposed_by").order_by("proposed_at"))


def eligibilities_waiting_for(viewer: Person) -> list[Eligibility]:
    """Proposed eligibilities on which the viewer may decide as the second person."""
    waiting = Eligibility.objects.filter(not_over(), _may_widen(viewer)[1], approved_at__isnull=True).exclude(
        proposed_by=viewer
    )
    return list(waiting.select_related("person", "privilege__system", "proposed_by").order_by("proposed_at"))


def visible_roles(viewer: Person) -> QuerySet[RoleAssignment]:
    """Roles of systems that the viewer administers, owns or audits, and their own: what is about oneself is decided by others."""
    administered = systems_where(viewer.pk, (ADMINISTRATOR, OWNER, AUDITOR))
    seen = Q(system__in=administered) | Q(person=viewer) | Q(system__owner=viewer) | Q(lent_by=viewer)
    if holds_for_all(viewer.pk, (ADMINISTRATOR, AUDITOR)):
        seen |= Q(system__isnull=True)
    return RoleAssignment.objects.filter(seen).select_related(
        "person", "system", "proposed_by", "approved_by", "lent_by"
    )


def visible_role(viewer: Person, pk: UUID) -> RoleAssignment | None:
    """One of them."""
    return visible_roles(viewer).filter(pk=pk).first()


def visible_eligibilities(viewer: Person) -> QuerySet[Eligibility]:
    """Eligibilities on systems that the viewer manages, reviews or audits, and one's own."""
    systems = systems_where(viewer.pk, (ADMINISTRATOR, OWNER, REVIEWER, AUDITOR))
    seen = Q(privilege__system__in=systems) | Q(privilege__system__owner=viewer) | Q(person=viewer)
    return Eligibility.objects.filter(seen).select_related("person", "privilege__system", "proposed_by", "approved_by")


def visible_eligibility(viewer: Person, pk: UUID) -> Eligibility | None:
    """One of them."""
    return visible_eligibilities(viewer).filter(pk=pk).first()


def role_for_act(pk: UUID) -> RoleAssignment | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return RoleAssignment.objects.filter(pk=pk).select_related("person", "system").first()


def eligibility_for_act(pk: UUID) -> Eligibility | None:
    """As `role_for_act`."""
    return (
        Eligibility.objects.filter(pk=pk)
        .select_related("person", "privilege__system", "proposed_by", "approved_by")
        .first()
    )


def conflicting_with(role: str) -> frozenset[str]:
    """Roles that nobody holds beside this one."""
    return frozenset(each for pair in CONFLICTING if role in pair for each in pair if each != role)


def conflicts_of(row: RoleAssignment) -> QuerySet[RoleAssignment]:
    """Roles of the same person, waiting or in force, that conflict with this one: for a system of its own and at a time of its own."""
    others = RoleAssignment.objects.filter(
        not_over(), person_id=row.person_id, role__in=conflicting_with(row.role)
    ).exclude(pk=row.pk)
    if row.system_id is not None:
        others = others.filter(Q(system__isnull=True) | Q(system_id=row.system_id))
    if row.to_at is not None:
        others = others.filter(from_at__lt=row.to_at)
    return (
        others.filter(Q(to_at__isnull=True) | Q(to_at__gt=row.from_at)).select_related("system").order_by("role", "pk")
    )


def standing_conflicts(person: Person | None = None) -> list[tuple[RoleAssignment, RoleAssignment]]:
    """Pairs of conflicting roles that one person holds now, of everybody or of one. One query."""
    held = RoleAssignment.objects.filter(
        in_force(), person__left_at__isnull=True, role__in={each for pair in CONFLICTING for each in pair}
    )
    held = held.filter(person=person) if person is not None else held
    of_people: dict[UUID, list[RoleAssignment]] = {}
    for row in held.select_related("person", "system").order_by("person__name", "person_id", "role", "pk"):
        of_people.setdefault(row.person_id, []).append(row)
    return [
        (first, second)
        for rows in of_people.values()
        for first, second in combinations(rows, 2)
        if second.role in conflicting_with(first.role)
        and (None in (first.system_id, second.system_id) or first.system_id == second.system_id)
    ]


def conflicts_on(system: System) -> list[tuple[RoleAssignment, RoleAssignment]]:
    """Those of `standing_conflicts` that concern a system."""
    return [pair for pair in standing_conflicts() if all(each.system_id in (None, system.pk) for each in pair)]


def holds_for_all(person_id: UUID | str, roles: Iterable[str]) -> bool:
    """Whether the person holds one of the roles for all systems."""
    return roles_of(person_id).filter(role__in=list(roles), system__isnull=True).exists()


def lists_of_system(system: System) -> tuple[list[RoleAssignment], list[Eligibility]]:
    """Roles for the system alone or for all, and eligibilities, that wait or hold; whoever sees the system sees them."""
    roles = RoleAssignment.objects.filter(not_over(), covers(system)).select_related(
        "person", "proposed_by", "approved_by", "system"
    )
    listed = Eligibility.objects.filter(not_over(), privilege__system=system)
    listed = listed.select_related("person", "privilege__system", "proposed_by", "approved_by")
    return list(roles.order_by("role", "person__name")), list(listed.order_by("privilege__name", "person__name"))


def lists_of_person(viewer: Person, person: Person) -> tuple[list[RoleAssignment], list[Eligibility]]:
    """All that a person holds, held or was proposed for; for administrators, and for the person."""
    if viewer != person and not holds(viewer.pk, ADMINISTRATOR):
        return [], []
    roles = RoleAssignment.objects.filter(person=person).select_related(
        "person", "system", "proposed_by", "approved_by"
    )
    listed = Eligibility.objects.filter(person=person).select_related(
        "person", "privilege__system", "proposed_by", "approved_by"
    )
    return list(roles.order_by("-proposed_at")), list(listed.order_by("-proposed_at"))


def who_may_be_put_on(viewer: Person) -> QuerySet[Person]:
    """People whom the viewer may propose: everybody who is here but the viewer."""
    return who_is_here().exclude(pk=viewer.pk)


def who_is_here() -> QuerySet[Person]:
    """Everybody who has not left, by name."""
    return Person.objects.filter(left_at__isnull=True).order_by("name")
