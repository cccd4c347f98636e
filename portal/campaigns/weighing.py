"""What a judge should know of each line beside its own facts: how long it was dormant, conflicts, what changed since the last time, and how much is at stake.

It stands in the facts of the line, as it was when the list was taken. Five questions, however long the list is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from portal.campaigns import subjects
from portal.campaigns.figures import conflicting_roles, dormant_after
from portal.campaigns.lines import Line
from portal.campaigns.models import Campaign, Item
from portal.campaigns.states import CLOSED, REVOKED
from portal.clock import ms
from portal.eligibility.models import RoleAssignment
from portal.eligibility.queries import in_force
from portal.systems.models import System

DAY_MS = 86_400_000
NEW, CHANGED, SAME, BACK = "new", "changed", "same", "back"
HIGH, RAISED, PLAIN = "high", "raised", "plain"
RISKS = {HIGH: "High", RAISED: "Raised", PLAIN: "Plain"}
CRITICAL = "critical"
Key = TypeVar("Key")
Right = tuple[UUID | None, str]  # whose, and what: the same although it was given anew


@dataclass(frozen=True)
class Before:
    """The lines of the last attestation of the same list, and what was revoked and never judged again, however long ago."""

    lines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    revoked: frozenset[Right] = frozenset()
    revoked_subjects: frozenset[str] = frozenset()
    known: bool = False


def weighed(lines: Sequence[Line], kind: str, system: System | None, at: datetime) -> list[Line]:
    """The lines with what was found out about them."""
    before = _before(kind, system)
    conflicts = _conflicts([line.person_id for line in lines if line.person_id], system)
    critical = system is None or system.criticality == CRITICAL
    return [_weighed(line, before, conflicts, critical, at) for line in lines]


def _weighed(line: Line, before: Before, conflicts: Mapping[UUID, list[str]], critical: bool, at: datetime) -> Line:
    found: dict[str, Any] = {}
    if before.known:
        found["since_last"] = _since(line, before)
    last = max(
        (line.facts[name] for name in ("granted_at", "last_use", "last_drill") if name in line.facts), default=None
    )
    if last is not None:
        found["dormant_days"] = max(0, ms(at) - last) // DAY_MS
    if line.person_id and conflicts[line.person_id]:
        found["conflicts"] = conflicts[line.person_id]
    facts = {**line.facts, **found}
    return replace(line, facts={**facts, "risk": risk(line.subject_kind, facts, critical=critical)})


def _since(line: Line, before: Before) -> str:
    if (line.person_id, line.privilege_name) in before.revoked or line.subject in before.revoked_subjects:
        return BACK
    if line.subject not in before.lines:
        return NEW
    was, changes = before.lines[line.subject], subjects.SUBJECTS[line.subject_kind].changes
    return CHANGED if any(was.get(name) != line.facts.get(name) for name in changes) else SAME


def risk(subject_kind: str, facts: Mapping[str, Any], *, critical: bool) -> str:
    """How much is at stake: what decides whether lines may be kept together.

    High: a login that nobody answers for, roles that conflict, what was revoked and is back, and on a critical system what is new or was
    used around its approvers. Raised: new, changed, dormant, used around its approvers, or with a new secret overdue. Plain: all else.
    """
    news = facts.get("since_last") in (NEW, CHANGED)
    dormant = facts.get("dormant_days", 0) > dormant_after().days
    around = facts.get("bypasses", 0) > 0
    if subjects.SUBJECTS[subject_kind].found or "conflicts" in facts or facts.get("since_last") == BACK:
        return HIGH
    if critical and (news or around):
        return HIGH
    return RAISED if news or dormant or around or facts.get("rotation_overdue") else PLAIN


def _before(kind: str, system: System | None) -> Before:
    closed = Campaign.objects.filter(kind=kind, system=system, state=CLOSED)
    last = closed.order_by("-snapshot_at").first()
    if last is None:
        return Before()
    lines = dict(Item.objects.filter(campaign=last).values_list("subject", "facts"))
    return Before(lines, *_revoked(closed), known=True)


def _revoked(closed: QuerySet[Campaign]) -> tuple[frozenset[Right], frozenset[str]]:
    """Rights and subjects whose last decision in all closed attestations took them away: so long ago it may be, whatever comes back is said."""
    decided = Item.objects.filter(campaign__in=closed)
    gone = list(decided.filter(state=REVOKED).order_by().values_list("person_id", "subject"))
    again = Q(person__in={person for person, _ in gone if person}) | Q(subject__in={subject for _, subject in gone})
    rights: dict[Right, str] = {}
    of_subjects: dict[str, str] = {}
    rows = decided.filter(again).order_by("campaign__snapshot_at") if gone else decided.none()
    for person, privilege, subject, state in rows.values_list("person_id", "privilege_name", "subject", "state"):
        of_subjects[subject] = state
        if person is not None:
            rights[person, privilege] = state
    return _last_revoked(rights), _last_revoked(of_subjects)


def _last_revoked(states: Mapping[Key, str]) -> frozenset[Key]:
    return frozenset(key for key, state in states.items() if state == REVOKED)


def _conflicts(people: Iterable[UUID], system: System | None) -> Mapping[UUID, list[str]]:
    """Pairs of roles of each person that nobody should hold for one system."""
    here = Q() if system is None else Q(system__isnull=True) | Q(system=system)
    rows = RoleAssignment.objects.filter(in_force(), here, person__in=set(people)).values_list(
        "person_id", "system_id", "role"
    )
    held: dict[UUID, list[tuple[UUID | None, str]]] = defaultdict(list)
    for person, of, role in rows:
        held[person].append((of, role))
    return defaultdict(list, {person: found for person, roles in held.items() if (found := _pairs(roles))})


def _pairs(roles: list[tuple[UUID | None, str]]) -> list[str]:
    """``custodian and responder``: of one system, or where one of the two is for all systems."""
    met = {
        " and ".join(sorted((one, other)))
        for (first, one), (second, other) in combinations(roles, 2)
        if frozenset((one, other)) in conflicting_roles() and (first == second or None in (first, second))
    }
    return sorted(met)
