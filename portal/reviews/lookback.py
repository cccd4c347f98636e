"""What a proposed policy would have done to the last 90 days, from the request to the review."""

from datetime import datetime, timedelta

from portal.access_requests import lookback as of_requests
from portal.grants import lookback as of_grants
from portal.policy.lookback import DAYS, Summary, Would, summed
from portal.policy.queries import rules_of
from portal.policy.rules import Policy
from portal.reviews.models import Review
from portal.systems.models import System


def looked_back(system: System, policy: Policy, *, now: datetime) -> Summary:
    """What would have gone otherwise under these rules. Each room answers about what it keeps; ten queries at most, however many requests."""
    total, requests = of_requests.looked_back(system, policy, now=now)
    return summed(total, [*requests, *of_grants.looked_back(system, policy, now=now), *late(system, policy, now=now)])


def late(system: System, policy: Policy, *, now: datetime) -> list[Would]:
    """Reviews in time that would have been late. One query."""
    since = now - timedelta(days=DAYS)
    chosen = Review.objects.filter(request__system=system, request__requested_at__gte=since)
    return [
        Would(
            row.request_id,
            row.request.requested_at,
            row.request.responder.name,
            "Its review would have been late.",
        )
        for row in chosen.select_related("request__policy", "request__responder")
        if not row.was_late and not row.late and _would_be_late(row, policy, system, now)
    ]


def _would_be_late(row: Review, policy: Policy, system: System, now: datetime) -> bool:
    """Its time began when the access was over, or was declared, which is its due date less the hours of the policy that it was set under."""
    request = row.request
    had = rules_of(request.policy).review_hours_for(request.mode, system.criticality)
    has = policy.review_hours_for(request.mode, system.criticality)
    return (row.submitted_at or now) > row.due_at - timedelta(hours=had - has)
