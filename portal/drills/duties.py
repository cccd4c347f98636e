"""When a system is to be drilled next: so long after the last drill that worked, or since it came into scope; sooner after a major change (T-34)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from django.db.models import Max

from portal.drills.models import Drill
from portal.parameters import days
from portal.systems.facts import CHANGE
from portal.systems.models import ProposedChange, System

SOON = timedelta(days=14)
"""The owner is told so long before."""
SOON_MARK = "soon"


@cache
def interval() -> timedelta:
    """The longest time between two drills; the operator's stricter figure holds."""
    return days("drill_days")


@cache
def after_change() -> timedelta:
    """A major change is followed by a drill within this time."""
    return days("drill_after_change_days")


@dataclass(frozen=True)
class Due:
    """What a system owes. ``last_at``: when it was drilled last and that worked; ``changed_at``: the major change since that asks for it."""

    system: System
    due_at: datetime
    last_at: datetime | None
    changed_at: datetime | None = None

    def mark(self, now: datetime) -> str:
        """What is to be said of it: that it comes near, two weeks ahead, or that it is late; nothing before that."""
        if now < self.due_at - SOON:
            return ""
        return SOON_MARK if now < self.due_at else "late"


def due_of(systems: Iterable[System]) -> list[Due]:
    """For each system in scope, the first due first. Two queries."""
    chosen = [each for each in systems if not each.in_scope_to]
    keys = [each.pk for each in chosen]
    last, changes = _last(keys), _changes(keys)
    return sorted(
        (_due(each, last.get(each.pk), changes.get(each.pk, ())) for each in chosen),
        key=lambda due: (due.due_at, due.system.name),
    )


def _due(system: System, last_at: datetime | None, changes: Iterable[datetime]) -> Due:
    since = max(last_at or system.in_scope_from, system.in_scope_from)
    changed_at = min((each for each in changes if each > since), default=None)
    if changed_at is not None and changed_at + after_change() < since + interval():
        return Due(system, changed_at + after_change(), last_at, changed_at)
    return Due(system, since + interval(), last_at)


def _last(systems: Iterable[UUID]) -> dict[UUID, datetime]:
    worked = Drill.objects.filter(system__in=list(systems), worked=True).order_by()
    return dict(worked.values_list("system").annotate(Max("over_at")))


def _changes(systems: Iterable[UUID]) -> dict[UUID, list[datetime]]:
    found: dict[UUID, list[datetime]] = {}
    major = ProposedChange.objects.filter(system__in=list(systems), kind=CHANGE, decision="approve", after__major=True)
    for system, at in major.values_list("system", "decided_at"):
        if system is not None and at is not None:
            found.setdefault(system, []).append(at)
    return found
