"""A system as it was, as plain facts for events."""

from portal.clock import ms
from portal.connectors import for_kind
from portal.systems.models import System


def system_facts(system: System) -> dict[str, object]:
    """What ``system.registered`` and ``system.changed`` say. No setting and no secret is among it."""
    connector = for_kind(system.connector)
    return {
        "system_id": system.pk, "slug": system.slug, "name": system.name, "owner_id": system.owner_id, "criticality": system.criticality,
        "personal_data": system.personal_data, "connector": system.connector, "reads_back": connector.reads_back,
        "lists_access": connector.lists_access, "in_scope_from": ms(system.in_scope_from),
    }  # fmt: skip
