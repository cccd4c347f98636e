"""What stands already; who may see it is asked in ``portal/eligibility/seen.py``, where roles are known."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from portal.systems.models import Privilege, ProposedChange, System


def slug_is_taken(slug: str, but: System | None = None) -> bool:
    """Whether another system has the short name."""
    others = System.objects.exclude(pk=but.pk) if but else System.objects.all()
    return others.filter(slug=slug).exists()


def privilege_is_taken(system: System, on_target: str) -> bool:
    """Whether the system has a privilege of that name on the target."""
    return Privilege.objects.filter(system=system, on_target=on_target).exists()


def system_for_act(pk: UUID) -> System | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return System.objects.select_related("owner").filter(pk=pk).first()


def privilege_for_act(pk: UUID) -> Privilege | None:
    """As `system_for_act`."""
    return Privilege.objects.select_related("system__owner").filter(pk=pk).first()


def change_for_act(pk: UUID) -> ProposedChange | None:
    """As `system_for_act`."""
    return ProposedChange.objects.select_related("system", "proposed_by", "decided_by").filter(pk=pk).first()


def source_settings(system_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """How each system's source of activity was declared, where it was; the newest declaration holds. One query."""
    declared = ProposedChange.objects.filter(system__in=system_ids, kind="source", decision="approve")
    rows = declared.order_by("decided_at").values_list("system_id", "after")
    return {pk: after.get("settings", {}) for pk, after in rows if pk is not None}
