"""What people do with an open grant: reveal, return, ask for more time, decide on it, end another's."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit.log.append import Actor, action, append
from portal.access_requests.alerting import recipients
from portal.access_requests.facts import who_where_what
from portal.access_requests.queries import audience_of
from portal.access_requests.strength import need_factor_to_use
from portal.clock import minutes as in_words
from portal.clock import moment, ms, now
from portal.connectors.base import Secret
from portal.eligibility.lending import lock_standing
from portal.eligibility.queries import may_use_locked
from portal.errors import ChangedMeanwhile, RefusedByPolicy, WrongState
from portal.grants.custody import put_back, secret_to_show, take_release
from portal.grants.models import Extension, Grant
from portal.grants.rules import (
    EXTENDED_ALREADY,
    carried_by_list,
    is_responder,
    may_extend,
    may_extend_own_bypass,
    may_revoke,
)
from portal.grants.states import ACTIVE, AUTHORISED, MOVES
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people.strength import need_fresh, need_settled
from portal.policy.alerts import BYPASS, FAILED, USE
from portal.policy.queries import rules_of
from portal.policy.strength import need_factor
from portal.rows import lock_row
from portal.secrets import SecretUnreadable, decrypt

NOT_OPEN = "This access is not open."
SHOWN_AGAIN_AFTER = timedelta(seconds=5)


def locked(grant: Grant) -> Grant:
    """The grant's row, locked, with what stands around it."""
    around = (
        "request__policy",
        "request__responder",
        "request__system",
        "request__privilege",
        "person",
        "system",
        "privilege",
        "account",
    )
    return Grant.objects.select_for_update(of=("self",)).select_related(*around).get(pk=grant.pk)


def end_now(row: Grant, move: str, *, cause: str, at: datetime) -> None:
    """End an access that is open or being opened: it is closed at once, whatever went wrong with it before."""
    make(row, MOVES[move], says=NOT_OPEN, ended_at=at, end_cause=cause, next_try_at=at, attempts=0, last_trouble="")


def _still_open(grant: Grant) -> None:
    if grant.state != ACTIVE or grant.expires_at is None or grant.expires_at <= now():
        raise WrongState(NOT_OPEN, about=grant)


@action(event="grant.revealed", refused="grant.act_refused")
def reveal(*, by: Actor, grant: Grant) -> Secret:
    """Give the password to the responder, after a fresh second factor; that of a sealed account after a second person's release."""
    row = locked(grant)
    is_responder(by, row)
    need_factor_to_use(by, row.request, about=row)
    _still_open(row)
    at = now()
    if row.revealed_at and at - row.revealed_at < SHOWN_AGAIN_AFTER:
        raise ChangedMeanwhile("The password was shown a moment ago. Ask again in a few seconds.", about=row)
    if row.account is None and row.secret is None:
        raise WrongState("There is no password to show.", about=row)
    password = _password(row) if row.account is None else secret_to_show(row.account)
    take_release(row, at)
    row.revealed_at = at
    row.save(update_fields=["revealed_at"])
    append(
        "grant.revealed", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, person_id=row.person_id,
        account_id=row.account_id, exposes_secret=True if row.account_id else None,
    )  # fmt: skip
    return password


def _password(row: Grant) -> Secret:
    try:
        return Secret(decrypt(bytes(row.secret or b""), f"grant:{row.pk}"))
    except SecretUnreadable:
        raise WrongState("The password cannot be read any more. End this access and ask again.", about=row) from None


@action(event="grant.returned", refused="grant.act_refused")
def give_back(*, by: Actor, grant: Grant) -> Grant:
    """The responder is done: access ends now."""
    row = locked(grant)
    is_responder(by, row)
    at = now()
    end_now(row, "return", cause="returned", at=at)
    append(
        "grant.returned", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, ended_at=ms(at),
        over_at=over_at(row), ended_by=by.id,
    )  # fmt: skip
    return row


@action(event=("grant.revoked", "grant.failed"), refused="grant.act_refused")
def revoke(*, by: Actor, grant: Grant, reason: str, cause: str = "revoked") -> Grant:
    """End another person's access now; one that was not opened yet never will be."""
    row = locked(grant)
    may_revoke(by, row)
    need_fresh(by, about=row)
    if not reason.strip():
        raise RefusedByPolicy("Say why you end this access.", about=row)
    at = now()
    if row.state == AUTHORISED:
        return _never_open(by, row, at, reason.strip())
    end_now(row, "revoke", cause="revoked", at=at)
    append(
        "grant.revoked", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, ended_at=ms(at), over_at=over_at(row),
        ended_by=by.id, reason=reason.strip(), cause=cause,
    )  # fmt: skip
    return row


def _never_open(by: Actor, row: Grant, at: datetime, reason: str) -> Grant:
    """Nothing is on the target, so nothing is to be closed there; responder and owner are told why all the same."""
    make(
        row, MOVES["cancel"], says=NOT_OPEN, ended_at=at, end_cause="revoked", secret=None, verifier="", last_trouble=""
    )
    put_back(by=by, grant=row, to_at=ms(at))
    sentence = "Ended before it was opened."
    tell(
        by=by, kind="grant.opening_failed",
        **recipients(FAILED, rules_of(row.request.policy), row.system, responder=row.person),
        case=row.log_case, about=row.log_subject,
        path=f"/requests/{row.request_id}/", grant_id=row.pk,
        facts={**who_where_what(row.request), "sentence": sentence, "again": False, "by": by.name if by.is_person else None, "reason": reason},
    )  # fmt: skip
    append(
        "grant.failed", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, code="revoked", sentence=sentence,
        ended_at=ms(at), ended_by=by.id, reason=reason,
    )  # fmt: skip
    return row


def over_at(grant: Grant) -> int:
    """The earlier of end and planned end, in milliseconds."""
    ends = [ms(when) for when in (grant.ended_at, grant.expires_at) if when is not None]
    return min(ends)


@action(event="grant.extension_asked", refused="grant.act_refused")
def ask_extension(*, by: Actor, grant: Grant, minutes: int, reason: str = "") -> Extension:
    """Ask for more time; another person decides."""
    row = locked(grant)
    is_responder(by, row)
    _still_open(row)
    rules = rules_of(row.request.policy)
    if row.extensions.filter(decision="").exists():
        raise ChangedMeanwhile("You have asked already; somebody else decides.", about=row)
    if row.extensions.filter(decision="approve").count() >= rules.max_extensions:
        raise RefusedByPolicy(EXTENDED_ALREADY, about=row)
    _within(row, minutes)
    carried_by_list(row, minutes)
    extension = Extension.objects.create(grant=row, minutes=minutes, reason=reason.strip(), asked_at=now())
    audience = audience_of(row.system, row.person_id)
    ends = row.expires_at + timedelta(minutes=minutes)  # type: ignore[operator]  # an open grant has its end
    tell(
        by=by, people=[*audience.approvers, *audience.owners], kind="extension.asked", case=row.log_case, about=row.log_subject,
        path=f"/requests/{row.request_id}/", grant_id=row.pk,
        facts={**who_where_what(row.request), "minutes": minutes, "reason": reason, "expires_at": row.expires_at, "would_end": ends},
    )  # fmt: skip
    append(
        "grant.extension_asked", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, extension_id=extension.pk,
        minutes=minutes, reason=reason or None,
    )  # fmt: skip
    return extension


def _within(row: Grant, minutes: int) -> None:
    longest = rules_of(row.request.policy).minutes_for(row.request.mode)
    if not 1 <= minutes <= longest:
        raise RefusedByPolicy(f"An extension is 1 to {in_words(longest)} long.", about=row)


@action(event="grant.extended", refused="grant.act_refused")
def extend_bypass(*, by: Actor, grant: Grant, minutes: int, reason: str = "") -> Grant:
    """Take more time for one's own bypass, once, where the policy allows it and nobody is there to give it. Everybody is told.

    What was asked and waits for an answer is answered by it.
    """
    listed = may_use_locked(grant.person_id, grant.privilege)  # before the grant, as who takes it away locks
    row = locked(grant)
    is_responder(by, row)
    need_factor_to_use(by, row.request, about=row)
    _still_open(row)
    may_extend_own_bypass(row, row.extensions.all())
    _within(row, minutes)
    carried_by_list(row, minutes if listed else None)
    at, waiting = now(), row.extensions.select_for_update().filter(decision="").first()
    taken = waiting or Extension(grant=row, asked_at=at, reason=reason.strip())
    taken.minutes, taken.decision, taken.decided_at, taken.decided_by_id = minutes, "approve", at, UUID(by.id)
    taken.save()
    _move_end(row, minutes)
    tell(
        by=by, kind="extension.taken",
        **recipients(BYPASS, rules_of(row.request.policy), row.system, responder=row.person), case=row.log_case,
        about=row.log_subject, path=f"/requests/{row.request_id}/", grant_id=row.pk,
        facts={**who_where_what(row.request), "minutes": minutes, "reason": reason, "expires_at": row.expires_at},
    )  # fmt: skip
    _append_extended(by, row, taken, reason=reason.strip() or None)
    return row


@action(event=("grant.extended", "grant.extension_declined"), refused="grant.act_refused")
def decide_extension(*, by: Actor, extension: Extension, give: bool, comment: str = "") -> Grant:
    """Give or refuse more time. Giving moves the end in the portal; the target follows at once or keeps the earlier end."""
    listed = give and may_use_locked(
        extension.grant.person_id, extension.grant.privilege
    )  # before the grant, as who takes it away locks
    lock_standing(by.id, extension.grant.system)
    row = locked(extension.grant)
    asked = lock_row(Extension, extension.pk)
    may_extend(by, row)
    need_factor(by, rules_of(row.request.policy), about=row)
    need_settled(by, about=row)
    if asked.decision:
        raise ChangedMeanwhile("Somebody has decided on this extension already.", about=row)
    _still_open(row)
    if give:
        carried_by_list(row, asked.minutes if listed else None)
    asked.decision, asked.decided_at, asked.decided_by_id = "approve" if give else "decline", now(), by.id
    asked.save()
    if give:
        _move_end(row, asked.minutes)
    _tell_of_extension(by, row, asked, give=give, comment=comment)
    _append_extension(by, row, asked, give=give, comment=comment)
    return row


def _move_end(row: Grant, minutes: int) -> None:
    row.expires_at = moment(ms(row.expires_at) + minutes * 60_000)  # type: ignore[arg-type]  # an open grant has its end
    row.warned_at, row.next_try_at, row.attempts = None, None, 0
    row.save(update_fields=["expires_at", "warned_at", "next_try_at", "attempts"])


def _tell_of_extension(by: Actor, row: Grant, asked: Extension, *, give: bool, comment: str) -> None:
    facts: dict[str, object] = {**who_where_what(row.request), "expires_at": row.expires_at, "by": by.name}
    facts |= {"minutes": asked.minutes} if give else {"comment": comment}
    given = recipients(
        USE, rules_of(row.request.policy), row.system, responder=row.person, also=[row.person]
    )  # who asked gets the answer
    tell(
        by=by, people=given["people"] if give else [row.person], addresses=given["addresses"] if give else (), grant_id=row.pk, case=row.log_case,
        kind="extension.extended" if give else "extension.declined", about=row.log_subject, path=f"/requests/{row.request_id}/", facts=facts,
    )  # fmt: skip


def _append_extension(by: Actor, row: Grant, asked: Extension, *, give: bool, comment: str) -> None:
    if give:
        _append_extended(by, row, asked)
    else:
        append(
            "grant.extension_declined", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, extension_id=asked.pk,
            comment=comment or None,
        )  # fmt: skip


def _append_extended(by: Actor, row: Grant, given: Extension, **more: Any) -> None:
    append(
        "grant.extended", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, extension_id=given.pk, minutes=given.minutes,
        expires_at=ms(row.expires_at), asked_by=row.person_id, approved_by=by.id, **more,  # type: ignore[arg-type]  # as above
    )  # fmt: skip
