"""Who is told of what: those whom an alert usually goes to, or those whom the system's policy chose, and always those whom no policy takes off."""

from collections.abc import Collection, Iterable
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
    responder: Person | None = None,
    also: Iterable[Person] = (),
    first: bool = False,
) -> Recipients:
    """Who is told of something of this group, as ``alerts.GROUPS`` and the policy say.

    Args:
        responder: Whose use it is. They are told as themselves alone, never as an approver or owner.
        also: Who is told besides, whatever a policy says: who owes it, who is given it.
        first: It is the first alert of a use.
    """
    found = _named(alerts.told_to(rules.alerts, group, first=first), system, responder)
    return Recipients(people=list(dict.fromkeys([*also, *found["people"]])), addresses=found["addresses"])


def of_system(group: str, system: System, *, also: Iterable[Person] = ()) -> Recipients:
    """As `recipients`, for what belongs to no use: by the policy in force."""
    version = in_force_for([system]).get(system.pk)
    return recipients(group, rules_of(version) if version else Policy(), system, also=also)


def _named(names: Collection[str], system: System, responder: Person | None) -> Recipients:
    audience = audience_of(system, responder.pk if responder else NOBODY)
    people: list[Person] = []
    if alerts.RESPONDER in names and responder is not None:
        people.append(responder)
    if alerts.OWNER in names:
        # who owns it and asked for it themselves does not watch over it alone, nor does somebody who has left
        people += audience.owners
        people += audience.approvers if all(each.left_at for each in audience.owners) else ()
    if alerts.APPROVERS in names:
        people += audience.approvers
    for name, role in ((alerts.REVIEWERS, REVIEWER), (alerts.ADMINISTRATORS, ADMINISTRATOR)):
        if name in names:
            people += [each for each in people_with(role, system) if each != responder]
    lists = tuple(settings.PORTAL_SECURITY_LIST) if alerts.SECURITY in names else ()
    return Recipients(people=list(dict.fromkeys(people)), addresses=lists)
