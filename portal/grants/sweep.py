"""What is due is done, whoever asks: beat and ``manage.py watch`` call the same function, independently.

Each grant's process runs in a thread with a database connection of its own, so one slow target does not hold up the others.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import connection

from audit.log.append import Actor, action, process
from audit.log.heartbeats import beat
from portal.access_requests.facts import who_where_what
from portal.clock import now
from portal.errors import Refused
from portal.grants import ending, extending, opening
from portal.grants.actions import locked
from portal.grants.models import Grant
from portal.grants.queries import due_to_expire, due_to_try, extensions_to_apply, to_warn
from portal.grants.states import ACTIVE, CLOSING
from portal.notifications.outbox import tell

logger = logging.getLogger("breakglass.sweep")
HANDS = 12


def run_due(trigger: str = "watch") -> int:
    """End, open, extend and warn what is due now; returns how many processes ran. ``trigger`` is who asked: beat or watch."""
    at = now()
    work: dict[UUID, Callable[[UUID], object]] = dict.fromkeys(extensions_to_apply(), extending.run)
    work |= {pk: ending.run if state == CLOSING else opening.run for pk, state in due_to_try(at)}
    work |= dict.fromkeys(due_to_expire(at), ending.run)
    _all(work)
    for grant in to_warn(at):
        _quietly(lambda pk: warn(by=process("sweep"), grant=Grant.objects.get(pk=pk)), grant.pk)
    beat(f"sweep:{trigger}", {"processes": len(work)})
    return len(work)


def _all(work: dict[UUID, Callable[[UUID], object]]) -> None:
    if len(work) <= 1:
        for pk, run in work.items():
            _quietly(run, pk)
        return
    with ThreadPoolExecutor(max_workers=min(HANDS, len(work))) as hands:
        list(hands.map(lambda item: _in_thread(item[1], item[0]), work.items()))


def _in_thread(run: Callable[[UUID], object], pk: UUID) -> None:
    try:
        _quietly(run, pk)
    finally:
        connection.close()


def _quietly(run: Callable[[UUID], object], pk: UUID) -> None:
    """One grant's trouble must not stop the others; a refusal means that somebody else was quicker."""
    try:
        run(pk)
    except Refused as refusal:
        logger.info("grant %s: %s", pk, refusal.sentence)
    except Exception:
        logger.exception("grant %s: the process broke off and is tried again", pk)


@action(event="alert.queued")
def warn(*, by: Actor, grant: Grant) -> None:
    """Tell the responder once that the time is nearly over."""
    row = locked(grant)
    if row.state != ACTIVE or row.warned_at is not None:
        raise Refused("Warned already.", about=row)
    row.warned_at = now()
    row.save(update_fields=["warned_at"])
    tell(
        by=by, people=[row.person], kind="grant.ending_soon", case=row.log_case, about=row.log_subject, grant_id=row.pk,
        path=f"/requests/{row.request_id}/", facts={**who_where_what(row.request), "expires_at": row.expires_at},
    )  # fmt: skip
