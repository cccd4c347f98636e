"""Rotas as a viewer may see them, and as plain plans."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet

from portal.clock import now
from portal.eligibility.lending import own_roles
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, OWNER, RoleAssignment
from portal.eligibility.queries import in_force, systems_where
from portal.people.models import Person
from portal.rotas.models import Absence, Rota, Swap
from portal.rotas.schedule import WEEK, Away, Exchange, Plan, handover, spells
from portal.rotas.states import OFFERED, TAKEN
from portal.systems.models import System

READERS = (APPROVER, OWNER, ADMINISTRATOR, AUDITOR)


def plans_of(rotas: Iterable[Rota]) -> dict[str, Plan]:
    """Each rota as a plan, by its id. A change of a rota gives its weeks anew, so swaps from before are over. Two queries, none without a rota."""
    rows = list(rotas)
    if not rows:
        return {}
    swaps, absences = dict[UUID, list[Exchange]](), dict[str, list[Away]]()
    agreed = Swap.objects.filter(rota__in=rows, state=TAKEN, answered_at__gt=F("rota__changed_at"))
    for each in agreed.order_by("answered_at", "pk"):
        found = Exchange(each.week, str(each.offered_by_id), each.other_week, str(each.to_id))
        swaps.setdefault(each.rota_id, []).append(found)
    members = {member for each in rows for member in each.members}
    for away in Absence.objects.filter(person__in=members, to_at__gt=F("from_at")):
        absences.setdefault(str(away.person_id), []).append(Away(str(away.person_id), away.from_at, away.to_at))
    return {
        str(each.pk): Plan(
            each.name, tuple(each.members), each.begins, each.hour, ZoneInfo(each.zone), tuple(swaps.get(each.pk, ())),
            tuple(away for member in each.members for away in absences.get(member, ())),
        )
        for each in rows
    }  # fmt: skip


def plans_ahead(rotas: Iterable[Rota], at: datetime) -> dict[str, Plan]:
    """As `plans_of`, for pages, from now on: a member who is no approver any more is passed over. One query more."""
    rows = list(rotas)
    members = {member for each in rows for member in each.members}
    held = RoleAssignment.objects.filter(
        in_force(at), role=APPROVER, lent_by__isnull=True, person__in=members, person__left_at__isnull=True
    )
    able = {(str(person), system) for person, system in held.values_list("person_id", "system_id")}
    found = plans_of(rows)
    for each in rows:
        gone = frozenset(member for member in each.members if not {(member, None), (member, each.system_id)} & able)
        found[str(each.pk)] = replace(found[str(each.pk)], gone=gone)
    return found


def plan_of(rota: Rota) -> Plan:
    """One of them."""
    return plans_of([rota])[str(rota.pk)]


def plans(ids: Iterable[str]) -> dict[str, Plan]:
    """The rotas of these ids as plans. Three queries, none without an id."""
    wanted = list(ids)
    return plans_of(Rota.objects.filter(pk__in=wanted)) if wanted else {}


def rotas_of(system: System) -> list[Rota]:
    """The rotas of a system that are in use, by name."""
    return list(_in_use().filter(system=system).order_by("name"))


def _in_use() -> QuerySet[Rota]:
    return Rota.objects.filter(retired_at__isnull=True)


def names_of(ids: Iterable[str]) -> dict[str, str]:
    """What they are called. One query, none without an id."""
    wanted = list(ids)
    found = Rota.objects.filter(pk__in=wanted).values_list("pk", "name") if wanted else ()
    return {str(pk): name for pk, name in found}


def visible(viewer: Person) -> QuerySet[Rota]:
    """Rotas of systems on which the viewer decides, which they own, administer or audit."""
    seen = Q(system__in=systems_where(viewer.pk, READERS)) | Q(system__owner=viewer)
    return Rota.objects.filter(seen).select_related("system", "changed_by", "retired_by")


def visible_rota(viewer: Person, pk: UUID) -> Rota | None:
    """One of them."""
    return visible(viewer).filter(pk=pk).first()


def rota_of(viewer: Person, person_id: UUID) -> Rota | None:
    """A rota that the viewer may see and the person is on: where to go back to."""
    return visible(viewer).filter(retired_at__isnull=True, members__contains=[str(person_id)]).first()


def may_be_on(system: System) -> list[Person]:
    """Approvers of the system in their own right, by name: who stands in for somebody has their turn anyway."""
    return list(Person.objects.filter(pk__in=own_roles(system).values("person_id")).order_by("name"))


def rotas_with(person_id: UUID) -> list[Rota]:
    """Rotas in use that the person is on. One query."""
    found = _in_use().filter(members__contains=[str(person_id)])
    return list(found.select_related("system").order_by("system__name", "name"))


def on_call_of(system: System, at: datetime) -> list[tuple[Rota, Person, datetime]]:
    """Who is on call now by each rota of the system, and until when; a rota of which nobody is here is left out. One query; four more where there is a rota."""
    rows = rotas_of(system)
    plans = plans_ahead(rows, at)
    now_on = [(each, next(spells(plans[str(each.pk)], at, at + WEEK))) for each in rows]
    people = Person.objects.in_bulk([UUID(spell.person) for _, spell in now_on if spell.person]) if rows else {}
    return [(rota, people[UUID(spell.person)], spell.to_at) for rota, spell in now_on if spell.person]


def watches_of(viewer: Person, at: datetime) -> list[tuple[Rota, datetime]]:
    """Rotas by which the viewer is on call now, and until when. One query; three more where they are on a rota."""
    rows = rotas_with(viewer.pk)
    plans = plans_ahead(rows, at)
    now_on = ((each, next(spells(plans[str(each.pk)], at, at + WEEK))) for each in rows)
    return [(rota, spell.to_at) for rota, spell in now_on if spell.person == str(viewer.pk)]


def members_of(rotas: Iterable[Rota]) -> dict[str, Person]:
    """The people on these rotas, by pseudonym. One query."""
    named = {member for each in rotas for member in each.members}
    return {str(each.pk): each for each in Person.objects.filter(pk__in=named)}


def only_on_rotas_of(systems: Iterable[System], rota: Rota) -> set[str]:
    """The members of a rota who are on rotas of these systems alone. One query."""
    others = _in_use().exclude(system__in=systems).values_list("members", flat=True)
    return set(rota.members) - {member for members in others for member in members}


def offers_of(rota: Rota) -> list[Swap]:
    """Swaps that wait for an answer and can still be taken."""
    waiting = Swap.objects.filter(rota=rota, state=OFFERED).select_related("offered_by", "to", "rota")
    return _still_ahead(waiting.order_by("week"))


def offers_to(viewer: Person) -> list[Swap]:
    """Swaps that wait for the viewer's answer and can still be taken, whatever the rota."""
    mine = Swap.objects.filter(to=viewer, state=OFFERED).select_related("offered_by", "rota__system")
    return _still_ahead(mine.order_by("offered_at"))


def _still_ahead(offers: Iterable[Swap]) -> list[Swap]:
    """Those of which neither week is over."""
    at = now()
    return [each for each in offers if min(_end_of(each, each.week), _end_of(each, each.other_week)) > at]


def _end_of(offer: Swap, week: date) -> datetime:
    return handover(week + WEEK, offer.rota.hour, ZoneInfo(offer.rota.zone))


def absences_of(rota: Rota, at: datetime | None = None) -> list[Absence]:
    """Absences of the members that are not over."""
    ahead = Absence.objects.filter(person__in=rota.members, to_at__gt=at or now()).filter(to_at__gt=F("from_at"))
    return list(ahead.select_related("person").order_by("from_at"))


def absences_between(person_id: UUID, from_at: datetime, to_at: datetime) -> QuerySet[Absence]:
    """Absences of a person that share a moment with these times."""
    said = Absence.objects.filter(person=person_id, to_at__gt=F("from_at"))
    return said.filter(from_at__lt=to_at, to_at__gt=from_at)


def rota_for_act(pk: UUID) -> Rota | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return Rota.objects.select_related("system").filter(pk=pk).first()


def swap_for_act(pk: UUID) -> Swap | None:
    """As `rota_for_act`."""
    return Swap.objects.select_related("rota__system").filter(pk=pk).first()


def absence_for_act(pk: UUID) -> Absence | None:
    """As `rota_for_act`."""
    return Absence.objects.filter(pk=pk).first()
