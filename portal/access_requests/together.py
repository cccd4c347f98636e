"""Many hands on one incident: several privileges in one act, and a colleague who joins."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from audit.log.append import Actor, action
from portal.access_requests.asking import ask_one
from portal.access_requests.incidents import may_join
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked, may_ask
from portal.errors import Refused, RefusedByPolicy
from portal.policy.queries import in_force, rules_of
from portal.systems.models import Privilege

MOST_TOGETHER = 10


@action(event="request.made", refused="request.refused")
def ask_several(*, by: Actor, privileges: Sequence[Privilege], asked: Asked) -> list[AccessRequest]:
    """Ask for several privileges under one incident: a request for each, all of them or none.

    Raises:
        RefusedByPolicy: no incident is named, or too few or too many are chosen; else as `ask`, the system being named.
    """
    wanted = sorted({each.pk: each for each in privileges}.values(), key=lambda each: each.pk)  # locked in one order
    if not 2 <= len(wanted) <= MOST_TOGETHER:
        raise RefusedByPolicy(f"Choose two to {MOST_TOGETHER}.", about=wanted[0] if wanted else None)
    if not asked.incident_ref.strip():
        raise RefusedByPolicy("You must name the incident that they belong to.", about=wanted[0])
    for privilege in wanted:
        may_ask(by, privilege)  # who may not is told so, whatever else is wrong
    made: list[AccessRequest] = []
    for privilege in wanted:
        made.append(_one_of_several(by, privilege, asked, made))
    return made


def _one_of_several(by: Actor, privilege: Privilege, asked: Asked, made: Sequence[AccessRequest]) -> AccessRequest:
    try:
        return ask_one(by=by, privilege=privilege, asked=asked, beside=[each.pk for each in made])
    except Refused as refusal:
        sentence = f"{privilege.system.name}, {privilege.name}: {refusal.sentence} Nothing was asked for."
        raise type(refusal)(sentence, about=refusal.about, kind=refusal.kind) from refusal


@action(event="request.made", refused="request.refused")
def join(*, by: Actor, request: AccessRequest, privilege: Privilege, reason: str) -> AccessRequest:
    """Work on another's incident too: an own request on one's own place on the list, in one's own words.

    Criterion, category, intended classes and minutes are those of the request that is joined, as far as the policy of now goes.

    Raises:
        NotAllowed, WrongState: see `may_join`; else as `ask`.
    """
    joined = AccessRequest.objects.select_related("system", "grant").get(pk=request.pk)
    may_join(by, joined, privilege)
    asked = as_joined(joined, privilege, reason)
    return ask_one(by=by, privilege=privilege, asked=asked, joins=UUID(str(joined.pk)))


def as_joined(joined: AccessRequest, privilege: Privilege, reason: str) -> Asked:
    """What is taken over of the request that is joined."""
    said = Asked("approved", joined.criterion, reason, joined.minutes, joined.category, tuple(joined.intended_classes), joined.incident_ref)  # fmt: skip
    return replace(said, minutes=min(joined.minutes, rules_of(in_force(privilege.system)).minutes_for("approved")))
