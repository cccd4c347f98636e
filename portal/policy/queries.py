"""Which policy holds for a system."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from portal.clock import now
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, CUSTODIAN, OWNER, RESPONDER, REVIEWER
from portal.eligibility.queries import eligibilities_of, systems_where
from portal.errors import RefusedByPolicy
from portal.people.models import Person
from portal.policy.models import PolicyConfirmation, PolicyVersion
from portal.policy.rules import Policy, parse
from portal.rotas.queries import names_of as rota_names
from portal.systems.models import System


def holding(at: datetime) -> Q:
    """A condition on versions: in force at that time."""
    return Q(effective_from__lte=at) & (Q(effective_to__isnull=True) | Q(effective_to__gt=at))


def in_force(system: System, at: datetime | None = None) -> PolicyVersion:
    """The version in force for the system.

    Raises:
        RefusedByPolicy: none is.
    """
    found = PolicyVersion.objects.filter(holding(at or now()), system=system).order_by("-number").first()
    if found is None:
        raise RefusedByPolicy(
            f"No policy is in force for {system.name}. An administrator must approve one first.", about=system
        )
    return found


def in_force_for(systems: Iterable[System]) -> dict[UUID, PolicyVersion]:
    """The versions in force, by system; systems without one are absent. One query."""
    found = PolicyVersion.objects.filter(holding(now()), system__in=list(systems)).order_by("number")
    return {version.system_id: version for version in found}


def looks_due(versions: Iterable[PolicyVersion]) -> dict[UUID, datetime]:
    """When each version is to be looked at again: after the last look that left it unchanged, otherwise as it said itself. One query."""
    known = {each.pk: each.review_due_at for each in versions}
    looked = PolicyConfirmation.objects.filter(version__in=list(known))
    return known | dict(looked.order_by("version_id").values_list("version_id").annotate(Max("due_at")))


def confirmations_of(version: PolicyVersion) -> QuerySet[PolicyConfirmation]:
    """Looks that left the version unchanged, the last one first."""
    return version.confirmations.select_related("confirmed_by")


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


def before_it(version: PolicyVersion, versions: Iterable[PolicyVersion]) -> PolicyVersion | None:
    """The version, of these, that a version takes the place of: the one in force, or that was in force when it was decided.

    Not the one with the number before: of two that wait, either may be agreed to first.
    """
    at = version.effective_from or version.declined_at or now()
    held = (each for each in versions if each.pk != version.pk and each.effective_from and each.effective_from <= at)
    return next((each for each in held if each.effective_to is None or each.effective_to >= at), None)


def waiting(viewer: Person) -> QuerySet[PolicyVersion]:
    """Proposed versions on which the viewer may decide: of systems that they administer, and not their own."""
    administered = systems_where(viewer.pk, (ADMINISTRATOR,))
    undecided = PolicyVersion.objects.filter(
        system__in=administered, approved_at__isnull=True, declined_at__isnull=True
    )
    return undecided.exclude(written_by=viewer).select_related("system", "written_by")


def names_in(*versions: PolicyVersion | None) -> dict[str, str]:
    """Names of the people and rotas that these versions put into tiers. One query for each, none where there are none."""
    tiers = [tier for version in versions if version for tier in rules_of(version).tiers]
    named = {each for tier in tiers for each in tier.people}
    people = Person.objects.filter(pk__in=named).values_list("pk", "name") if named else ()
    return {str(pk): name for pk, name in people} | rota_names({tier.rota for tier in tiers if tier.rota})


READERS = (RESPONDER, APPROVER, REVIEWER, OWNER, CUSTODIAN, AUDITOR, ADMINISTRATOR)


def systems_of_policies(viewer: Person) -> list[System]:
    """Systems whose policies the viewer may read, by name."""
    return list(_readable(viewer).order_by("name"))


def versions_for(viewer: Person) -> QuerySet[PolicyVersion]:
    """All versions of the policies of those systems, with when each is to be looked at again as ``due_``."""
    rows = PolicyVersion.objects.filter(system__in=_readable(viewer)).order_by("system__name", "number", "pk")
    return rows.annotate(due_=Coalesce(Max("confirmations__due_at"), "review_due_at"))


def _readable(viewer: Person) -> QuerySet[System]:
    """In scope, where they hold a role, own, or may ask for something."""
    asked = eligibilities_of(viewer.pk).values("privilege__system_id")
    held = Q(pk__in=systems_where(viewer.pk, READERS)) | Q(owner=viewer) | Q(pk__in=asked)
    return System.objects.filter(held, in_scope_to__isnull=True)


def undecided_for(systems: Iterable[System]) -> dict[UUID, int]:
    """How many versions of each system wait for a second administrator. One query."""
    rows = PolicyVersion.objects.filter(system__in=list(systems), approved_at__isnull=True, declined_at__isnull=True)
    return dict(rows.values_list("system_id").annotate(count=Count("pk")).order_by())


def version_of(viewer: Person, pk: UUID) -> PolicyVersion | None:
    """One version that the viewer may read."""
    found = version_for_act(pk)
    return found if found is not None and found.system in systems_of_policies(viewer) else None


def version_for_act(pk: UUID) -> PolicyVersion | None:
    """For the act alone, which refuses whoever may not, and has that on record."""
    people = ("written_by", "approved_by", "declined_by")
    return PolicyVersion.objects.filter(pk=pk).select_related("system__owner", *people).first()


def system_for_act(pk: UUID) -> System | None:
    """As `version_for_act`."""
    return System.objects.filter(pk=pk).select_related("owner").first()
