"""A system as it was, and what a proposal would change of it, as plain facts."""

from portal.clock import ms
from portal.connectors import for_kind
from portal.people.models import Person
from portal.systems.models import ProposedChange, System

CHANGE = "change"


def system_facts(system: System) -> dict[str, object]:
    """What ``system.registered`` and ``system.changed`` say. No setting and no secret is among it."""
    connector = for_kind(system.connector)
    return {
        "system_id": system.pk, "slug": system.slug, "name": system.name, "owner_id": system.owner_id, "criticality": system.criticality,
        "personal_data": system.personal_data, "connector": system.connector, "reads_back": connector.reads_back,
        "lists_access": connector.lists_access, "in_scope_from": ms(system.in_scope_from),
    }  # fmt: skip


def changed_names(change: ProposedChange) -> list[str]:
    """Names of what the proposal changes; that there is a new secret, never which."""
    present = change.system if change.kind == CHANGE else None
    names = [
        name
        for name, value in change.after.items()
        if name != "id" and (present is None or value != _now(present, name))
    ]
    return sorted([*names, "secret"] if change.secret else names)


def differences(change: ProposedChange, present: System | None) -> list[tuple[str, str, str]]:
    """Name, present and proposed value of what would change, as texts; settings one by one. A secret is never among them."""
    rows: list[tuple[str, object, object]] = []
    for name, value in change.after.items():
        before = _now(present, name) if present is not None and name != "id" else None
        if name == "settings" and isinstance(value, dict):
            known = before if isinstance(before, dict) else {}
            rows += [(key, known.get(key), value.get(key)) for key in sorted({*value, *known})]
        elif name != "id":
            rows.append((name, before, value))
    names = {
        str(each.pk): each.name
        for each in Person.objects.filter(
            pk__in=[row[i] for row in rows if row[0] == "owner" for i in (1, 2) if row[i]]
        )
    }
    return [(name, _text(before, names), _text(value, names)) for name, before, value in rows if before != value]


def _text(value: object, names: dict[str, str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return names.get(str(value), str(value)) if value not in (None, "") else "—"


def _now(system: System, name: str) -> object:
    return str(system.owner_id) if name == "owner" else getattr(system, name)
