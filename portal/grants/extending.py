"""Carry a later end to the target. Until the target has it, the earlier end holds there."""

import logging
from uuid import UUID

from audit.log.append import Actor, action, append, process
from portal.clock import ms, now
from portal.connectors.base import ConnectorError
from portal.errors import WrongState
from portal.grants.actions import locked
from portal.grants.models import Extension, Grant
from portal.grants.states import ACTIVE
from portal.grants.targets import alone, closing_of, connector_of, target_of
from portal.rows import lock_row

logger = logging.getLogger("breakglass.grants")


def run(grant_id: UUID) -> Grant:
    """Bring the target's end in line with the portal's; safe to call any number of times."""
    grant = Grant.objects.select_related("system", "privilege").get(pk=grant_id)
    waiting = (
        Extension.objects.filter(grant=grant, decision="approve", applied_at__isnull=True).order_by("asked_at").first()
    )
    if waiting is None or grant.state != ACTIVE or grant.expires_at is None:
        return grant
    with alone(grant) as held:
        if held:
            _carry(grant, waiting)
    return grant


def _carry(grant: Grant, waiting: Extension) -> None:
    if grant.expires_at is None:
        return
    try:
        connector_of(grant.system).extend(
            target_of(grant.system), closing_of(grant), expires_at_ms=ms(grant.expires_at)
        )
    except ConnectorError as error:
        logger.warning("the later end of %s is not on the target yet: %s", grant.pk, error.sentence)
        Grant.objects.filter(pk=grant.pk).update(last_trouble=error.sentence[:300])
        return
    applied(by=process("portal"), extension=waiting)


@action(event="grant.extension_applied")
def applied(*, by: Actor, extension: Extension) -> None:
    """The target carries the later end."""
    row = locked(extension.grant)
    asked = lock_row(Extension, extension.pk)
    if asked.applied_at or row.expires_at is None:
        raise WrongState("The target carries it already.", about=row)
    asked.applied_at = now()
    asked.save(update_fields=["applied_at"])
    Grant.objects.filter(pk=row.pk).update(last_trouble="")
    append(
        "grant.extension_applied", by=by, case=row.log_case, subject=row.log_subject, grant_id=row.pk, extension_id=asked.pk,
        expires_at=ms(row.expires_at),
    )  # fmt: skip
