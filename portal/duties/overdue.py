"""What is overdue, and who owes it: of duties that recur or follow from a use, whichever concept keeps them.

Reviews and attestations are left out: they bring themselves to mind each day (`portal.reviews.sweep`, `portal.campaigns.sweep`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from portal.drills.duties import Due, due_of
from portal.eligibility.models import ADMINISTRATOR
from portal.eligibility.queries import owner_told, people_with
from portal.findings.models import Finding
from portal.findings.queries import givers_of
from portal.findings.states import CLOSED
from portal.people.models import Person
from portal.policy.models import PolicyVersion
from portal.policy.queries import in_force_for, looks_due
from portal.sealed.drilling import drilled_every
from portal.sealed.models import OfflineSet, Rotation
from portal.sealed.states import COMING, DONE, IN_USE, OUT
from portal.sweeping import attempt
from portal.systems.models import System

TOLD_BEFORE = timedelta(days=1)
"""Where whoever owes it is told at its time by the concept itself, it is overdue to others a day later."""


@dataclass(frozen=True)
class Overdue:
    """``about`` names this duty with this date, so that each thing is said once; ``people`` owe it; ``path`` is where it is done."""

    kind: str
    about: str
    what: str
    system: System
    due_at: datetime
    people: tuple[Person, ...]
    path: str


@dataclass(frozen=True)
class Kind:
    """``late``: what is overdue at a time, of one system or (``None``) of all; ``told``: how one of these is told."""

    late: Callable[[datetime, System | None], Iterable[Any]]
    told: Callable[[Any], Overdue]


def overdue(at: datetime) -> Iterator[Overdue]:
    """All of it at that time. What cannot be read of one does not keep the others from being told."""
    for kind in KINDS.values():
        for row in _attempted(lambda kind=kind: list(kind.late(at, None))) or ():  # type: ignore[misc]  # this kind
            if found := _attempted(lambda kind=kind, row=row: kind.told(row)):  # type: ignore[misc]  # this row
                yield found


def is_overdue(duty: Overdue, at: datetime) -> bool:
    """Whether it is so still, with the same date."""
    kind = KINDS[duty.kind]
    return any(kind.told(row).about == duty.about for row in kind.late(at, duty.system))


def _attempted(ask: Callable[[], Any]) -> Any:
    return attempt("duties", ask)[1]


def _in_scope(of: System | None) -> list[System]:
    rows = System.objects.filter(in_scope_to__isnull=True, **({"pk": of.pk} if of else {}))
    return list(rows.select_related("owner"))


def _late_policies(at: datetime, of: System | None) -> list[tuple[PolicyVersion, datetime]]:
    """Policies that were to be looked at again (T-48), and when."""
    systems = {each.pk: each for each in _in_scope(of)}
    versions = list(in_force_for(systems.values()).values())
    due = looks_due(versions)
    late = [(each, due[each.pk]) for each in versions if due[each.pk] <= at]
    for each, _ in late:
        each.system = systems[each.system_id]
    return late


def _policy(found: tuple[PolicyVersion, datetime]) -> Overdue:
    version, due_at = found
    system = version.system
    people = (*owner_told(system), *people_with(ADMINISTRATOR, system))
    path, what = reverse("policy_system", args=[system.pk]), f"Look at the policy of {system.name} again"
    first = due_at == version.review_due_at
    about = f"overdue:policy:{version.pk}" if first else f"overdue:policy:{version.pk}:{due_at:%Y-%m-%d}"
    return Overdue("policy", about, what, system, due_at, people, path)


def _late_drills(at: datetime, of: System | None) -> list[Due]:
    return [due for due in due_of(_in_scope(of)) if due.due_at <= at]


def _drill(due: Due) -> Overdue:
    about, people = f"overdue:drill:{due.system.pk}:{due.due_at:%Y-%m-%d}", tuple(owner_told(due.system))
    return Overdue("drill", about, f"Drill {due.system.name}", due.system, due.due_at, people, reverse("drills"))


def _late_secrets(at: datetime, of: System | None) -> QuerySet[Rotation]:
    """New secrets that were not given, or not tried (T-19)."""
    rows = Rotation.objects.exclude(state=DONE).filter(due_at__lte=at, account__state__in=IN_USE)
    rows = rows.filter(account__system=of) if of else rows
    return rows.select_related("account__system__owner", "account__custodian")


def _secret(row: Rotation) -> Overdue:
    account = row.account
    people = tuple(each for each in (account.custodian, *owner_told(account.system)) if each)
    what, path = f"A new secret for {account.name} of {account.system.name}", reverse("sealed_page", args=[account.pk])
    return Overdue("secret", f"overdue:secret:{row.pk}", what, account.system, row.due_at, people, path)


def pairs_out() -> QuerySet[OfflineSet]:
    """Pairs of cards that are with their custodians, and that nobody is about to replace: to be drilled each quarter."""
    rows = OfflineSet.objects.filter(state=OUT, account__state__in=IN_USE).exclude(account__card_sets__state=COMING)
    return rows.select_related("account__system__owner", "account__custodian", "account__second_custodian")


def drill_due(pair: OfflineSet) -> datetime:
    """When a pair is to be drilled next."""
    return (pair.drilled_at or pair.made_at) + drilled_every()


def _late_cards(at: datetime, of: System | None) -> list[OfflineSet]:
    rows = pairs_out().filter(account__system=of) if of else pairs_out()
    return [pair for pair in rows if drill_due(pair) + TOLD_BEFORE <= at]


def _cards(pair: OfflineSet) -> Overdue:
    account, due_at = pair.account, drill_due(pair)
    people = tuple(each for each in (account.custodian, account.second_custodian, *owner_told(account.system)) if each)
    what, path = f"Drill the offline cards of {account.name}", reverse("sealed_page", args=[account.pk])
    return Overdue("cards", f"overdue:cards:{pair.pk}:{due_at:%Y-%m-%d}", what, account.system, due_at, people, path)


def _late_findings(at: datetime, of: System | None) -> QuerySet[Finding]:
    """Those of a system, which have an owner and a date."""
    rows = Finding.objects.exclude(state=CLOSED).filter(due_at__lte=at - TOLD_BEFORE, system__isnull=False)
    return (rows.filter(system=of) if of else rows).select_related("system__owner", "owner")


def _finding(row: Finding) -> Overdue:
    system, owner, due_at = row.system, row.owner, row.due_at
    if system is None or owner is None or due_at is None:
        raise LookupError("A finding that is late has a system, an owner and a date.")
    people = (owner,) if owner.left_at is None else tuple(givers_of(row))
    about, path = f"overdue:{row.log_subject}:{due_at:%Y-%m-%d}", reverse("finding_page", args=[row.pk])
    return Overdue("finding", about, f"Finding: {row.title}", system, due_at, people, path)


KINDS = {
    "policy": Kind(_late_policies, _policy), "drill": Kind(_late_drills, _drill), "secret": Kind(_late_secrets, _secret),
    "cards": Kind(_late_cards, _cards), "finding": Kind(_late_findings, _finding),
}  # fmt: skip
