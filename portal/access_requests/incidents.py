"""One incident as people who may work on it see it: who is on it, and whether they may join."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.log.append import Actor
from portal.access_requests.models import AccessRequest
from portal.access_requests.options import Option
from portal.access_requests.queries import has_access, visible
from portal.access_requests.states import AWAITING
from portal.clock import now
from portal.errors import NotAllowed, WrongState
from portal.people.models import Person
from portal.systems.models import Privilege

FRESH = timedelta(hours=24)
MOST = 50


def goes_on() -> Q:
    """Requests that wait for an answer, or whose access may be opened or is open."""
    return Q(state=AWAITING, lapses_at__gt=now()) | has_access()


def may_join(by: Actor, request: AccessRequest, privilege: Privilege) -> None:
    """Another person's request of an incident that still goes on, and a privilege of the same system.

    That the privilege may be asked for at all is asked by the act as of any request.

    Raises:
        NotAllowed: it is one's own, or of another system.
        WrongState: it names no incident or leaves out what would be taken over, or nothing goes on any more.
    """
    if str(request.responder_id) == by.id:
        raise NotAllowed("This is your own request.", about=request)
    if privilege.system_id != request.system_id:
        raise NotAllowed("Join with a privilege of the same system, or ask for access.", about=request)
    if not can_be_taken_over(request):
        raise WrongState(
            "It does not say all that would be taken over. Ask for access and name the incident.", about=request
        )
    if not AccessRequest.objects.filter(goes_on(), pk=request.pk).exists():
        raise WrongState("Nobody works on this any more. Ask for access instead.", about=request)


def can_be_taken_over(request: AccessRequest) -> bool:
    """Whether it names its incident and says what a bypass may leave out."""
    return bool(request.incident_ref and request.category and request.intended_classes)


@dataclass(frozen=True)
class Joinable:
    """Another's request that goes on, and the viewer's own privileges of its system, the same one first."""

    request: AccessRequest
    privileges: tuple[Privilege, ...]


def joinable(viewer: Person, options: Sequence[Option]) -> list[Joinable]:
    """Incidents on the viewer's systems on which somebody works since a day at most and the viewer does not; one for each system. Two queries."""
    mine: dict[UUID, list[Privilege]] = defaultdict(list)
    for option in options:
        if option.allows("approved"):
            mine[option.privilege.system_id].append(option.privilege)
    if not mine:
        return []
    live = (
        AccessRequest.objects.filter(goes_on(), requested_at__gt=now() - FRESH)
        .exclude(incident_ref="")
        .exclude(mode="drill")
    )
    here = set(live.filter(responder=viewer).values_list("incident_ref", "system_id"))
    rows = (
        live.filter(system__in=mine)
        .exclude(responder=viewer)
        .select_related("responder", "system", "privilege", "grant")
    )
    found: dict[tuple[str, UUID], Joinable] = {}
    for row in rows.order_by("requested_at")[:MOST]:
        key = (row.incident_ref, row.system_id)
        if key not in here and can_be_taken_over(row):
            found.setdefault(key, Joinable(row, _same_first(mine[row.system_id], row)))
    return list(found.values())


def _same_first(privileges: list[Privilege], row: AccessRequest) -> tuple[Privilege, ...]:
    return tuple(sorted(privileges, key=lambda each: each.pk != row.privilege_id))


def of_incident(viewer: Person, ref: str) -> QuerySet[AccessRequest]:
    """Requests under one incident that the viewer may see, in the order in which they were made."""
    named = AccessRequest.objects.none() if not ref or "\x00" in ref else visible(viewer).filter(incident_ref=ref)
    return named.order_by("requested_at")
