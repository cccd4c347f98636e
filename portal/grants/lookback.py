"""What a proposed policy would have done to the access of the last 90 days."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Q

from portal.grants.models import Grant
from portal.policy.lookback import DAYS, Would
from portal.policy.rules import Policy
from portal.systems.models import System


def looked_back(system: System, policy: Policy, *, now: datetime) -> list[Would]:
    """Extensions that would not have been given, and ends that would have counted as late. One query."""
    since = now - timedelta(days=DAYS)
    chosen = Grant.objects.filter(system=system, request__requested_at__gte=since, opened_at__isnull=False)
    given = Count("extensions", filter=Q(extensions__decision="approve"))
    return [
        Would(row.request_id, row.request.requested_at, row.person.name, what)
        for row in chosen.select_related("request", "person").annotate(given=given)
        for what in _otherwise(row, row.given, policy)
    ]


def _otherwise(row: Grant, given: int, policy: Policy) -> Iterator[str]:
    if given > policy.max_extensions:
        yield "Its extension would not have been given."
    if row.ended_at and row.confirmed_at:
        late = row.confirmed_at - row.ended_at > timedelta(minutes=policy.removal_grace_minutes)
        if late:
            yield f"Its end would have counted as late: it was read back after more than {policy.removal_grace_minutes} minutes."
