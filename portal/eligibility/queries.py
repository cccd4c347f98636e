"""Who holds which role, and who may ask for what, at a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.people.models import Person
from portal.systems.models import System

Row = TypeVar("Row", bound=Model)


def in_force(at: datetime | None = None) -> Q:
    """Approved, begun and not over."""
    at = at or now()
    over = Q(to_at__isnull=True) | Q(to_at__gt=at)
    return Q(approved_at__isnull=False, from_at__lte=at) & over & (Q(ended_at__isnull=True) | Q(ended_at__gt=at))


def holds(person_id: UUID | str, role: str, system: System | None = None, at: datetime | None = None) -> bool:
    """Whether the person holds the role for the system, or for all systems. Without a system: for all systems only."""
    return roles_of(person_id, at).filter(role=role).filter(_covers(system)).exists()


def holds_anywhere(person_id: UUID | str, roles: Iterable[str], at: datetime | None = None) -> bool:
    """Whether the person holds one of the roles for any system."""
    return roles_of(person_id, at).filter(role__in=list(roles)).exists()


def _covers(system: System | None) -> Q:
    everywhere = Q(system__isnull=True)
    return everywhere if system is None else everywhere | Q(system=system)


def roles_of(person_id: UUID | str, at: datetime | None = None) -> QuerySet[RoleAssignment]:
    """The person's roles in force."""
    return RoleAssignment.objects.filter(in_force(at), person_id=person_id, person__left_at__isnull=True)


def systems_where(person_id: UUID | str, roles: Iterable[str], at: datetime | None = None) -> QuerySet[System]:
    """Systems for which the person holds one of the roles."""
    held = list(roles_of(person_id, at).filter(role__in=list(roles)).values_list("system_id", flat=True))
    return System.objects.all() if None in held else System.objects.filter(pk__in=held)


def people_with(role: str, system: System, at: datetime | None = None) -> QuerySet[Person]:
    """People who hold the role for the system, by name."""
    held = RoleAssignment.objects.filter(in_force(at), _covers(system), role=role)
    return Person.objects.filter(pk__in=held.values("person_id"), left_at__isnull=True).order_by("name")


def eligibilities_of(person_id: UUID | str, at: datetime | None = None) -> QuerySet[Eligibility]:
    """What the person may ask for now."""
    chosen = Eligibility.objects.filter(in_force(at), person_id=person_id, person__left_at__isnull=True)
    return chosen.select_related("privilege__system").order_by("privilege__system__name", "privilege__name")
