"""When a system is to be drilled next: so long after the last drill that worked, or since it came into scope (T-34)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from django.db.models import Max

from portal.drills.models import Drill
from portal.parameters import values
from portal.systems.models import System

SOON = timedelta(days=14)
"""The owner is told so long before."""


@cache
def interval() -> timedelta:
    """The longest time between two drills; the operator's stricter figure holds."""
    return timedelta(days=min(values("drill_days")))


@dataclass(frozen=True)
class Due:
    """What a system owes. ``last_at``: when it was drilled last and that worked."""

    system: System
    due_at: datetime
    last_at: datetime | None

    def mark(self, now: datetime) -> str:
        """Which reminder has come due: two weeks ahead, at its time, and each week after; empty before that."""
        if now < self.due_at - SOON:
            return ""
        return "soon" if now < self.due_at else f"late-{(now - self.due_at).days // 7}"


def due_of(systems: Iterable[System]) -> list[Due]:
    """For each system in scope, the first due first. One query."""
    chosen = [each for each in systems if each.in_scope_from and not each.in_scope_to]
    last = _last(each.pk for each in chosen)
    found = [
        Due(each, max(last.get(each.pk) or each.in_scope_from, each.in_scope_from) + interval(), last.get(each.pk))
        for each in chosen
    ]
    return sorted(found, key=lambda due: (due.due_at, due.system.name))


def _last(systems: Iterable[UUID]) -> dict[UUID, datetime]:
    worked = Drill.objects.filter(system__in=list(systems), worked=True).order_by()
    return dict(worked.values_list("system").annotate(Max("over_at")))
