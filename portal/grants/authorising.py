"""Who authorises: the last approval, or a bypass, and the grant that it makes in the same transaction. What opens it: ``opening.py``.

Both were one module with the process; they are actions, which share nothing with what is repeated after a crash.
"""

import contextlib
import logging
import secrets
from datetime import timedelta

from django.db import transaction

from audit.log.append import Actor, action, append
from portal.access_requests import actions as requests
from portal.access_requests import asking
from portal.access_requests.alerting import recipients
from portal.access_requests.facts import for_alert, who_where_what
from portal.access_requests.models import AccessRequest
from portal.access_requests.queries import audience_of, would_end
from portal.access_requests.rules import Asked, owed
from portal.access_requests.states import APPROVED
from portal.access_requests.strength import is_weaker
from portal.clock import now
from portal.eligibility.queries import administrators
from portal.errors import WrongState
from portal.grants import custody
from portal.grants.models import Grant
from portal.notifications.outbox import tell
from portal.people.factors import WORDS
from portal.policy.alerts import BYPASS
from portal.policy.queries import rules_of
from portal.stops.rules import need_no_stop
from portal.systems.models import Privilege

alarms = logging.getLogger("breakglass.alarm")


@action(event=("request.approved", "grant.authorised"), refused="request.approval_refused")
def approve(*, by: Actor, request: AccessRequest, comment: str = "") -> Grant | None:
    """Say yes to a request; the last approval that is needed makes the grant in the same transaction."""
    approved = requests.approve(by=by, request=request, comment=comment)
    if approved.state != APPROVED:
        return None
    grant = _authorise(by, approved)
    tell(
        by=by, people=[approved.responder], kind="request.approved", case=grant.log_case, about=approved.log_subject,
        path=f"/requests/{approved.pk}/", facts={**who_where_what(approved), "by": by.name, "comment": comment, "minutes": approved.minutes},
    )  # fmt: skip
    _append_authorised(by, grant)
    return grant


@action(event=("request.made", "grant.authorised", "request.withdrawn"), refused="request.refused")
def bypass(
    *, by: Actor, privilege: Privilege, asked: Asked, instead_of: AccessRequest | None = None, weaker: bool = False
) -> Grant:
    """Break the glass: no approval, at once; every skipped approver, the owner and the security list are told.

    ``instead_of`` is the responder's own request that waits for an answer: it is withdrawn, so that nobody approves it afterwards.
    ``weaker``: they go on with a factor that the policy does not take, such as a recovery code, which alarms everybody.
    """
    if instead_of is not None:
        with contextlib.suppress(WrongState):  # it was decided or lapsed meanwhile; the emergency goes on
            requests.withdraw(by=by, request=instead_of, comment="The glass was broken instead.")
    request = asking.declare_bypass(by=by, privilege=privilege, asked=asked, weaker=weaker)
    grant = _authorise(by, request)
    rules = rules_of(request.policy)
    ends = would_end(request.responder_id, request.privilege, request.minutes).at
    due = ends + timedelta(hours=rules.review_hours_for("bypass", request.system.criticality))
    tell(
        by=by, kind="request.bypass_opened",
        **recipients(BYPASS, rules, request.system, responder=request.responder),
        case=grant.log_case, about=request.log_subject, path=f"/requests/{request.pk}/", grant_id=grant.pk,
        facts={**for_alert(request), "owed": owed(asked, rules), "review_due_at": due},
    )  # fmt: skip
    if is_weaker(request, rules):
        _alarm_of_weak_factor(by, request, grant)
    _append_authorised(by, grant)
    return grant


def _alarm_of_weak_factor(by: Actor, request: AccessRequest, grant: Grant) -> None:
    """Whoever could stop it hears of it, and so does the responder: it may be somebody else who found the code."""
    audience = audience_of(request.system, request.responder_id)
    tell(
        by=by, people=[request.responder, *audience.approvers, *audience.owners, *administrators()], addresses=audience.addresses,
        kind="request.bypass_weak", case=grant.log_case, about=request.log_subject, path=f"/requests/{request.pk}/", grant_id=grant.pk,
        facts={**who_where_what(request), "factor": WORDS.get(request.factor, request.factor).lower(), "at": request.requested_at},
    )  # fmt: skip
    sentence = "A bypass of %s was opened with a weak factor (%s): request %s."
    transaction.on_commit(lambda: alarms.critical(sentence, request.system.slug, request.factor, request.pk))


def _authorise(by: Actor, request: AccessRequest) -> Grant:
    need_no_stop(request.system, about=request)
    grant = Grant.objects.create(
        request=request, person_id=request.responder_id, system=request.system, privilege=request.privilege, authorised_at=now(),
        minutes=request.minutes, nonce=secrets.token_hex(16), next_try_at=now(),
    )  # fmt: skip
    custody.take(by=by, grant=grant)
    return grant


def _append_authorised(by: Actor, grant: Grant) -> None:
    grant.refresh_from_db(fields=["number"])
    append(
        "grant.authorised", by=by, case=grant.log_case, subject=grant.log_subject, grant_id=grant.pk, person_id=grant.person_id,
        system_id=grant.system_id, privilege_id=grant.privilege_id, number=grant.number, mode=grant.request.mode, minutes=grant.minutes,
        policy_sha256=grant.request.policy.sha256, exposes_secret=False, account_id=grant.account_id,
    )  # fmt: skip
