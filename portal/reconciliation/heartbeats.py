"""A marked act on each target, every half minute, that must come back through the target's own log.

The act comes first, its event after: an event without its act could never come back.
"""

import logging
import secrets
from datetime import datetime

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.heartbeats import beat
from portal.clock import now
from portal.connectors import for_kind
from portal.connectors.base import ConnectorError
from portal.locks import alone
from portal.reconciliation.side_by_side import each_of
from portal.reconciliation.sources import Source, Tried, declared, last_tries
from portal.systems.targets import target

KIND = "heartbeat"
HEARTBEATS = process("heartbeats")
logger = logging.getLogger("breakglass.heartbeats")


def send_due() -> int:
    """Send what is due; returns how many were sent. One target that hangs holds up no other."""
    tries = last_tries(KIND)
    due = [source for source in declared() if source.counting != "none" and _due(source, tries.get(source.id), now())]
    return sum(bool(sent) for sent in each_of(_send, due))


def _due(source: Source, last: Tried | None, at: datetime) -> bool:
    return last is None or at - last.at >= source.every


def _send(source: Source) -> bool:
    with alone(f"{KIND}:{source.id}") as held:
        if not held or not _due(source, last_tries(KIND).get(source.id), now()):
            return False
        nonce, sent_at = secrets.token_urlsafe(16), now_ms()
        try:
            for_kind(source.system.connector).heartbeat(target(source.system), nonce)
        except ConnectorError as error:
            logger.warning("no heartbeat on %s: %s", source.system.slug, error.sentence)
            beat(f"{KIND}:{source.id}", {"trouble": error.sentence})
            return False
        record(by=HEARTBEATS, source=source, nonce=nonce, sent_at=sent_at)
        beat(f"{KIND}:{source.id}", {"trouble": "", "nonce": nonce})
        return True


@action(event="source.heartbeat_sent")
def record(*, by: Actor, source: Source, nonce: str, sent_at: int) -> None:
    """Say what was done on the target."""
    append(
        "source.heartbeat_sent", by=by, subject=source.log_subject, source_id=source.id, system_id=source.system.pk,
        nonce=nonce, sent_at=sent_at,
    )  # fmt: skip
