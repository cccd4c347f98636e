"""Who is told of what: those whom an alert usually goes to, or those whom the system's policy chose, and always those whom no policy takes off."""

from collections.abc import Iterable
from typing import TypedDict
from uuid import UUID

from django.conf import settings

from portal.access_requests.queries import audience_of
from portal.eligibility.models import ADMINISTRATOR, REVIEWER
from portal.eligibility.queries import people_with
from portal.people.models import Person
from portal.policy import alerts
from portal.policy.queries import in_force_for, rules_of
from portal.policy.rules import Policy
from portal.systems.models import System

NOBODY = UUID(int=0)


class Recipients(TypedDict):
    """As `tell` takes them."""

    people: list[Person]
    addresses: tuple[str, ...]


def recipients(
    group: str,
    rules: Policy,
    system: System,
    *,
    people: Iterable[Person],
    addresses: Iterable[str] = (),
    responder: Person | None = None,
) -> Recipients:
    """Who is told of something of this group; ``people`` and ``addresses`` are the usual ones.

    What nobody may be taken off of (see ``alerts.GROUPS``) only gains recipients. The responder is told as themselves alone, never as an
    approver or owner.
    """
    usual, chosen = Recipients(people=list(people), addresses=tuple(addresses)), alerts.chosen_of(rules.alerts, group)
    if chosen is None:
        return usual
    known = alerts.GROUPS[group]
    found = _named({*known.always, *chosen} if known.usual else set(chosen), system, responder)
    if known.usual:
        return found
    return Recipients(
        people=list(dict.fromkeys([*usual["people"], *found["people"]])),
        addresses=tuple(dict.fromkeys([*usual["addresses"], *found["addresses"]])),
    )


def of_system(
    group: str, system: System | None, *, people: Iterable[Person], addresses: Iterable[str] = ()
) -> Recipients:
    """As `recipients`, for what belongs to no use: by the policy in force."""
    version = in_force_for([system]).get(system.pk) if system else None
    if system is None or version is None:
        return Recipients(people=list(people), addresses=tuple(addresses))
    return recipients(group, rules_of(version), system, people=people, addresses=addresses)


def _named(names: set[str], system: System, responder: Person | None) -> Recipients:
    audience = audience_of(system, responder.pk if responder else NOBODY)
    people: list[Person] = []
    if alerts.RESPONDER in names and responder is not None:
        people.append(responder)
    if alerts.OWNER in names:
        people += (
            audience.owners or audience.approvers
        )  # who owns it and asked for it themselves does not watch over it alone
    if alerts.APPROVERS in names:
        people += audience.approvers
    for name, role in ((alerts.REVIEWERS, REVIEWER), (alerts.ADMINISTRATORS, ADMINISTRATOR)):
        if name in names:
            people += [each for each in people_with(role, system) if each != responder]
    lists = tuple(settings.PORTAL_SECURITY_LIST) if alerts.SECURITY in names else ()
    return Recipients(people=list(dict.fromkeys(people)), addresses=lists)
