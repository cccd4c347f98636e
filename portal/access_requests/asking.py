"""How a request comes to be, asked or declared as a bypass, and who is told of it. A bypass opens a grant as well: ``portal/grants/authorising.py``."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from audit.log.append import Actor, action, append
from portal.access_requests.facts import for_alert, made
from portal.access_requests.models import AccessRequest
from portal.access_requests.queries import (
    Audience,
    audience_of,
    has_access,
    repeats_earlier,
    standing_groups,
    to_be_told,
    turns_of,
    would_end,
)
from portal.access_requests.rules import (
    NO_LONGER,
    Asked,
    allows,
    check_asked,
    may_ask,
    owed,
)
from portal.access_requests.states import APPROVED, AWAITING
from portal.access_requests.turns import Turn
from portal.clock import ms, now
from portal.eligibility.queries import may_use_locked
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.people.strength import need_settled
from portal.policy.queries import in_force, rules_of
from portal.policy.rules import Policy
from portal.policy.strength import has_factor, need_any_factor, need_factor
from portal.sealed.cards import is_holder
from portal.sealed.queries import sealed_in
from portal.sealed.rules import may_hold
from portal.stops.rules import need_no_stop
from portal.systems.models import Privilege

MOST_AT_ONCE = 20
"""Requests of one person for one system that wait for an answer or whose access is open; honest work needs a few."""


@action(event="request.made", refused="request.refused")
def ask(*, by: Actor, privilege: Privilege, asked: Asked) -> AccessRequest:
    """Make a request that waits for approval."""
    return ask_one(by=by, privilege=privilege, asked=asked)


def ask_one(
    *, by: Actor, privilege: Privilege, asked: Asked, beside: Collection[UUID] = (), joins: UUID | None = None
) -> AccessRequest:
    """One request with its alerts and its event, within the caller's action.

    ``beside`` are earlier requests of the same act: the same words in them are no repetition. ``joins`` is the request of another person
    whose criterion, category, intended classes and minutes were taken over.
    """
    request = _make(by=by, privilege=privilege, asked=asked)
    audience = audience_of(request.system, request.responder_id)
    first = turns_of(request, audience)[0]
    _call(by, request, first.people)
    _append_made(by, request, audience, first, beside=beside, joins=joins)
    return request


def _call(by: Actor, request: AccessRequest, people: Iterable[Person]) -> None:
    tell(
        by=by, people=people, kind="request.asked", case=str(request.pk), about=request.log_subject, path=f"/requests/{request.pk}/",
        facts={**for_alert(request), "lapses_at": request.lapses_at, "approvals_needed": rules_of(request.policy).min_approvals, "mode": request.mode},
    )  # fmt: skip


@action(event="request.passed_on")
def pass_on(*, by: Actor, request: AccessRequest, at: datetime | None = None) -> AccessRequest:
    """Tell the next tier: its time has come, and not enough approvers have seen the request or decided on it. Each turn has its event."""
    at = at or now()
    locked = (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("system", "policy", "responder", "privilege")
        .get(pk=request.pk)
    )
    if locked.state != AWAITING or locked.lapses_at is None or locked.lapses_at <= at:
        raise WrongState(NO_LONGER, about=locked)
    due = to_be_told(locked, at)
    if not due:
        raise ChangedMeanwhile("Nobody else is to be told of it now.", about=locked)
    _call(by, locked, [each for turn in due for each in turn.people])
    for turn in due:
        append(
            "request.passed_on", by=by, case=locked.pk, subject=locked.log_subject, tier=turn.number, told=[str(each.pk) for each in turn.people],
            waited_minutes=int((at - locked.requested_at).total_seconds() // 60), rota=turn.rota or None, unmanned=list(turn.unmanned) or None,
            groups=list(turn.groups) or None,
        )  # fmt: skip
    return locked


@action(event="request.made", refused="request.refused")
def declare_bypass(
    *, by: Actor, privilege: Privilege, asked: Asked, weaker: bool = False, afterwards: bool = False
) -> AccessRequest:
    """Record a bypass as a request that nobody had to approve. Called within the grant's action, which tells everybody.

    ``weaker``: the responder said that they go on with a factor that the policy does not take, such as a recovery code.
    ``afterwards``: it happened without the portal and opens nothing, so neither an emergency stop nor the policy's modes keep it off the record.
    """
    rules = rules_of(in_force(privilege.system))
    if weaker and not has_factor(by, rules):
        need_any_factor(by, rules, about=privilege)
    else:
        need_factor(by, rules, about=privilege)
    request = _make(by=by, privilege=privilege, asked=asked, afterwards=afterwards)
    _append_made(by, request, audience_of(request.system, request.responder_id))
    return request


def _make(*, by: Actor, privilege: Privilege, asked: Asked, afterwards: bool = False) -> AccessRequest:
    account = sealed_in(privilege)
    own_cards = afterwards and account is not None and allows(is_holder, by, account)  # a custodian declares a use
    if not own_cards:
        may_ask(by, privilege)
    need_settled(by, about=privilege)
    if account is not None and not own_cards:
        may_hold(by.id, account)
    policy = in_force(privilege.system)
    rules = rules_of(policy)
    if asked.mode != "bypass" and rules.phishing_resistant:
        need_factor(by, rules, about=privilege)
    check_asked(asked, replace(rules, modes=(asked.mode,)) if afterwards else rules, about=privilege)
    bypass, at = asked.mode == "bypass", now()
    if not bypass:
        _enough_approvers(by, privilege, rules)
    here = Person.objects.select_for_update(no_key=True).filter(pk=by.id, left_at__isnull=True).exists()
    if not here or not (own_cards or may_use_locked(by.id, privilege)):
        raise NotAllowed("You can no longer ask for access.", about=privilege)
    if not afterwards:
        need_no_stop(privilege.system, about=privilege)
    if _same_waits(by, privilege, asked, afterwards=afterwards):
        raise ChangedMeanwhile("The same request was made a moment ago; it is on your list.", about=privilege)
    if not bypass:
        _room_for_another(by, privilege)
    return AccessRequest.objects.create(
        responder_id=by.id, system=privilege.system, privilege=privilege, policy=policy, mode=asked.mode, criterion=asked.criterion,
        category=asked.category, reason=asked.reason.strip(), intended_classes=list(asked.intended_classes),
        incident_ref=asked.incident_ref.strip(), minutes=asked.minutes, requested_at=at,
        lapses_at=None if bypass else at + timedelta(minutes=rules.lapse_minutes),
        state=APPROVED if bypass else AWAITING, decided_at=at if bypass else None, factor=by.method or "",
    )  # fmt: skip


def _enough_approvers(by: Actor, privilege: Privilege, rules: Policy) -> None:
    audience = audience_of(privilege.system, by.id)
    if len(audience.approvers) < rules.min_approvals:
        raise RefusedByPolicy("There are not enough approvers for this system at the moment.", about=privilege)
    if len(set(standing_groups(privilege.system, audience, rules).values()) - {""}) < rules.approver_groups:
        raise RefusedByPolicy("There are approvers of too few groups for this system at the moment.", about=privilege)


def _same_waits(by: Actor, privilege: Privilege, asked: Asked, *, afterwards: bool) -> bool:
    """A double submit: the same words for the same privilege within a minute. What was declined or is over may be asked again at once.

    What is declared ``afterwards`` never waits, nor has it a grant: it is the same by its words alone.
    """
    since = now() - timedelta(minutes=1)
    mine = AccessRequest.objects.filter(
        responder_id=UUID(by.id), privilege=privilege, requested_at__gte=since, mode=asked.mode
    )
    goes_on = Q() if afterwards else Q(state=AWAITING) | has_access()
    return mine.filter(goes_on, reason=asked.reason.strip()).exists()


def _room_for_another(by: Actor, privilege: Privilege) -> None:
    """Each request is mailed to every approver, and each grant is a login on the target. A bypass is never refused for this."""
    mine = AccessRequest.objects.filter(responder_id=UUID(by.id), system=privilege.system)
    waits = Q(state=AWAITING) & (Q(lapses_at__isnull=True) | Q(lapses_at__gt=now()))
    if mine.filter(waits | has_access()).count() >= MOST_AT_ONCE:
        raise RefusedByPolicy(
            f"You have {MOST_AT_ONCE} requests for this system that wait or are open. Withdraw one that you do not need, or end one that is open.",
            about=privilege, kind="too many at once",
        )  # fmt: skip


def _append_made(
    by: Actor,
    request: AccessRequest,
    audience: Audience,
    first: Turn | None = None,
    *,
    beside: Collection[UUID] = (),
    joins: UUID | None = None,
) -> None:
    """``first``: who was told of it just now; nobody has a turn where nobody has to approve."""
    rules = rules_of(request.policy)
    this_act = {request.pk, *beside}
    earlier = AccessRequest.objects.exclude(pk__in=this_act).filter(responder_id=request.responder_id)
    repeats = earlier.exists() and repeats_earlier(
        request.responder_id, request.reason, request.requested_at, but=this_act
    )
    said = Asked(request.mode, request.criterion, request.reason, request.minutes, request.category,
                 tuple(request.intended_classes), request.incident_ref)  # fmt: skip
    missing = owed(said, rules) if request.mode == "bypass" else []
    ends_about = ms(would_end(request.responder_id, request.privilege, request.minutes, request.requested_at).at)
    append(
        "request.made", by=by, case=request.pk, subject=request.log_subject,
        **made(request, rules, audience, first, repeats=repeats, owed=missing, ends_about=ends_about), joins_id=joins,
    )  # fmt: skip
