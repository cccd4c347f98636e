"""Which sources there are, read from the log: the last ``source.declared`` of each, unless it was withdrawn later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.log.read import LoggedEvent, named

NONE = "none"
"""Counting of a source whose log is out of reach, or that numbers nothing."""


@dataclass(frozen=True)
class Source:
    """A source as it was declared. ``since`` is the time of its first declaration (ms)."""

    id: str
    system_id: str
    kind: str
    counting: str
    settings: Mapping[str, Any]
    since: int

    @property
    def subject(self) -> str:
        """What events about it name."""
        return f"source:{self.id}"

    def text(self, name: str, default: str = "") -> str:
        """A setting as text."""
        return str(self.settings.get(name, default))

    def number(self, name: str, default: int) -> int:
        """A setting as a number; what is none is the default."""
        try:
            return int(self.settings.get(name, default))
        except (TypeError, ValueError):
            return default

    @property
    def portal_login(self) -> str:
        """The portal's own login on the target."""
        return "portal" if self.kind == "simulated" else self.text("portal_login")

    @property
    def declared_logins(self) -> frozenset[str]:
        """Logins whose work is none of the portal's: applications, the target's owner."""
        names = self.text("declared_logins").split(",")
        return frozenset(name.strip() for name in names if name.strip())


def declared() -> list[Source]:
    """All sources that stand."""
    return sources_of(named(("source.declared", "source.withdrawn")))


def sources_of(events: list[LoggedEvent]) -> list[Source]:
    """Fold declarations and withdrawals, in the order of their times."""
    found: dict[str, Source] = {}
    for event in events:
        source_id = event.fields["source_id"]
        before = found.pop(source_id, None)
        if event.name == "source.declared":
            found[source_id] = Source(
                source_id,
                event.fields["system_id"],
                event.fields["kind"],
                event.fields["counting"],
                event.fields["settings"],
                before.since if before else event.at,
            )
    return list(found.values())
