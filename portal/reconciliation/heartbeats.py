"""A marked act on each target, every few seconds, that must come back through the target's own log."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from audit.log.heartbeats import beat
from portal.clock import now
from portal.connectors.base import ConnectorError
from portal.grants.models import Grant
from portal.locks import alone
from portal.reconciliation.side_by_side import each_of
from portal.reconciliation.sources import Source, Tried, declared, last_tries
from portal.systems.heartbeats import KIND, NOTHING, send

LATENESS_MS = 2000
SETTLE = timedelta(milliseconds=500)
LOOK_BACK = timedelta(minutes=1)
logger = logging.getLogger("breakglass.heartbeats")


def send_due() -> int:
    """Send what is due; returns how many were sent. One target that hangs holds up no other."""
    tries, ended = last_tries(KIND), _read_back_lately()
    due = [
        source for source in declared()
        if source.counting != NOTHING and _due(source, tries.get(source.id), ended.get(str(source.system.pk)), now())
    ]  # fmt: skip
    return sum(bool(sent) for sent in each_of(_send, due))


def _read_back_lately() -> Mapping[str, datetime]:
    """When access to each system was last read back: a heartbeat behind it is what the verdict waits for."""
    rows = Grant.objects.filter(confirmed_at__gt=now() - LOOK_BACK).order_by("confirmed_at")
    return {str(system): at for system, at in rows.values_list("system_id", "confirmed_at") if at}


def _due(source: Source, last: Tried | None, ended: datetime | None, at: datetime) -> bool:
    if last is None or at - last.at >= source.every:
        return True
    settled = ended + _lateness(source) + SETTLE if ended else None
    return settled is not None and last.at < settled <= at


def _lateness(source: Source) -> timedelta:
    try:
        return timedelta(milliseconds=int(source.settings.get("lateness_ms", LATENESS_MS)))
    except (TypeError, ValueError):
        return timedelta(milliseconds=LATENESS_MS)


def _send(source: Source) -> bool:
    with alone(f"{KIND}:{source.id}") as held:
        ended = _read_back_lately().get(str(source.system.pk))
        if not held or not _due(source, last_tries(KIND).get(source.id), ended, now()):
            return False
        try:
            send(source.system, source.id)
        except ConnectorError as error:
            logger.warning("no heartbeat on %s: %s", source.system.slug, error.sentence)
            beat(f"{KIND}:{source.id}", {"trouble": error.sentence})
            return False
        return True
