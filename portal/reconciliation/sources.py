"""Which sources there are, and when something was last tried on each. Declared in the log; the portal keeps no table of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.log.heartbeats import all_beats
from audit.log.read import named
from portal.clock import now
from portal.systems.models import System

HEARTBEAT_MS = 10_000


@dataclass(frozen=True)
class Source:
    """A source as it was last declared, and the system that it reports of."""

    id: str
    system: System
    counting: str
    settings: Mapping[str, Any]

    @property
    def log_subject(self) -> str:
        """How the log names it."""
        return f"source:{self.id}"

    @property
    def every(self) -> timedelta:
        """How often a heartbeat is due."""
        try:
            return timedelta(milliseconds=int(self.settings.get("heartbeat_ms", HEARTBEAT_MS)))
        except (TypeError, ValueError):
            return timedelta(milliseconds=HEARTBEAT_MS)


@dataclass(frozen=True)
class Tried:
    """The last try of something: when, and what stood in the way."""

    at: datetime
    trouble: str


def declared() -> list[Source]:
    """All sources that stand, of systems in scope."""
    found: dict[str, Any] = {}
    for event in named(("source.declared", "source.withdrawn")):
        found.pop(event.fields["source_id"], None)
        if event.name == "source.declared":
            found[event.fields["source_id"]] = event.fields
    systems = {str(each.pk): each for each in in_scope()}
    return [
        Source(key, systems[fields["system_id"]], fields["counting"], fields["settings"])
        for key, fields in found.items() if fields["system_id"] in systems
    ]  # fmt: skip


def in_scope() -> list[System]:
    """Systems that may be opened now."""
    at = now()
    rows = System.objects.filter(in_scope_from__lte=at).order_by("name")
    return [each for each in rows if each.in_scope_to is None or each.in_scope_to > at]


def last_tries(kind: str) -> dict[str, Tried]:
    """What was tried last, by id: kept as heartbeats named ``<kind>:<id>``. For operators and for the next try."""
    prefix = f"{kind}:"
    return {
        row.process.removeprefix(prefix): Tried(row.at, str(row.detail.get("trouble", "")))
        for row in all_beats() if row.process.startswith(prefix)
    }  # fmt: skip


def declared_logins(system: System) -> frozenset[str]:
    """Logins whose work is none of the portal's, and the portal's own."""
    named: list[str] = [*(system.settings.get("declared_logins") or ()), str(system.settings.get("user", ""))]
    for source in declared():
        if source.system.pk == system.pk:
            named += [
                *str(source.settings.get("declared_logins", "")).split(","),
                str(source.settings.get("portal_login", "")),
            ]
    return frozenset(name.strip() for name in named if name.strip())
