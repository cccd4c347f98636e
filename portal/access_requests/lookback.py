"""What a proposed policy would have done to the requests of the last 90 days."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Prefetch

from portal.access_requests.models import AccessRequest, Approval
from portal.access_requests.rules import Asked, owed, refusals
from portal.access_requests.states import LAPSED
from portal.policy.lookback import DAYS, Would
from portal.policy.rules import Policy, count, parse
from portal.systems.models import System


def looked_back(system: System, policy: Policy, *, now: datetime) -> tuple[int, list[Would]]:
    """How many requests there were, and what would have gone otherwise with them. Two queries, whatever their number."""
    given = Prefetch("approvals", Approval.objects.filter(decision="approve").order_by("decided_at"), to_attr="yeses")
    chosen = AccessRequest.objects.filter(system=system, requested_at__gte=now - timedelta(days=DAYS))
    rows = list(chosen.select_related("responder", "policy").prefetch_related(given))
    rules = {row.policy_id: parse(row.policy.document) for row in {row.policy_id: row for row in rows}.values()}
    found = [
        Would(row.pk, row.requested_at, row.responder.name, what)
        for row in rows
        for what in _otherwise(row, rules[row.policy_id], policy)
    ]
    return len(rows), found


def _otherwise(row: AccessRequest, was: Policy, would: Policy) -> Iterator[str]:
    asked = _asked(row)
    before, after = refusals(asked, was), refusals(asked, would)
    refused = next((sentence for sentence in after if sentence not in before), None)
    if refused:
        yield f"It would have been refused: {refused}"
    elif row.mode == "bypass":
        yield from (f"It would have owed {what}." for what in owed(asked, would) if what not in owed(asked, was))
    else:
        yield from _decided(row, was, would)


def _decided(row: AccessRequest, was: Policy, would: Policy) -> Iterator[str]:
    yeses = [each.decided_at for each in row.yeses]  # type: ignore[attr-defined]  # put there by the query above
    waited = _minutes(row.requested_at, row.decided_at)
    if len(yeses) >= was.min_approvals and would.min_approvals != was.min_approvals:
        more = would.min_approvals - was.min_approvals
        yield (
            f"It would have waited for {count(more, 'approval', 'approvals').lower()} more."
            if more > 0
            else f"It would have opened after {count(would.min_approvals, 'approval', 'approvals').lower()}."
        )
    if yeses and waited is not None and waited > would.lapse_minutes:
        yield f"It would have lapsed before it was decided: nobody had answered after {would.lapse_minutes} minutes."
    if row.state == LAPSED and would.lapse_minutes > was.lapse_minutes:
        yield f"It would not have lapsed so soon, but after {would.lapse_minutes} minutes."
    if waited is not None and "bypass" in would.modes:
        offered = "bypass" in was.modes and waited >= was.bypass_offer_minutes
        if waited >= would.bypass_offer_minutes and not offered:
            yield "A bypass would have been offered while it waited."


def _asked(row: AccessRequest) -> Asked:
    return Asked(
        mode=row.mode, criterion=row.criterion, reason=row.reason, minutes=row.minutes, category=row.category,
        intended_classes=tuple(row.intended_classes), incident_ref=row.incident_ref,
    )  # fmt: skip


def _minutes(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else (until - since).total_seconds() / 60
