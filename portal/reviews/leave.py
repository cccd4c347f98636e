"""A reviewer who goes on leave names another one, who stands in for dated days: reviews that are theirs go to that one. It gives nobody a right."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.clock import now
from portal.people.models import Person
from portal.reviews.models import Delegation
from portal.systems.models import System


def not_over(at: datetime | None = None) -> Q:
    """To come, or in force."""
    return Q(to_at__gt=at or now(), ended_at__isnull=True)


def in_force(system: System | None = None) -> QuerySet[Delegation]:
    """Whoever is away now, from a system or from all of them."""
    rows = Delegation.objects.filter(not_over(), from_at__lte=now()).select_related("person", "to", "system")
    return rows if system is None else rows.filter(Q(system=system) | Q(system__isnull=True))


def stand_ins(system: System) -> dict[UUID, Person]:
    """Who stands in for whom on the system now. One query."""
    return {each.person_id: each.to for each in in_force(system)}


def of_person(person: Person) -> list[Delegation]:
    """What the person named or was named for, and is not over."""
    rows = Delegation.objects.filter(not_over()).filter(Q(person=person) | Q(to=person))
    return list(rows.select_related("person", "to", "system"))


def for_act(pk: UUID) -> Delegation | None:
    """For the act alone, which says who may."""
    return Delegation.objects.filter(pk=pk).first()


def here(people: Iterable[Person], system: System) -> list[Person]:
    """Those of the people who are not away; all of them where everybody is."""
    listed = list(people)
    away = stand_ins(system) if listed else {}
    return [each for each in listed if each.pk not in away] or listed
