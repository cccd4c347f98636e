"""Carry a later end to the target. Until the target has it, the earlier end holds there."""

import logging
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor, action, append, process
from portal.clock import ms, now
from portal.errors import LogUnavailable, Refused, WrongState
from portal.grants.actions import NOT_OPEN, locked
from portal.grants.models import Extension, Grant
from portal.grants.states import ACTIVE
from portal.grants.targets import alone, closing_of, connector_of, target_of
from portal.grants.trouble import BACKOFF_S, Trouble, pause, trouble_of
from portal.rows import lock_row

logger = logging.getLogger("breakglass.grants")


def run(grant_id: UUID) -> Grant:
    """Bring the target's end in line with the portal's; safe to call any number of times."""
    grant = _read(grant_id)
    if _waiting(grant) is None:
        return grant
    with alone(grant) as held:
        if held:
            _carry(_read(grant_id))  # as it is now: somebody may have ended it before the lock was ours
    return grant


def _read(grant_id: UUID) -> Grant:
    return Grant.objects.select_related("system", "privilege").get(pk=grant_id)


def _waiting(grant: Grant) -> Extension | None:
    """The first extension that an open grant's target does not carry."""
    if grant.state != ACTIVE:
        return None
    given = Extension.objects.filter(grant=grant, decision="approve", applied_at__isnull=True)
    return given.order_by("asked_at").first()


def _carry(grant: Grant) -> None:
    waiting, ends = _waiting(grant), grant.expires_at
    if waiting is None or ends is None:
        return
    try:
        connector_of(grant).extend(target_of(grant.system), closing_of(grant), expires_at_ms=ms(ends))
        applied(by=process("portal"), extension=waiting, ends=ends)
    except (Refused, LogUnavailable):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the responder is told that the earlier end holds
        _wait(grant, trouble_of(error, grant))


def _wait(grant: Grant, trouble: Trouble) -> None:
    """Not on the target yet. Where another try cannot help by itself, the pause is the longest at once."""
    logger.warning("the later end of %s is not on the target yet: %s", grant.pk, trouble.sentence)
    attempts = grant.attempts + 1
    wait = pause(attempts if trouble.again else len(BACKOFF_S))
    Grant.objects.filter(pk=grant.pk, state=ACTIVE).update(
        last_trouble=trouble.sentence[:300], attempts=attempts, next_try_at=now() + wait
    )


@action(event="grant.extension_applied")
def applied(*, by: Actor, extension: Extension, ends: datetime) -> None:
    """The target carries the later end. Of one that was ended meanwhile nothing is said: its own process closes it."""
    row = locked(extension.grant)
    asked = lock_row(Extension, extension.pk)
    if row.state != ACTIVE:
        raise WrongState(NOT_OPEN, about=row)
    if asked.applied_at:
        raise WrongState("The target carries it already.", about=row)
    asked.applied_at = now()
    asked.save(update_fields=["applied_at"])
    row.last_trouble, row.attempts, row.next_try_at = "", 0, None
    row.save(update_fields=["last_trouble", "attempts", "next_try_at"])
    append(
        "grant.extension_applied", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, extension_id=asked.pk,
        expires_at=ms(ends),
    )  # fmt: skip
