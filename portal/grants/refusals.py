"""Somebody is refused again and again: at the sign-in, at the step-up, or with what they want opened. Told once, however often it goes on.

Looked at is the log alone: refusals of one account within a quarter of an hour. A name that nobody has is no account, so it alarms nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from audit.log.append import Actor, action, append, process
from audit.log.read import Tally, of_subject, tallies
from portal.access_requests.alerting import recipients
from portal.clock import moment, ms, now
from portal.eligibility.queries import administrators
from portal.errors import ChangedMeanwhile, WrongState
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.policy.alerts import FAILED
from portal.policy.queries import in_force_for, rules_of
from portal.policy.rules import Policy
from portal.rows import lock_row
from portal.sweeping import done
from portal.systems.models import Privilege, System

SIGN_INS, OPENINGS = "signin.refused_often", "request.refused_often"
MANY, WITHIN, QUIET = 5, timedelta(minutes=15), timedelta(hours=1)
SWEEP = process("sweep")


@dataclass(frozen=True)
class Refusals:
    """So many refusals of one person; ``system`` where it was of openings."""

    person_id: UUID
    times: int
    first_at: datetime
    last_at: datetime
    system: System | None = None

    @property
    def facts(self) -> dict[str, object]:
        """As the alert has them."""
        return {"times": self.times, "first_at": self.first_at, "last_at": self.last_at}

    @property
    def fields(self) -> dict[str, object]:
        """As the event has them."""
        return {"times": self.times, "first_at": ms(self.first_at), "last_at": ms(self.last_at)}


def tell_due(at: datetime | None = None) -> int:
    """Tell of each account that was refused often just now; returns of how many."""
    at = at or now()
    found = [each for each in (*_of_sign_ins(at), *_of_openings(at)) if each.times >= MANY]
    return sum(
        done("refusals", tell_of_openings if each.system else tell_of_sign_ins, by=SWEEP, seen=each, at=at)
        for each in found
    )


@action(event=SIGN_INS)
def tell_of_sign_ins(*, by: Actor, seen: Refusals, at: datetime) -> None:
    """The person, all administrators and the security list. Raises ChangedMeanwhile, WrongState: told already, or they have left."""
    person = _still_news(SIGN_INS, seen, at)
    facts = {"person": person.name, **seen.facts}
    tell(by=by, people=[person], kind=SIGN_INS, about=person.log_subject, path="/me/sign-ins/", facts=facts)
    others = administrators().exclude(pk=person.pk)
    tell(
        by=by, people=others, addresses=settings.PORTAL_SECURITY_LIST, kind=SIGN_INS, about=person.log_subject, path=f"/people/{person.pk}/", facts=facts,
    )  # fmt: skip
    append(SIGN_INS, by=by, subject=person.log_subject, person_id=person.pk, **seen.fields)


@action(event=OPENINGS)
def tell_of_openings(*, by: Actor, seen: Refusals, at: datetime) -> None:
    """Whom the system's policy has told of attempts that failed. Raises as `tell_of_sign_ins`."""
    person, system = _still_news(OPENINGS, seen, at), seen.system
    assert system is not None  # noqa: S101 - asked for openings only
    version = in_force_for([system]).get(system.pk)
    told = recipients(FAILED, rules_of(version) if version else Policy(), system, responder=person)
    facts = {"person": person.name, "system": system.name, **seen.facts}
    tell(by=by, people=[person], kind=OPENINGS, about=person.log_subject, path="/me/sign-ins/", facts=facts)
    tell(
        by=by, people=[each for each in told["people"] if each != person], addresses=told["addresses"], kind=OPENINGS, about=person.log_subject,
        path=f"/policies/{system.pk}/", facts=facts,
    )  # fmt: skip
    append(OPENINGS, by=by, subject=person.log_subject, person_id=person.pk, system_id=system.pk, **seen.fields)


def _still_news(name: str, seen: Refusals, at: datetime) -> Person:
    person = lock_row(Person, seen.person_id, no_key=True)  # two that find it at once wait for each other here
    if person.left_at is not None:
        raise WrongState("This person has left.", about=person)
    system = str(seen.system.pk) if seen.system else None
    for event in of_subject(person.log_subject, (name,), limit=100):
        if event.at > ms(at - QUIET) and event.fields.get("system_id") == system:
            raise ChangedMeanwhile("It was told already.", about=person)
    return person


def _of_sign_ins(at: datetime) -> Iterable[Refusals]:
    found: dict[UUID, list[Tally]] = {}
    for each in tallies("signin.refused", ms(at - WITHIN)):
        kind, _, key = each.subject.partition(":")
        if kind == "person":
            found.setdefault(UUID(key), []).append(each)
    return [_sum(person, rows) for person, rows in found.items()]


def _of_openings(at: datetime) -> Iterable[Refusals]:
    rows = [each for each in tallies("request.refused", ms(at - WITHIN)) if each.subject.startswith("privilege:")]
    privileges = Privilege.objects.select_related("system__owner").in_bulk(
        [each.subject.partition(":")[2] for each in rows]
    )
    systems = {each.log_subject: each.system for each in privileges.values()}
    found: dict[tuple[UUID, System], list[Tally]] = {}
    for each in rows:
        if each.subject in systems and not each.by.startswith("process:"):
            found.setdefault((UUID(each.by), systems[each.subject]), []).append(each)
    return [_sum(person, tallied, system) for (person, system), tallied in found.items()]


def _sum(person: UUID, rows: list[Tally], system: System | None = None) -> Refusals:
    first, last = min(each.first_at for each in rows), max(each.last_at for each in rows)
    return Refusals(person, sum(each.count for each in rows), moment(first), moment(last), system)
