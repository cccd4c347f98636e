"""A system as it was, and what a proposal would change of it, as plain facts."""

from portal.clock import ms
from portal.connectors import for_kind
from portal.people.models import Person
from portal.systems.models import ProposedChange, System

CHANGE = "change"
MAJOR = "major"  # said of a change, and kept with it alone
WORDS = {
    "name": "Name", "slug": "Short name", "owner": "Owner", "criticality": "Criticality", "personal_data": "Holds personal data",
    "way_in": "The way in",
    MAJOR: "Major: to be drilled again", "connector": "Kind", "on_target": "Name on the target", "description": "Description", "counting": "Counting",
    "host": "Host", "port": "Port", "dbname": "Database", "user": "The portal's login", "sslmode": "Encryption",
    "sslrootcert": "Certificate authority", "public_host": "Host as responders reach it", "public_port": "Port as responders reach it",
    "databases": "Databases", "privileges": "Roles that the test looks at", "state_path": "File", "log_dir": "Folder of its log",
    "portal_login": "The portal's login", "declared_logins": "Logins that are not the portal's", "lateness_ms": "Lateness (ms)",
    "heartbeat_ms": "Time between heartbeats (ms)",
}  # fmt: skip


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


def differences(change: ProposedChange) -> list[tuple[str, str, str]]:
    """What, present and proposed value of what would change, in words; settings one by one. A secret is never among them.

    Of a proposal that was decided, all that it held: what stands now may be newer.
    """
    present = change.system if change.kind == CHANGE and not change.decision else None
    rows = [row for name, value in change.after.items() if name != "id" for row in _rows(name, value, present)]
    owners = [str(value) for name, *values in rows if name == "owner" for value in values if value]
    names = {str(each.pk): each.name for each in Person.objects.filter(pk__in=owners)}
    return [
        (WORDS.get(name, name), _text(before, names), _text(value, names))
        for name, before, value in rows
        if before != value
    ]


def _rows(name: str, value: object, present: System | None) -> list[tuple[str, object, object]]:
    before = _now(present, name) if present is not None else None
    if not isinstance(value, dict):
        return [(name, before, value)]
    known = before if isinstance(before, dict) else {}
    return [(key, known.get(key), value.get(key)) for key in sorted({*value, *known})]


def _text(value: object, names: dict[str, str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return names.get(str(value), str(value)) if value not in (None, "") else "—"


def _now(system: System, name: str) -> object:
    if name == MAJOR:
        return False
    return str(system.owner_id) if name == "owner" else getattr(system, name)
