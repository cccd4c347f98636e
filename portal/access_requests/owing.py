"""What a bypass left out and nobody has said since: owed until the use was reviewed."""

from collections.abc import Iterable
from dataclasses import dataclass

from audit.log.read import LoggedEvent, of_cases
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked, owed
from portal.people.models import Person
from portal.policy.queries import rules_of
from portal.policy.rules import Policy

MOST = 50


@dataclass(frozen=True)
class Owing:
    """One request of the viewer, and what it still owes."""

    request: AccessRequest
    still: list[str]


def still_owed(request: AccessRequest, rules: Policy, supplements: Iterable[LoggedEvent]) -> list[str]:
    """What is owed with all that was said since; the longest of the reasons counts."""
    if request.mode != "bypass":
        return []
    reason = max((request.reason, *(each.says("reason") for each in supplements)), key=len)
    said = Asked(
        request.mode, request.criterion, reason, request.minutes, request.category, tuple(request.intended_classes),
        request.incident_ref,
    )  # fmt: skip
    return owed(said, rules)


def owing(viewer: Person) -> list[Owing]:
    """The viewer's own uses by bypass that owe something and were not reviewed, the oldest first. Two queries."""
    mine = AccessRequest.objects.filter(responder=viewer, mode="bypass", grant__opened_at__isnull=False)
    open_ones = mine.filter(grant__review__submitted_at__isnull=True).select_related("system", "privilege", "policy")
    rows = list(open_ones.order_by("requested_at")[:MOST])
    said: dict[str, list[LoggedEvent]] = {}
    for event in of_cases([row.pk for row in rows], ["request.supplemented"]):
        said.setdefault(event.case, []).append(event)
    found = (Owing(row, still_owed(row, rules_of(row.policy), said.get(str(row.pk), []))) for row in rows)
    return [each for each in found if each.still]
