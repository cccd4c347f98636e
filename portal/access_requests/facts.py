"""A request as plain facts, as they were, for events."""

from typing import Any

from portal.access_requests.models import AccessRequest
from portal.access_requests.queries import Audience, would_end
from portal.access_requests.strength import is_weaker
from portal.access_requests.turns import Turn
from portal.clock import ms, optional_ms
from portal.policy.rules import CATEGORIES, CRITERIA, Policy


def made(
    request: AccessRequest,
    policy: Policy,
    audience: Audience,
    first: Turn | None,
    *,
    repeats: bool,
    owed: list[str],
    ends_about: int,
) -> dict[str, Any]:
    """Fields of ``request.made``. ``first``: the turn that was told."""
    bypass = request.mode == "bypass"
    approvers = [str(person.pk) for person in audience.approvers]
    told = [str(person.pk) for person in audience.owners if person.left_at is None]
    return {
        "responder_id": request.responder_id, "system_id": request.system_id, "system_name": request.system.name,
        "privilege_id": request.privilege_id, "privilege_name": request.privilege.name, "mode": request.mode,
        "category": request.category or None, "criterion": request.criterion or None, "reason": request.reason,
        "reason_length": len(request.reason), "reason_repeats": repeats, "intended_classes": request.intended_classes,
        "incident_ref": request.incident_ref or None, "minutes": request.minutes, "policy_id": request.policy_id,
        "policy_number": request.policy.number, "policy_sha256": request.policy.sha256,
        "approvals_needed": 0 if bypass else policy.min_approvals, "asked": [str(person.pk) for person in first.people] if first else [],
        "told": told + list(audience.addresses) if bypass else told, "skipped": approvers if bypass else None,
        "factor": request.factor or None, "weaker_factor": True if is_weaker(request, policy) else None,
        "rota": (first.rota if first else "") or None, "unmanned": list(first.unmanned) if first and first.unmanned else None,
        "groups": list(first.groups) if first and first.groups else None,
        "owed": owed or None, "lapses_at": optional_ms(request.lapses_at), "ends_about": ends_about or ms(request.requested_at),
    }  # fmt: skip


def who_where_what(request: AccessRequest) -> dict[str, Any]:
    """Person, system and privilege, as every alert about a use says them."""
    return {"person": request.responder.name, "system": request.system.name, "privilege": request.privilege.name}


def for_alert(request: AccessRequest) -> dict[str, Any]:
    """What an approver's alert says."""
    return {
        **who_where_what(request), "minutes": request.minutes, "reason": request.reason, "category": CATEGORIES.get(request.category, ""),
        "criterion": CRITERIA.get(request.criterion, ""), "incident": request.incident_ref,
        "ends_about": would_end(request.responder_id, request.privilege, request.minutes, request.requested_at).at,
    }  # fmt: skip
