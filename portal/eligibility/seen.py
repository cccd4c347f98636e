"""Systems and proposed changes that a viewer's roles let them see: administrators and auditors what their role covers, owners their own."""

from uuid import UUID

from django.db.models import Q, QuerySet

from portal.eligibility.models import ADMINISTRATOR, AUDITOR, OWNER
from portal.eligibility.queries import holds_for_all, systems_where
from portal.people.models import Person
from portal.people.rights import MANAGE
from portal.systems.models import Privilege, ProposedChange, System

LATEST_CHANGES = 10


def systems_seen(viewer: Person) -> QuerySet[System]:
    """Systems whose page the viewer may open."""
    covered = systems_where(viewer.pk, (ADMINISTRATOR, AUDITOR, OWNER))
    return (
        System.objects.filter(Q(owner=viewer) | Q(pk__in=covered))
        .select_related("owner")
        .prefetch_related("privileges")
    )


def systems(viewer: Person) -> list[System]:
    """Systems whose page the viewer may open, by name."""
    return list(systems_seen(viewer).order_by("name"))


def system(viewer: Person, pk: UUID) -> System | None:
    """One of them."""
    return systems_seen(viewer).filter(pk=pk).first()


def managed_system(viewer: Person, pk: UUID) -> System | None:
    """One of them that the viewer may also propose changes of; auditors only look."""
    found = system(viewer, pk)
    return found if found is not None and viewer.has_perm(MANAGE, found) else None


def managed_systems(viewer: Person) -> list[System]:
    """Systems on whose lists the viewer may put people, with their privileges."""
    covered = systems_where(viewer.pk, (ADMINISTRATOR, OWNER))
    chosen = System.objects.filter(Q(owner=viewer) | Q(pk__in=covered)).prefetch_related("privileges")
    return list(chosen.order_by("name"))


def privileges_of(systems: list[System]) -> QuerySet[Privilege]:
    """What can be opened on them."""
    return Privilege.objects.filter(system__in=systems)


def administered_systems(viewer: Person) -> QuerySet[System]:
    """Systems for which the viewer may propose roles."""
    return systems_where(viewer.pk, (ADMINISTRATOR,)).order_by("name")


def privilege(viewer: Person, pk: UUID) -> Privilege | None:
    """A privilege on a system that the viewer manages."""
    found = Privilege.objects.filter(pk=pk).select_related("system").first()
    return found if found is not None and viewer.has_perm(MANAGE, found.system) else None


def _changes(viewer: Person) -> QuerySet[ProposedChange]:
    seen = Q(system__in=systems_seen(viewer).values("pk"))
    if holds_for_all(viewer.pk, (ADMINISTRATOR, AUDITOR)):
        seen |= Q(system__isnull=True)
    return ProposedChange.objects.filter(seen).select_related("system", "proposed_by", "decided_by")


def change(viewer: Person, pk: UUID) -> ProposedChange | None:
    """One proposal, waiting or decided."""
    return _changes(viewer).filter(pk=pk).first()


def changes_waiting(viewer: Person) -> list[ProposedChange]:
    """All proposals that wait and that the viewer may see, the oldest first."""
    return list(_changes(viewer).filter(decision="").order_by("proposed_at"))


def changes_waiting_for(viewer: Person) -> list[ProposedChange]:
    """Proposals on which the viewer may decide as the second administrator."""
    decided_by_them = Q(system__in=administered_systems(viewer).values("pk"))
    if holds_for_all(viewer.pk, (ADMINISTRATOR,)):
        decided_by_them |= Q(system__isnull=True)
    waiting = ProposedChange.objects.filter(decided_by_them, decision="").exclude(proposed_by=viewer)
    return list(waiting.select_related("system", "proposed_by").order_by("proposed_at"))


def changes_of(system: System) -> list[ProposedChange]:
    """The latest proposals about a system that the viewer sees."""
    chosen = ProposedChange.objects.filter(system=system).select_related("proposed_by", "decided_by")
    return list(chosen.order_by("-proposed_at")[:LATEST_CHANGES])


def source_of(system: System) -> ProposedChange | None:
    """The declaration of the system's source that holds now."""
    declared = ProposedChange.objects.filter(system=system, kind="source", decision="approve")
    return declared.order_by("-decided_at").first()
