"""From the end of the time, a return or a revocation to "gone, and the target confirmed it".

The intent is written before the target is touched but not waited for: an end never waits for the log's seal.
Ended means read back: until the target shows neither login, right nor session, the state is "closing" and every page says "still live until".
"""

import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from audit.log.append import Actor, action, append, process
from audit.log.read import of_subject
from portal.access_requests.alerting import recipients
from portal.access_requests.facts import who_where_what
from portal.clock import moment, ms, now
from portal.connectors.base import Closed, ReadBack, Snapshot
from portal.crash_points import ENDING, reached
from portal.errors import LogUnavailable, Refused, WrongState
from portal.grants import custody
from portal.grants.actions import NOT_OPEN, end_now, locked, over_at
from portal.grants.models import Grant
from portal.grants.states import ACTIVE, CLOSING, MOVES, OPENING
from portal.grants.targets import alone, closing_of, connector_of, target_of
from portal.grants.trouble import Trouble, pause, trouble_of
from portal.moves import make
from portal.notifications.outbox import tell
from portal.people.models import Person
from portal.policy.alerts import FAILED_END, USE
from portal.policy.queries import rules_of

alarms = logging.getLogger("breakglass.alarm")
BACKOFF_S = (1, 1, 2, 2, 4, 8, 15, 30)
AFTER_A_CRASH = timedelta(seconds=10)  # until somebody else looks; who is still at work holds the grant's lock
ALARM_AT = 3  # attempts after which owner, administrators and security list are told
SWEEP = process("sweep")


def run(grant_id: UUID) -> Grant:
    """End what is due and finish what is closing; safe to call at any time, by anybody, any number of times."""
    grant = Grant.objects.select_related("system", "privilege").get(pk=grant_id)
    if is_due(grant):
        reached(ENDING, "due")
        grant = expire(by=SWEEP, grant=grant)
        reached(ENDING, "over")
    if grant.state != CLOSING:
        return grant
    with alone(grant) as held:
        return _attempt(grant) if held else grant


def is_due(grant: Grant) -> bool:
    """Whether the time of an open grant, or of an opening, is over."""
    ends = {ACTIVE: grant.expires_at, OPENING: grant.planned_expires_at}.get(grant.state)
    return ends is not None and ends <= now()


@action(event="grant.expired")
def expire(*, by: Actor, grant: Grant) -> Grant:
    """The time is over. An extension given meanwhile, or another's end, wins."""
    row = locked(grant)
    if not is_due(row):
        raise WrongState("The time is not over.", about=row)
    at = now()
    end_now(row, "expire", cause="expired", at=at)
    over = over_at(row) if row.expires_at else ms(at)
    append(
        "grant.expired",
        by=by,
        case=row.log_case,
        subject=row.log_subject,
        grant_id=row.pk,
        ended_at=ms(at),
        over_at=over,
    )
    return row


def _attempt(grant: Grant) -> Grant:
    row = begin(by=SWEEP, grant=grant)
    if row.state != CLOSING:
        return row
    reached(ENDING, "begun")
    try:
        return _close(row)
    except (Refused, LogUnavailable):  # somebody else was quicker, or nothing can be written down
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, access may be live, and that must not stay untold
        return record_trouble(by=SWEEP, grant=row, trouble=trouble_of(error, row))


def _close(row: Grant) -> Grant:
    connector, target, closing = connector_of(row), target_of(row.system), closing_of(row)
    before = Snapshot.from_json(row.before) if row.before else None
    closed = connector.close(target, closing, step=partial(reached, ENDING))
    removed = now()
    reached(ENDING, "closed")
    found = connector.read_back(target, closing, before=before)
    reached(ENDING, "read")
    if not found.clear:
        return record_remainder(by=SWEEP, grant=row, found=found, closed=closed)
    row = confirm(by=SWEEP, grant=row, found=found, removed_ms=ms(removed), closed=closed)
    reached(ENDING, "confirmed")
    return row


@action(event="grant.closing")
def begin(*, by: Actor, grant: Grant) -> Grant:
    """Say that the target is about to be closed."""
    row = locked(grant)
    if row.state != CLOSING:
        raise WrongState(NOT_OPEN, about=row)
    custody.begin_rotation(by=by, grant=row)
    row.attempts += 1
    row.next_try_at = now() + AFTER_A_CRASH
    row.save(update_fields=["attempts", "next_try_at"])
    append("grant.closing", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, attempt=row.attempts)
    return row


@action(event=("grant.read_back", "grant.ended"))
def confirm(*, by: Actor, grant: Grant, found: ReadBack, removed_ms: int, closed: Closed) -> Grant:
    """The target shows nothing any more: ended. The password goes with it."""
    row = locked(grant)
    at = moment(max(found.at_ms, ms(row.ended_at)))  # type: ignore[arg-type]  # closing has its time
    make(
        row, MOVES["confirm"], says="This access was read back already.", removed_at=moment(removed_ms), confirmed_at=at,
        secret=None, verifier="", before=None, next_try_at=None, last_trouble="",
    )  # fmt: skip
    _append_read_back(by, row, found, closed, removed_ms)
    over = over_at(row) if row.expires_at else ms(row.ended_at)  # type: ignore[arg-type]  # as above
    rules = rules_of(row.request.policy)
    hours = rules.review_hours_for(row.request.mode, row.system.criticality)
    due = over + hours * 3_600_000 if row.opened_at else None
    custody.put_back(by=by, grant=row, to_at=over, closed=closed)
    tell(
        by=by, **recipients(USE, rules, row.system, responder=row.person),
        kind="grant.ended", case=row.log_case, about=row.log_subject, grant_id=row.pk,
        path=f"/requests/{row.request_id}/",
        facts={
            **who_where_what(row.request), "cause": row.get_end_cause_display(), "ended_at": row.ended_at, "confirmed_at": at, **_who_and_why(row),
        },
    )  # fmt: skip
    append(
        "grant.ended", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, person_id=row.person_id,
        system_id=row.system_id, cause=row.end_cause, ended_at=ms(row.ended_at), over_at=over, removed_at=removed_ms,  # type: ignore[arg-type]  # as above
        confirmed_at=ms(at), read_back_from=_read_from(row), review_due_at=due,
    )  # fmt: skip
    return row


def _read_from(row: Grant) -> str:
    """Who says that it is over: the target, or the portal alone where it reaches none."""
    return "target" if connector_of(row).reads_back else "portal"


def _who_and_why(row: Grant) -> dict[str, str]:
    """Of what another person ended: who, and the reason given, as the log has them."""
    said = of_subject(row.log_subject, ("grant.revoked",)) if row.end_cause == "revoked" else []
    if not said:
        return {}
    by = Person.objects.filter(pk=said[-1].by).first() if not said[-1].by.startswith("process:") else None
    return {"by": by.name if by else "", "reason": said[-1].says("reason")}


def _append_read_back(by: Actor, row: Grant, found: ReadBack, closed: Closed, removed_ms: int | None) -> None:
    append(
        "grant.read_back", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, system_id=row.system_id,
        clear=found.clear, read_at=found.at_ms, removed_at=removed_ms, read_back_from=_read_from(row), attempt=row.attempts,
        remainders=sorted({each.kind for each in found.remainders}), drift=sorted({each.kind for each in found.drift}),
        remainder_details="\n".join(each.detail for each in found.remainders) or None,
        drift_details="\n".join(each.detail for each in found.drift) or None, sessions_ended=closed.sessions_ended,
        statement_logging=closed.statement_logging,
    )  # fmt: skip


@action(event="grant.read_back")
def record_remainder(*, by: Actor, grant: Grant, found: ReadBack, closed: Closed) -> Grant:
    """Something is left: it stays "closing", says so, and is tried again."""
    row = locked(grant)
    sentence = "; ".join(each.detail for each in found.remainders)
    _wait_and_tell(by, row, f"The target still shows: {sentence}", [each.kind for each in found.remainders])
    _append_read_back(by, row, found, closed, None)
    return row


@action(event="grant.close_failed")
def record_trouble(*, by: Actor, grant: Grant, trouble: Trouble) -> Grant:
    """The target could not be closed or read: access may be live, everybody concerned is told, it is tried again."""
    row = locked(grant)
    if row.state != CLOSING:
        raise WrongState("This access was read back already.", about=row)
    _wait_and_tell(by, row, trouble.sentence, [])
    append(
        "grant.close_failed", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, attempt=row.attempts,
        code=trouble.code, sentence=trouble.sentence,
    )  # fmt: skip
    return row


def _wait_and_tell(by: Actor, row: Grant, sentence: str, remainders: list[str]) -> None:
    row.last_trouble, row.next_try_at = sentence[:300], now() + pause(row.attempts, BACKOFF_S)
    row.save(update_fields=["last_trouble", "next_try_at"])
    if row.attempts != ALARM_AT and row.attempts % 50:
        return
    alarms.critical("Access %s could not be ended yet: it may still be live.", row.pk)
    tell(
        by=by, kind="grant.close_failed",
        **recipients(FAILED_END, rules_of(row.request.policy), row.system, responder=row.person), case=row.log_case, about=row.log_subject,
        path=f"/requests/{row.request_id}/", grant_id=row.pk,
        facts={
            **who_where_what(row.request), "live_until": row.expires_at, "attempt": row.attempts, "sentence": sentence[:300],
            "ended_at": row.ended_at, "remainders": remainders, "again_at": row.next_try_at,
        },
    )  # fmt: skip
