"""What a proposed policy would have done to the requests of the last 90 days."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import Prefetch

from portal.access_requests.models import AccessRequest, Approval
from portal.access_requests.rules import Asked, owed, refusals
from portal.access_requests.states import LAPSED
from portal.access_requests.turns import turns
from portal.eligibility.past import PastApprovers, Then
from portal.policy.lookback import DAYS, Would
from portal.policy.rules import Policy, count, parse
from portal.rotas.queries import plans
from portal.rotas.schedule import Plan
from portal.systems.models import System

TOO_FEW = "It could not have been asked: there were too few approvers then."
TOO_FEW_GROUPS = "It could not have been asked: approvers of too few groups were there."
ONE_GROUP = "Those who said yes stood in too few groups: somebody of another would have had to follow."
FIRST_EMPTY = "Its first tier would have been empty: the next would have been told at once."
NOBODY_ON_CALL = "Nobody would have been on call: the next tier would have been told at once."
NOT_WOKEN = "Who first said yes would not have been told by then."


def looked_back(system: System, policy: Policy, *, now: datetime) -> tuple[int, list[Would]]:
    """How many requests there were, and what would have gone otherwise with them. Seven queries at most, whatever their number."""
    given = Prefetch("approvals", Approval.objects.filter(decision="approve").order_by("decided_at"), to_attr="yeses")
    chosen = AccessRequest.objects.filter(system=system, requested_at__gte=now - timedelta(days=DAYS))
    rows = list(chosen.select_related("responder", "policy").prefetch_related(given))
    rules = {row.policy_id: parse(row.policy.document) for row in {row.policy_id: row for row in rows}.values()}
    approvers = PastApprovers(system)
    rotas = plans({tier.rota for each in (policy, *rules.values()) for tier in each.tiers if tier.rota})
    found = [
        Would(row.pk, row.requested_at, row.responder.name, what)
        for row in rows
        for what in _otherwise(row, rules[row.policy_id], policy, approvers, rotas)
    ]
    return len(rows), found


def _otherwise(
    row: AccessRequest, was: Policy, would: Policy, approvers: PastApprovers, rotas: Mapping[str, Plan]
) -> Iterator[str]:
    asked = _asked(row)
    before, after = refusals(asked, was), refusals(asked, would)
    refused = next((sentence for sentence in after if sentence not in before), None)
    if refused:
        yield f"It would have been refused: {refused}"
    elif row.mode == "bypass":
        yield from (f"It would have owed {what}." for what in owed(asked, would) if what not in owed(asked, was))
    else:
        if _who(was) != _who(would):
            then = approvers.at(row.requested_at, row.responder_id)
            said = set(_asked_of(row, was, then, rotas))
            yield from (what for what in _asked_of(row, would, then, rotas) if what not in said)
        yield from _decided(row, was, would)


def _who(rules: Policy) -> tuple[object, ...]:
    """The rules that say who is asked."""
    return rules.min_approvals, rules.approver_groups, rules.tiers


def _asked_of(row: AccessRequest, rules: Policy, then: Then, rotas: Mapping[str, Plan]) -> Iterator[str]:
    """What these rules say of whom could be asked at that time, and who was woken when."""
    yeses: list[Approval] = row.yeses  # type: ignore[attr-defined]  # put there by the query above
    if len(then.approvers) < rules.min_approvals:
        yield TOO_FEW
    if len({then.groups.get(each.pk, "") for each in then.approvers} - {""}) < rules.approver_groups:
        yield TOO_FEW_GROUPS
    elif yeses and len({each.group for each in yeses} - {""}) < rules.approver_groups:
        yield ONE_GROUP
    found = turns(rules, then.approvers, row.requested_at, then.in_place, rotas, then.groups) if rules.tiers else ()
    if found and found[0].unmanned:
        yield NOBODY_ON_CALL
    elif found and found[0].tier != 1:
        yield FIRST_EMPTY
    if yeses and any(
        turn.at > yeses[0].decided_at and yeses[0].approver_id in {each.pk for each in turn.people} for turn in found
    ):
        yield NOT_WOKEN


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
