"""From a grant to open access: the process that opens. Who authorises: ``authorising.py``.

Intent event, wait until it is provably in the log, call the connector, result event. No network call inside a transaction,
every step can be repeated after a crash, and one process at a time works on a grant.
"""

import hashlib
import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

import rfc8785
from django.db import DatabaseError, connection

from audit.log.append import Actor, action, append, process
from audit.log.checkpoints import is_witnessed
from audit.sources.postgresql.marker import marker_for
from portal.access_requests.alerting import recipients
from portal.access_requests.facts import who_where_what
from portal.access_requests.queries import audience_of, would_end
from portal.clock import ms, now
from portal.connectors.base import Opened, Snapshot
from portal.crash_points import OPENING as OPENING_TARGET
from portal.crash_points import reached
from portal.eligibility.queries import may_use
from portal.errors import LogUnavailable, Refused, WrongState
from portal.grants import custody, permits
from portal.grants.actions import NOT_OPEN, locked, revoke
from portal.grants.models import Grant
from portal.grants.permits import Permit, permit
from portal.grants.states import AUTHORISED, FINAL, MOVES, OPENING
from portal.grants.targets import LockLost, alone, closing_of, connector_of, opening_of, still_alone, target_of
from portal.grants.trouble import Trouble, pause, trouble_of
from portal.moves import make
from portal.notifications.outbox import tell
from portal.policy.alerts import FAILED, USE
from portal.policy.queries import rules_of
from portal.secrets import encrypt
from portal.stops.queries import is_stopped, stopped
from portal.stops.rules import need_no_stop
from portal.systems import heartbeats

alarms = logging.getLogger("breakglass.alarm")
MARK_PATIENCE_S = 1.0
GIVE_UP_AFTER = timedelta(minutes=10)
PORTAL = process("portal")


def run(grant_id: UUID) -> Grant:
    """Open the target of a grant that may be opened; safe to call at any time, by anybody, any number of times."""
    grant = Grant.objects.select_related("system", "privilege", "request__policy").get(pk=grant_id)
    if grant.state not in (AUTHORISED, OPENING):
        return grant
    with alone(grant) as held:
        return _attempt(grant) if held else grant


def _attempt(grant: Grant) -> Grant:
    reached(OPENING_TARGET, "waiting")
    if now() - grant.authorised_at > GIVE_UP_AFTER and grant.state == OPENING:
        return give_up(by=PORTAL, grant=grant)
    if why := _no_longer(grant):
        return revoke(by=PORTAL, grant=grant, reason=why, cause="no longer to be opened")
    try:
        return _open(grant)
    except (Refused, LogUnavailable, LockLost, DatabaseError):  # decided otherwise, or nothing can be written down now
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, who waits for the access is told that it failed
        return _failed(grant, trouble_of(error, grant))


def _open(grant: Grant) -> Grant:
    row = begin(by=PORTAL, grant=grant)
    reached(OPENING_TARGET, "begun")
    marked = heartbeats.begin(row.system)  # so that the log is known to be read before the window begins
    permitted = permit(row)
    if isinstance(permitted, Trouble):
        return _failed(row, permitted)
    reached(OPENING_TARGET, "proved")
    if marked:
        marked.join(MARK_PATIENCE_S)
    before = (
        Snapshot.from_json(row.before) if row.before else _keep(row, connector_of(row).prepare(target_of(row.system)))
    )
    reached(OPENING_TARGET, "looked")
    opened = _open_target(row, permitted)
    reached(OPENING_TARGET, "opened")
    try:
        row = activate(by=PORTAL, grant=row, opened=opened, permitted=permitted, before=before)
    except (WrongState, DatabaseError) as error:
        _undo(row, lost=isinstance(error, DatabaseError))
        raise
    reached(OPENING_TARGET, "activated")
    return row


def _open_target(grant: Grant, permitted: Permit) -> Opened:
    """The one place where a target is opened."""
    if permitted.grant_id != grant.pk:
        raise RuntimeError("The permit is another grant's.")
    with custody.nobody_rotates(grant):
        return connector_of(grant).open(target_of(grant.system), opening_of(grant), step=partial(_step, grant))


def _step(grant: Grant, name: str) -> None:
    """Kill points of tests; and right before the target is changed the last look whether it may still be."""
    reached(OPENING_TARGET, name)
    if name == "connected":
        still_alone()
        if not Grant.objects.filter(pk=grant.pk, state=OPENING).exclude(stopped()).exists():
            raise WrongState(NOT_OPEN, about=grant)


def _undo(grant: Grant, *, lost: bool) -> None:
    """Somebody ended it meanwhile. What is closing is closed by its own process; what was read back already must be closed here.

    With the database connection the grant's lock was lost, so others may have ended it too.
    """
    if lost:
        connection.close()
    row = Grant.objects.select_related("system", "privilege").get(pk=grant.pk)
    if row.state in FINAL:
        alarms.critical("Access %s was opened after it had ended; it is closed again.", row.pk)
        connector_of(row).close(target_of(row.system), closing_of(row))


def _no_longer(grant: Grant) -> str:
    """Why what was authorised is not to be opened any more, or nothing: a process that comes back late opens nothing that nobody awaits."""
    if not may_use(grant.person_id, grant.privilege):
        return "Who asked is no longer on the list for this privilege."
    if is_stopped(grant.system):
        return "An emergency stop is in force."
    late = now() - grant.authorised_at > max(GIVE_UP_AFTER, timedelta(minutes=grant.minutes))
    return "It could not be opened in the time that was asked for." if late and grant.state == AUTHORISED else ""


def _failed(grant: Grant, trouble: Trouble) -> Grant:
    """What cannot get better by another attempt is given up at once."""
    row = record_trouble(by=PORTAL, grant=grant, trouble=trouble)
    return row if trouble.again else give_up(by=PORTAL, grant=row, trouble=trouble)


def _keep(grant: Grant, before: Snapshot) -> Snapshot:
    Grant.objects.filter(pk=grant.pk).update(before=before.as_json())
    return before


@action(event="grant.opening")
def begin(*, by: Actor, grant: Grant) -> Grant:
    """Say that the target is about to be opened; the first time make password and verifier.

    The system before the grant, as an emergency stop locks them: a row that is written twice in one transaction, as the grant is here, has all its
    foreign keys checked at commit, which shares the system's row too.
    """
    need_no_stop(grant.system, about=grant)
    row = locked(grant)
    changes: dict[str, object] = {
        "attempts": row.attempts + 1,
        "planned_expires_at": would_end(row.person_id, row.privilege, row.minutes).at,
    }
    if row.account is not None:
        changes |= {"login": row.account.account, "marker": row.account.account}
    elif row.secret is None:
        connector, login = connector_of(row.system), marker_for(row.number)
        password = connector.make_secret()
        verifier = connector.verifier(target_of(row.system), login, password)
        changes |= {
            "secret": encrypt(password.reveal(), f"grant:{row.pk}"), "login": login, "marker": login,
            "verifier": encrypt(verifier.reveal(), f"verifier:{row.pk}").hex(),
        }  # fmt: skip
    make(
        row,
        MOVES["begin"],
        says=NOT_OPEN,
        next_try_at=now() + timedelta(seconds=permits.SEAL_PATIENCE_S + 10),
        **changes,
    )
    row.opening_event = append(
        "grant.opening", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, attempt=row.attempts, login=row.login,
        marker=row.marker, expires_at=ms(row.planned_expires_at),  # type: ignore[arg-type]  # set above
    )  # fmt: skip
    row.save(update_fields=["opening_event"])
    return row


@action(event="grant.activated")
def activate(*, by: Actor, grant: Grant, opened: Opened, permitted: Permit, before: Snapshot) -> Grant:
    """Access is open: the window runs from now to the end that the target carries."""
    row = locked(grant)
    at, ends = now(), row.planned_expires_at
    rules, proof = rules_of(row.request.policy), permitted.proof
    make(
        row, MOVES["activate"], says=NOT_OPEN, opened_at=at, first_expires_at=ends, expires_at=ends, marker_ref=opened.marker_ref,
        login=opened.login, next_try_at=None, attempts=0, last_trouble="",
    )  # fmt: skip
    audience = audience_of(row.system, row.person_id)
    tell(
        by=by, **recipients(USE, rules, row.system, responder=row.person, first=True),
        kind="grant.opened", case=row.log_case, about=row.log_subject,
        path=f"/requests/{row.request_id}/", grant_id=row.pk,
        facts={**who_where_what(row.request), "expires_at": ends, "minutes": row.minutes, "mode": row.request.mode, "login": opened.login},
    )  # fmt: skip
    if custody.needs_release(row) and row.account is not None:
        tell(
            by=by, people=[*audience.approvers, *audience.owners, row.account.custodian], kind="sealed.release_wanted", case=row.log_case,
            about=row.log_subject, path=f"/requests/{row.request_id}/", grant_id=row.pk, facts={**who_where_what(row.request), "expires_at": ends},
        )  # fmt: skip
    append(
        "grant.activated", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, person_id=row.person_id,
        system_id=row.system_id, privilege_id=row.privilege_id, login=opened.login, marker=opened.marker, marker_ref=opened.marker_ref,
        opened_at=ms(at), provisioned_at=opened.provisioned_at_ms, expires_at=ms(ends), statement_logging=opened.statement_logging,  # type: ignore[arg-type]  # planned at begin
        superuser=opened.superuser, exposes_secret=False, account_id=row.account_id,
        sealed_index=proof.index if proof else None, sealed_size=proof.checkpoint.size if proof else None, unsealed=proof is None,
        witnessed=bool(proof and is_witnessed(proof.checkpoint)) if rules.witnessed else None,
        snapshot_sha256=_fingerprint(before), warnings=opened.warnings, review_due_hours=rules.review_hours_for(row.request.mode, row.system.criticality),
    )  # fmt: skip
    return row


def _fingerprint(before: Snapshot) -> str:
    return hashlib.sha256(rfc8785.dumps(before.as_json())).hexdigest()


@action(event="grant.opening_failed")
def record_trouble(*, by: Actor, grant: Grant, trouble: Trouble) -> Grant:
    """Keep what went wrong, and when it is tried again."""
    row = locked(grant)
    if row.state == AUTHORISED:  # it went wrong before the intent could be written, which counts the attempts
        row.attempts += 1
    elif row.state != OPENING:
        raise WrongState(NOT_OPEN, about=row)
    changed = trouble.sentence[:300] != row.last_trouble
    row.last_trouble, row.next_try_at = trouble.sentence[:300], now() + pause(row.attempts)
    row.save(update_fields=["attempts", "last_trouble", "next_try_at"])
    if changed:
        tell(
            by=by, kind="grant.opening_failed",
            **recipients(FAILED, rules_of(row.request.policy), row.system, responder=row.person),
            case=row.log_case, about=row.log_subject,
            path=f"/requests/{row.request_id}/", grant_id=row.pk,
            facts={**who_where_what(row.request), "sentence": trouble.sentence, "attempt": row.attempts, "again": trouble.again},
        )  # fmt: skip
    append(
        "grant.opening_failed", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, attempt=row.attempts,
        code=trouble.code, sentence=trouble.sentence, again=trouble.again,
    )  # fmt: skip
    return row


@action(event=("grant.revoked", "grant.failed"))
def give_up(*, by: Actor, grant: Grant, trouble: Trouble | None = None) -> Grant:
    """Stop trying to open. Once it was tried a half-open target is possible, so it is closed and read back like any other."""
    row, at = locked(grant), now()
    if row.state == AUTHORISED and trouble is not None:
        make(row, MOVES["cancel"], says=NOT_OPEN, ended_at=at, end_cause="failed", next_try_at=None)
        custody.put_back(by=by, grant=row, to_at=ms(at))
        append(
            "grant.failed", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, code=trouble.code,
            sentence=trouble.sentence, ended_at=ms(at),
        )  # fmt: skip
        return row
    make(row, MOVES["give_up"], says=NOT_OPEN, ended_at=at, end_cause="failed", next_try_at=at, attempts=0)
    append(
        "grant.revoked", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, ended_at=ms(at), over_at=ms(at),
        ended_by=by.id, cause="failed",
    )  # fmt: skip
    return row
