"""What becomes of a request that was made (``asking.py``). The last approval opens a grant as well: see ``portal/grants/authorising.py``."""

from uuid import UUID

from audit.log.append import Actor, action, append
from portal.access_requests.facts import who_where_what
from portal.access_requests.models import AccessRequest, Approval, Seen
from portal.access_requests.queries import (
    was_reviewed,
)
from portal.access_requests.rules import (
    NO_LONGER,
    Asked,
    may_decide,
    may_supplement,
    may_withdraw,
    still_may_use,
    still_needed,
)
from portal.access_requests.states import AWAITING, MOVES
from portal.clock import ms, now
from portal.eligibility.lending import lock_standing, standing_of
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people.strength import need_settled
from portal.policy.queries import rules_of
from portal.policy.strength import need_factor


@action(event="request.seen", refused="request.act_refused")
def see(*, by: Actor, request: AccessRequest) -> None:
    """Say "I have seen it", while it waits. It decides nothing."""
    locked = _locked(request)
    may_decide(by, locked)
    _waits(locked)
    _, first = Seen.objects.get_or_create(request=locked, person_id=by.id, defaults={"at": now()})
    if not first:
        raise ChangedMeanwhile("You said so already.", about=locked)
    append("request.seen", by=by, case=locked.pk, subject=locked.log_subject, person_id=by.id)


@action(event="request.approved", refused="request.approval_refused")
def approve(*, by: Actor, request: AccessRequest, comment: str = "") -> AccessRequest:
    """Say yes. The request is approved once enough different approvers, of as many groups as the policy wants, have said so."""
    locked = _decidable(by, request)
    still_may_use(locked)
    approval = _decide(by, locked, "approve", comment)
    said = list(locked.approvals.filter(decision="approve").values_list("group", flat=True))
    left = still_needed(rules_of(locked.policy), said)
    if not left:
        make(locked, MOVES["approve"], says=NO_LONGER, decided_at=now())
    append(
        "request.approved", by=by, case=locked.pk, subject=locked.log_subject, approval_id=approval.pk, comment=comment or None,
        approvals=len(said), approvals_needed=len(said) + left, group=approval.group or None,
        delegated_by=standing_of(by.id, locked.system, locked.responder_id).lent_by,
    )  # fmt: skip
    return locked


@action(event="request.declined", refused="request.approval_refused")
def decline(*, by: Actor, request: AccessRequest, comment: str) -> AccessRequest:
    """Say no, with the reason. One no is enough."""
    locked = _decidable(by, request)
    if not comment.strip():
        raise RefusedByPolicy("Say why you decline.", about=locked)
    approval = _decide(by, locked, "decline", comment)
    make(locked, MOVES["decline"], says=NO_LONGER, decided_at=now())
    _tell_responder(by, locked, "request.declined", by=by.name, comment=comment)
    append(
        "request.declined", by=by, case=locked.pk, subject=locked.log_subject, approval_id=approval.pk, comment=comment
    )
    return locked


def _decidable(by: Actor, request: AccessRequest) -> AccessRequest:
    lock_standing(by.id, request.system)
    locked = _locked(request)
    may_decide(by, locked)
    need_factor(by, rules_of(locked.policy), about=locked)
    need_settled(by, about=locked)
    if locked.approvals.filter(approver_id=UUID(by.id)).exists():
        raise ChangedMeanwhile("You have decided on this request already.", about=locked)
    _waits(locked)
    return locked


def _locked(request: AccessRequest) -> AccessRequest:
    around = ("system", "policy", "responder", "privilege")
    return AccessRequest.objects.select_for_update(of=("self",)).select_related(*around).get(pk=request.pk)


def _waits(request: AccessRequest) -> None:
    if request.state != AWAITING or (request.lapses_at and request.lapses_at <= now()):
        raise WrongState(NO_LONGER, about=request)


def _decide(by: Actor, request: AccessRequest, decision: str, comment: str) -> Approval:
    return Approval.objects.create(
        request=request, approver_id=by.id, decision=decision, comment=comment.strip(), decided_at=now(),
        factor=by.method or "", group=standing_of(by.id, request.system, request.responder_id).group,
    )  # fmt: skip


@action(event="request.withdrawn", refused="request.act_refused")
def withdraw(*, by: Actor, request: AccessRequest, comment: str = "") -> AccessRequest:
    """Take a waiting request back."""
    locked = (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("system", "responder", "privilege")
        .get(pk=request.pk)
    )
    may_withdraw(by, locked)
    make(locked, MOVES["withdraw"], says=NO_LONGER, decided_at=now())
    append("request.withdrawn", by=by, case=locked.pk, subject=locked.log_subject, comment=comment or None)
    return locked


@action(event="request.lapsed")
def lapse(*, by: Actor, request: AccessRequest) -> AccessRequest:
    """End a request that nobody answered in the policy's time."""
    locked = (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("system", "responder", "privilege")
        .get(pk=request.pk)
    )
    if locked.lapses_at is None or locked.lapses_at > now():
        raise WrongState("It has not lapsed yet.", about=locked)
    make(locked, MOVES["lapse"], says=NO_LONGER, decided_at=now())
    bypass = "bypass" in rules_of(locked.policy).modes
    _tell_responder(by, locked, "request.lapsed", asked_at=locked.requested_at, may_bypass=bypass)
    append("request.lapsed", by=by, case=locked.pk, subject=locked.log_subject, asked_at=ms(locked.requested_at))
    return locked


@action(event="request.supplemented", refused="request.act_refused")
def supplement(*, by: Actor, request: AccessRequest, asked: Asked) -> AccessRequest:
    """Give what a bypass owed; dated now, beside what was said at the time, never instead of it."""
    locked = AccessRequest.objects.select_for_update(of=("self",)).select_related("policy").get(pk=request.pk)
    may_supplement(by, locked)
    if locked.mode != "bypass":
        raise WrongState("Only a bypass owes anything.", about=locked)
    if was_reviewed(locked):
        raise WrongState(
            "This use was reviewed. What it owed by then stays owed; tell its reviewer instead.", about=locked
        )
    given = {
        "category": asked.category if not locked.category else "", "incident_ref": asked.incident_ref if not locked.incident_ref else "",
        "intended_classes": list(asked.intended_classes) if not locked.intended_classes else [],
    }  # fmt: skip
    changed = {key: value for key, value in given.items() if value}
    reason = asked.reason.strip()
    if not changed and not reason:
        raise RefusedByPolicy("Give at least one of the things that are owed.", about=locked)
    for key, value in changed.items():
        setattr(locked, key, value)
    locked.save(update_fields=[*changed] or None)
    append(
        "request.supplemented", by=by, case=locked.pk, subject=locked.log_subject, reason=reason or None,
        reason_length=len(reason) if reason else None, **changed,
    )  # fmt: skip
    return locked


def _tell_responder(actor: Actor, request: AccessRequest, kind: str, **more: object) -> None:
    tell(
        by=actor, people=[request.responder], kind=kind, case=str(request.pk), about=request.log_subject,
        path=f"/requests/{request.pk}/", facts={**who_where_what(request), **more},
    )  # fmt: skip
