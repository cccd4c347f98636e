"""Rows of the lists as plain facts, for events."""

from portal.eligibility.models import Eligibility, RoleAssignment

Facts = dict[str, object]


def of_role(row: RoleAssignment) -> Facts:
    """Which role of whom, where."""
    return {
        "role_id": row.pk, "person_id": row.person_id, "role": row.role, "system_id": row.system_id, "lent_by": row.lent_by_id,
        "group": row.group or None,
    }  # fmt: skip


def of_eligibility(row: Eligibility) -> Facts:
    """Who may ask for what."""
    return {
        "eligibility_id": row.pk, "person_id": row.person_id, "system_id": row.privilege.system_id, "privilege_id": row.privilege_id,
    }  # fmt: skip
