"""One line of the status page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from portal.health.parts import About

HEALTHY, LATE, DOWN, UNKNOWN, NOT_COVERED = "healthy", "late", "down", "unknown", "not_covered"
AMISS = "amiss"  # the part works, and what it found must not be


@dataclass(frozen=True)
class Sign:
    """A heartbeat: when, and what was said with it."""

    at: datetime
    detail: Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """How a part goes, since when that is known, and what is to be said of it now.

    ``does``: what it is for; ``late``: what comes later, or not at all, while it is down.
    """

    name: str
    state: str
    at: datetime | None
    says: str
    does: str = ""
    late: str = ""

    @property
    def needs_somebody(self) -> bool:
        """Whether a person should look: a source that the portal cannot reach was declared so."""
        return self.state not in (HEALTHY, NOT_COVERED)


def row(about: About, state: str, at: datetime | None, says: str) -> Row:
    """The line of a part that has words of its own."""
    return Row(about.label, state, at, says, about.does, about.late)
