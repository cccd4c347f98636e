"""Findings as a viewer may see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast

from audit.log.read import LoggedEvent, of_subject, of_subjects
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.eligibility.models import ADMINISTRATOR, APPROVER, AUDITOR, OWNER, REVIEWER, RoleAssignment
from portal.eligibility.queries import administrators, holds, holds_anywhere, in_force, people_with, systems_where
from portal.findings.models import Finding
from portal.findings.states import ANSWERED, ASSIGNED, CLOSED
from portal.people.models import Person
from portal.systems.models import System

READERS = (AUDITOR, OWNER, ADMINISTRATOR, REVIEWER, APPROVER)
MOST_WAITING = 200
PAST = ("finding.raised", "finding.assigned", "finding.due_moved")
OPEN, OVERDUE, MINE, DONE = "open", "overdue", "mine", "closed"
ABANDONED = Q(owner__left_at__isnull=False, state=ASSIGNED)
"""Its owner left before they answered: somebody else is to have it."""
SHOWN = {OPEN: "Open", OVERDUE: "Overdue", MINE: "Yours", DONE: "Closed"}


def findings(viewer: Person) -> QuerySet[Finding]:
    """Those on systems that the viewer has a part in, and those that they own. Without a system: auditors, administrators."""
    systems = systems_where(viewer.pk, READERS)
    seen = Q(owner=viewer) | Q(system__in=systems) | Q(system__owner=viewer)
    if holds(viewer.pk, AUDITOR) or holds_anywhere(viewer.pk, (ADMINISTRATOR,)):
        seen |= Q(system__isnull=True)
    return Finding.objects.filter(seen).select_related("system", "owner")


def listed(viewer: Person, shown: str) -> QuerySet[Finding]:
    """One of the lists of ``SHOWN``; what is due first stands first, closed ones by time."""
    rows = findings(viewer)
    if shown == DONE:
        return rows.filter(state=CLOSED).order_by("-closed_at", "pk")
    rows = rows.exclude(state=CLOSED).order_by("due_at", "raised_at", "pk")
    if shown == OVERDUE:
        return rows.filter(due_at__lt=now())
    return rows.filter(owner=viewer) if shown == MINE else rows


def waiting_for(viewer: Person) -> list[Finding]:
    """What waits for the viewer, the first due first: theirs that are open, and those of others that they are to close or to give an owner.

    Whoever owned a finding before closes it no more than whoever owns it.
    """
    assigns = systems_where(viewer.pk, (OWNER, ADMINISTRATOR))
    closes = systems_where(viewer.pk, (OWNER, ADMINISTRATOR, REVIEWER))
    mine = Q(owner=viewer)
    nowhere = Q(system__isnull=True) if holds_anywhere(viewer.pk, (ADMINISTRATOR,)) else Q(pk__in=[])
    unowned = (Q(owner__isnull=True) | ABANDONED) & (Q(system__in=assigns) | Q(system__owner=viewer) | nowhere)
    to_close = Q(state=ANSWERED) & (Q(system__in=closes) | Q(system__owner=viewer) | nowhere)
    to_close &= ~Q(case__in=_cases_of(viewer))
    rows = Finding.objects.exclude(state=CLOSED).filter(mine | unowned | to_close)
    found = list(rows.select_related("system", "owner").order_by("due_at", "raised_at", "pk")[:MOST_WAITING])
    before = pasts_of(row for row in found if row.state == ANSWERED and row.owner_id != viewer.pk)
    theirs = {subject for subject, past in before.items() if str(viewer.pk) in past.owners}
    return [row for row in found if row.log_subject not in theirs]


def concerning(person: UUID) -> Q:
    """Access requests in which the person had a part: asked, broke the glass, decided on it or on more time, let a secret be shown, kept the cards."""
    decided = (
        Q(approvals__approver=person) | Q(grant__extensions__decided_by=person) | Q(grant__releases__person=person)
    )
    of_set = "review__of_set"
    kept = Q(**{f"{of_set}__cards__custodian": person}) | Q(**{f"{of_set}__account__custodian": person})
    return Q(responder=person) | decided | kept | Q(**{f"{of_set}__account__second_custodian": person})


def _cases_of(viewer: Person) -> QuerySet[AccessRequest, str]:
    """As findings cite them; whoever had a part in the use does not close what was found of it."""
    mine = AccessRequest.objects.filter(concerning(viewer.pk)).annotate(as_case=Cast("pk", CharField()))
    return mine.values_list("as_case", flat=True)


def finding(viewer: Person, pk: UUID) -> Finding | None:
    """One of them."""
    return findings(viewer).filter(pk=pk).first()


@dataclass(frozen=True)
class Past:
    """Pseudonyms of everybody who ever owned a finding, and of everybody who moved its date."""

    owners: frozenset[str]
    movers: frozenset[str]


def past_of(row: Finding) -> Past:
    """From the log, which alone keeps it. One query."""
    return _past(of_subject(row.log_subject, PAST))


def pasts_of(rows: Iterable[Finding]) -> dict[str, Past]:
    """As `past_of`, of several, by their subjects in the log. One query, none where there are none."""
    subjects = [row.log_subject for row in rows]
    events = of_subjects(subjects, PAST) if subjects else []
    return {subject: _past(event for event in events if event.subject == subject) for subject in subjects}


def _past(said: Iterable[LoggedEvent]) -> Past:
    events = list(said)
    owners = {str(event.fields["owner_id"]) for event in events if "owner_id" in event.fields}
    return Past(frozenset(owners), frozenset(event.by for event in events if event.name == "finding.due_moved"))


def finding_for_act(pk: UUID) -> Finding | None:
    """For acts only: the act itself says who may, so that an outsider's try is refused and on record."""
    return Finding.objects.filter(pk=pk).select_related("system", "owner").first()


def history(row: Finding, names: Iterable[str]) -> list[LoggedEvent]:
    """What happened to it, from the log; looks at it are there too, so the names of the events are given."""
    return of_subject(row.log_subject, names)


def systems_to_raise_on(viewer: Person) -> QuerySet[System]:
    """Systems on which the viewer may raise a finding."""
    systems = systems_where(viewer.pk, (OWNER, ADMINISTRATOR, REVIEWER, APPROVER))
    return System.objects.filter(Q(pk__in=systems) | Q(owner=viewer)).order_by("name")


def possible_owners(row: Finding) -> QuerySet[Person]:
    """People with a role on the finding's system, and its owner; where it has none, everybody with a role."""
    held = RoleAssignment.objects.filter(in_force())
    chosen = Q(pk__in=held.values("person_id"))
    if row.system is not None:
        held = held.filter(Q(system=row.system) | Q(system__isnull=True))
        chosen = Q(pk__in=held.values("person_id")) | Q(pk=row.system.owner_id)
    return Person.objects.filter(chosen, left_at__isnull=True).order_by("name")


def abandoned() -> QuerySet[Finding]:
    """For the sweep: those whose owner left before they answered."""
    return Finding.objects.filter(ABANDONED).select_related("system", "owner").order_by("raised_at")


def givers_of(row: Finding) -> list[Person]:
    """Who is to find it another owner: the owner of its system, or where they have left as well, or there is no system, administrators."""
    if row.system is None:
        return list(administrators())
    if row.system.owner.left_at is None:
        return [row.system.owner]
    return list(people_with(ADMINISTRATOR, row.system))


def names_of(ids: set[str]) -> dict[str, str]:
    """Names of people by pseudonym."""
    people = Person.objects.filter(pk__in=[each for each in ids if ":" not in each])
    return {str(pk): name for pk, name in people.values_list("pk", "name")}


def actor_names(events: list[LoggedEvent]) -> dict[str, str]:
    """Who acted in these events; processes by their name."""
    ids = {event.by for event in events}
    processes = {each: each.removeprefix("process:").capitalize() for each in ids if each.startswith("process:")}
    return names_of(ids) | processes


def owned_open(viewer: Person) -> int:
    """How many open findings the viewer owns; for the navigation."""
    return Finding.objects.filter(owner=viewer).exclude(state=CLOSED).count()


__all__ = [
    "SHOWN", "actor_names", "finding", "finding_for_act", "findings", "history", "listed", "owned_open", "possible_owners",
    "systems_to_raise_on",
    "waiting_for",
]  # fmt: skip
