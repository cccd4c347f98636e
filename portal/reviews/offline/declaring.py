"""A use of offline cards, declared afterwards: a case of its own, and a review and a finding that are due within the policy's hours for a bypass.

The pair is worth nothing, and new cards are made, as soon as two sources say it: a session on the target, or a second person. What the target saw stays
what it is, sessions that nobody held: an explanation stands beside, it improves nothing.
"""

from datetime import datetime, timedelta

from django.conf import settings

from audit.log.append import Actor, action, process
from audit.log.read import each_named
from portal.access_requests.asking import declare_bypass
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked
from portal.clock import moment, ms, now
from portal.eligibility.models import ADMINISTRATOR
from portal.eligibility.queries import owner_told, people_with
from portal.errors import RefusedByPolicy
from portal.findings.actions import raise_finding
from portal.notifications.outbox import tell
from portal.policy.queries import rules_of
from portal.reviews.actions import put_up
from portal.reviews.models import Review
from portal.sealed.models import CARDS, SealedAccount
from portal.sealed.states import CARDS_ALIVE
from portal.sealed.uses import CLOCKS, burn, note_use


@action(
    event=(
        "request.made",
        "offline.used",
        "offline.use_confirmed",
        "sealed.rotation_owed",
        "review.due",
        "finding.raised",
    ),
    refused="request.refused",
)
def declare_use(
    *, by: Actor, account: SealedAccount, asked: Asked, from_at: datetime, to_at: datetime
) -> AccessRequest:
    """Who used the account with its cards says so, as soon as the portal is back. It opens nothing, so no emergency stop and no policy keeps it off the record.

    One of its custodians may say it of themselves, although custodians are not lent what they keep: the other custodian, the administrators, the owner and
    the security list are told of every use, and somebody without a part in it reviews it.

    Raises:
        NotAllowed, StepUpNeeded: as for a bypass of this privilege.
        RefusedByPolicy: the times cannot be.
        WrongState: no pair of its cards opened it then.
    """
    if account.kept_by != CARDS or account.privilege is None:
        raise RefusedByPolicy("This account has no offline cards.", about=account)
    if not from_at < to_at <= now():
        raise RefusedByPolicy("The use began before it ended, and ended before now.", about=account)
    request = declare_bypass(by=by, privilege=account.privilege, asked=asked, afterwards=True)
    began_at = seen_on_target(account, from_at, to_at)
    sessions = list(began_at)
    made = note_use(
        by=by, account=account, case=request.log_case, from_at=from_at, to_at=to_at, sessions=sessions, began=min(began_at.values(), default=from_at)
    )  # fmt: skip
    system, rules = account.system, rules_of(request.policy)
    due = now() + timedelta(hours=rules.review_hours_for(request.mode, system.criticality))
    review = put_up(by=by, review=Review(request=request, of_set=made, due_at=due))
    known = made.state not in CARDS_ALIVE
    if not known and (sessions or said_by_another(review)):
        burn(by=by, made=made, case=request.log_case, sessions=sessions, word_of=None if sessions else by.id)
        known = True
    _tell(by, account, request, from_at, to_at, known=known)
    count = f"{len(sessions)} session{'' if len(sessions) == 1 else 's'}"
    seen = f"{count} of it on the target" if sessions else "No session of it was gathered from the target yet"
    raise_finding(
        by=process("offline"), kind="offline use", title=f"The offline cards of {system.name} were used: to be reviewed", about=str(made.pk),
        case=request.log_case,
        details=f"Declared afterwards. {seen}. Close it once its review, by somebody who had no part in it, is submitted.", system=system,
        owner=system.owner, due_at=due,
    )  # fmt: skip
    return request


def said_by_another(review: Review) -> bool:
    """Whether another person declared a use of the same pair: two who used it say the same."""
    same = Review.objects.filter(of_set=review.of_set)
    return same.exclude(request__responder=review.request.responder_id).exists()


def _tell(
    by: Actor, account: SealedAccount, request: AccessRequest, from_at: datetime, to_at: datetime, *, known: bool
) -> None:
    """Everybody who keeps, owns or administers it, but who said so; led to the account's page, which each of them may read."""
    people = [*account.custodians, *owner_told(account.system), *people_with(ADMINISTRATOR, account.system)]
    tell(
        by=by, people=[each for each in people if str(each.pk) != by.id], addresses=settings.PORTAL_SECURITY_LIST,
        kind="offline.use_declared", case=request.log_case, about=account.log_subject, path=f"/sealed/{account.pk}/",
        facts={
            "account": account.name, "system": account.system.name, "person": request.responder.name, "from_at": from_at, "to_at": to_at,
            "custodian": by.id in {str(each.pk) for each in account.custodians} or None,
            "confirmed": known or None,
        },
    )  # fmt: skip


def seen_on_target(account: SealedAccount, from_at: datetime, to_at: datetime) -> dict[str, datetime]:
    """Sessions of the account that the target's own log showed then and that nobody held: when each began, by id.

    None is written down before it began, but for the clocks.
    """
    first, last = ms(from_at - CLOCKS), ms(to_at + CLOCKS)
    return {
        str(event.fields["session_id"]): moment(event.fields["started_at"])
        for event in each_named(("session.unmatched",), since=ms(from_at - 2 * CLOCKS))
        if event.fields["system_id"] == str(account.system_id)
        and event.fields.get("marker") == account.account
        and first <= event.fields["started_at"] <= last
    }
