"""Emergency stops as a viewer may see them, what they stop, and who is concerned."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.eligibility.models import ADMINISTRATOR, APPROVER, OWNER, RESPONDER, RoleAssignment
from portal.eligibility.queries import holds, holds_for_all, roles_of, systems_where
from portal.eligibility.queries import in_force as role_in_force
from portal.people.models import Person
from portal.rotas.queries import on_call_of
from portal.stops.models import Stop
from portal.stops.states import LIFT_ASKED, LIFTED
from portal.systems.models import System

STARTERS = (OWNER, APPROVER, ADMINISTRATOR)
LIFTERS = (OWNER, ADMINISTRATOR)
TOLD = (RESPONDER, APPROVER, OWNER, ADMINISTRATOR)
MOST_NAMED = 4


def in_force() -> QuerySet[Stop]:
    """All that hold, the newest first."""
    rows = Stop.objects.exclude(state=LIFTED)
    return rows.select_related("system", "started_by", "lift_asked_by").order_by("-started_at")


def on(system: System) -> QuerySet[Stop]:
    """Those in force that stop a system: its own, and one for all."""
    return in_force().filter(Q(system=system) | Q(system__isnull=True))


def is_stopped(system: System) -> bool:
    """Whether anything may be opened on the system."""
    return on(system).exists()


def stopped(field: str = "system") -> Exists:
    """A condition on rows that name a system in ``field``: it is stopped."""
    return Exists(Stop.objects.exclude(state=LIFTED).filter(Q(system__isnull=True) | Q(system=OuterRef(field))))


def by_system(systems: Iterable[System]) -> dict[UUID, Stop]:
    """The stop of each system that is stopped, its own before one for all. One query."""
    held = list(in_force())
    everywhere = next((each for each in held if each.system_id is None), None)
    own = {each.system_id: each for each in held if each.system_id is not None}
    found = {system.pk: own.get(system.pk, everywhere) for system in systems}
    return {pk: stop for pk, stop in found.items() if stop is not None}


def _part_of_its_system(viewer: Person) -> Q:
    """Stops of systems in which the viewer has any part; one for all concerns everybody."""
    covers = Q(system__isnull=True) | Q(system=OuterRef("system"))
    return Q(system__isnull=True) | Q(system__owner=viewer) | Q(Exists(roles_of(viewer.pk).filter(covers)))


def concerning(viewer: Person) -> list[Stop]:
    """Those in force that the viewer must know of, for every page. One query, and a second only while something is stopped."""
    if not Stop.objects.exclude(state=LIFTED).exists():
        return []
    return list(in_force().filter(_part_of_its_system(viewer)))


def visible(viewer: Person) -> QuerySet[Stop]:
    """Those in force that concern the viewer, and past ones."""
    rows = Stop.objects.filter(_part_of_its_system(viewer))
    return rows.select_related("system__owner", "started_by", "lift_asked_by", "lifted_by")


def past(viewer: Person) -> QuerySet[Stop]:
    """Those that were lifted, the newest first."""
    return visible(viewer).filter(state=LIFTED).order_by("-started_at")


def stop(viewer: Person, pk: UUID) -> Stop | None:
    """One of them."""
    return visible(viewer).filter(pk=pk).first()


def stop_for_act(pk: UUID) -> Stop | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return Stop.objects.select_related("system__owner").filter(pk=pk).first()


def scope_in_force(system: System | None) -> Stop | None:
    """The stop of exactly this scope: of the system alone, or of all."""
    return in_force().filter(system=system).first()


def systems_to_stop(viewer: Person) -> list[System]:
    """Systems that the viewer may stop, by name."""
    chosen = Q(pk__in=systems_where(viewer.pk, STARTERS).values("pk")) | Q(owner=viewer)
    return list(System.objects.filter(chosen).select_related("owner").order_by("name"))


def system_to_stop(viewer: Person, pk: UUID) -> System | None:
    """One of them."""
    chosen = Q(pk__in=systems_where(viewer.pk, STARTERS).values("pk")) | Q(owner=viewer)
    return System.objects.filter(chosen, pk=pk).select_related("owner").first()


def may_stop_all(viewer: Person) -> bool:
    """Whether the viewer may stop all systems at once."""
    return holds(viewer.pk, ADMINISTRATOR)


def lifts_waiting_for(viewer: Person) -> list[Stop]:
    """Stops whose lifting the viewer may confirm as the second person."""
    theirs = Q(system__in=systems_where(viewer.pk, LIFTERS)) | Q(system__owner=viewer)
    if holds_for_all(viewer.pk, (ADMINISTRATOR,)):
        theirs |= Q(system__isnull=True)
    waiting = in_force().filter(theirs, state=LIFT_ASKED).exclude(lift_asked_by=viewer)
    return list(waiting)


def _with_roles(roles: Iterable[str], system: System | None) -> QuerySet[Person]:
    """People who hold one of the roles for the system, its owner among them; without a system: for any."""
    held = RoleAssignment.objects.filter(role_in_force(), role__in=list(roles))
    owned = System.objects.all()
    if system is not None:
        held = held.filter(Q(system=system) | Q(system__isnull=True))
        owned = owned.filter(pk=system.pk)
    chosen = Q(pk__in=held.values("person_id")) | Q(pk__in=owned.values("owner_id"))
    return Person.objects.filter(chosen, left_at__isnull=True).order_by("name")


def concerned(system: System | None) -> list[Person]:
    """Who is told that a stop began or was lifted: who may ask, decide, own and administer there."""
    return list(_with_roles(TOLD, system))


def lifters(system: System | None) -> list[Person]:
    """Who may lift a stop: owners and administrators of the system; one for all its administrators alone."""
    if system is None:
        held = RoleAssignment.objects.filter(role_in_force(), role=ADMINISTRATOR, system__isnull=True)
        return list(Person.objects.filter(pk__in=held.values("person_id"), left_at__isnull=True).order_by("name"))
    return list(_with_roles(LIFTERS, system))


def contacts(stop: Stop, system: System | None) -> list[tuple[Person, str]]:
    """Whom somebody who is held up by a stop calls, and as what: the owner, then who else may lift it."""
    here = system is not None and system.owner.left_at is None
    named = {system.owner_id: (system.owner, "owns the system")} if system is not None and here else {}
    for person in lifters(stop.system):
        named.setdefault(person.pk, (person, "may lift the stop"))
    return list(named.values())[:MOST_NAMED]


def whom_to_call(stop: Stop, system: System | None, at: datetime) -> list[tuple[Person, str]]:
    """As `contacts`; who is on call for the system stands first: they are awake, and know who else is."""
    found = dict(contacts(stop, system))
    woken = dict[Person, str]()
    for rota, person, until in on_call_of(system, at) if system is not None else ():
        also = f"; {found.pop(person)}" if person in found else ""
        woken.setdefault(person, f"on call by the rota {rota.name}, until {until:%-d %b %Y, %H:%M} UTC{also}")
    return [*woken.items(), *found.items()]
