"""Which policy holds for a system."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.clock import now
from portal.errors import RefusedByPolicy
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, parse
from portal.systems.models import System


def in_force(system: System, at: datetime | None = None) -> PolicyVersion:
    """The version in force for the system.

    Raises:
        RefusedByPolicy: none is.
    """
    at = at or now()
    open_ended = Q(effective_to__isnull=True) | Q(effective_to__gt=at)
    found = PolicyVersion.objects.filter(open_ended, system=system, effective_from__lte=at).order_by("-number").first()
    if found is None:
        raise RefusedByPolicy(
            f"No policy is in force for {system.name}. An administrator must approve one first.", about=system
        )
    return found


def in_force_for(systems: Iterable[System]) -> dict[UUID, PolicyVersion]:
    """The versions in force, by system; systems without one are absent. One query."""
    at = now()
    open_ended = Q(effective_to__isnull=True) | Q(effective_to__gt=at)
    found = PolicyVersion.objects.filter(open_ended, system__in=list(systems), effective_from__lte=at).order_by("number")
    return {version.system_id: version for version in found}


def rules_of(version: PolicyVersion) -> Policy:
    """The rules of a version."""
    return parse(version.document)


def versions_of(system: System) -> QuerySet[PolicyVersion]:
    """All versions, newest first."""
    return (
        PolicyVersion.objects.filter(system=system)
        .select_related("written_by", "approved_by", "declined_by")
        .order_by("-number")
    )


def waiting(viewer: Person) -> QuerySet[PolicyVersion]:
    """Proposed versions that wait for an administrator other than their writer."""
    undecided = PolicyVersion.objects.filter(approved_at__isnull=True, declined_at__isnull=True)
    return undecided.exclude(written_by=viewer).select_related("system", "written_by")
