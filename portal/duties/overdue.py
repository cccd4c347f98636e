"""What is overdue, and who owes it: of duties that recur or follow from a use, whichever concept keeps them.

Reviews and attestations are left out: they bring themselves to mind each day (`portal.reviews.sweep`, `portal.campaigns.sweep`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.urls import reverse

from portal.drills.duties import due_of
from portal.eligibility.models import ADMINISTRATOR
from portal.eligibility.queries import owner_told, people_with
from portal.findings.models import Finding
from portal.findings.queries import givers_of
from portal.findings.states import CLOSED
from portal.people.models import Person
from portal.policy.queries import in_force_for
from portal.sealed.drilling import drilled_every
from portal.sealed.models import OfflineSet, Rotation
from portal.sealed.states import COMING, DONE, IN_USE, OUT
from portal.systems.models import System

TOLD_BEFORE = timedelta(days=1)
"""Where whoever owes it is told at its time by the concept itself, it is overdue to others a day later."""


@dataclass(frozen=True)
class Overdue:
    """``about`` names this duty with this date, so that each thing is said once; ``people`` owe it; ``path`` is where it is done."""

    about: str
    what: str
    system: System
    due_at: datetime
    people: tuple[Person, ...]
    path: str


def overdue(at: datetime) -> Iterator[Overdue]:
    """All of it at that time."""
    systems = list(System.objects.filter(in_scope_to__isnull=True).select_related("owner"))
    yield from _policies(systems, at)
    yield from _drills(systems, at)
    yield from _secrets(at)
    yield from _cards(at)
    yield from _findings(at)


def _policies(systems: Iterable[System], at: datetime) -> Iterator[Overdue]:
    """Policies that were to be looked at again (T-48)."""
    named = {each.pk: each for each in systems}
    for pk, version in in_force_for(named.values()).items():
        if version.review_due_at <= at:
            system = named[pk]
            people = (*owner_told(system), *people_with(ADMINISTRATOR, system))
            path = reverse("policy_system", args=[pk])
            what = f"Look at the policy of {system.name} again"
            yield Overdue(f"overdue:policy:{version.pk}", what, system, version.review_due_at, people, path)


def _drills(systems: Iterable[System], at: datetime) -> Iterator[Overdue]:
    for due in due_of(systems):
        if due.due_at <= at:
            about = f"overdue:drill:{due.system.pk}:{due.due_at:%Y-%m-%d}"
            yield Overdue(
                about,
                f"Drill {due.system.name}",
                due.system,
                due.due_at,
                tuple(owner_told(due.system)),
                reverse("drills"),
            )


def _secrets(at: datetime) -> Iterator[Overdue]:
    """New secrets that were not given, or not tried (T-19)."""
    rows = Rotation.objects.exclude(state=DONE).filter(due_at__lte=at, account__state__in=IN_USE)
    for row in rows.select_related("account__system__owner", "account__custodian"):
        account = row.account
        people = tuple(each for each in (account.custodian, *owner_told(account.system)) if each)
        what, path = (
            f"A new secret for {account.name} of {account.system.name}",
            reverse("sealed_page", args=[account.pk]),
        )
        yield Overdue(f"overdue:secret:{row.pk}", what, account.system, row.due_at, people, path)


def pairs_out() -> QuerySet[OfflineSet]:
    """Pairs of cards that are with their custodians, and that nobody is about to replace: to be drilled each quarter."""
    rows = OfflineSet.objects.filter(state=OUT, account__state__in=IN_USE).exclude(account__card_sets__state=COMING)
    return rows.select_related("account__system__owner", "account__custodian", "account__second_custodian")


def drill_due(pair: OfflineSet) -> datetime:
    """When a pair is to be drilled next."""
    return (pair.drilled_at or pair.made_at) + drilled_every()


def _cards(at: datetime) -> Iterator[Overdue]:
    for pair in pairs_out():
        account, due_at = pair.account, drill_due(pair)
        if due_at + TOLD_BEFORE <= at:
            people = tuple(
                each for each in (account.custodian, account.second_custodian, *owner_told(account.system)) if each
            )
            what, path = f"Drill the offline cards of {account.name}", reverse("sealed_page", args=[account.pk])
            yield Overdue(f"overdue:cards:{pair.pk}:{due_at:%Y-%m-%d}", what, account.system, due_at, people, path)


def _findings(at: datetime) -> Iterator[Overdue]:
    late = Finding.objects.exclude(state=CLOSED).filter(due_at__lte=at - TOLD_BEFORE, system__isnull=False)
    for row in late.select_related("system__owner", "owner"):
        if row.system is None or row.due_at is None or row.owner is None:
            continue
        people = (row.owner,) if row.owner.left_at is None else tuple(givers_of(row))
        about, path = f"overdue:{row.log_subject}:{row.due_at:%Y-%m-%d}", reverse("finding_page", args=[row.pk])
        yield Overdue(about, f"Finding: {row.title}", row.system, row.due_at, people, path)
