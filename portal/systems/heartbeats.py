"""A marked act on a target, and the event that says so. The act comes first: an event without its act could never come back."""

import contextvars
import secrets
import threading

from django.db import connection

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.heartbeats import beat
from audit.log.read import of_subject
from portal.connectors import for_kind
from portal.connectors.base import Heartbeat
from portal.systems.models import System
from portal.systems.targets import target

HEARTBEATS = process("heartbeats")
KIND = "heartbeat"
NOTHING = "none"


def subject(source_id: object) -> str:
    """How the log names a source."""
    return f"source:{source_id}"


def send(system: System, source_id: object) -> str:
    """Do a marked act on the system's target now; returns its nonce. Not inside a transaction.

    Raises:
        ConnectorError: the target does not answer; nothing is written.
    """
    nonce, sent_at = secrets.token_urlsafe(16), now_ms()
    found = for_kind(system.connector).heartbeat(target(system), nonce)
    record(by=HEARTBEATS, system=system, source_id=source_id, nonce=nonce, sent_at=sent_at, found=found)
    beat(f"{KIND}:{source_id}", {"trouble": "", "nonce": nonce})
    return nonce


@action(event="source.heartbeat_sent")
def record(*, by: Actor, system: System, source_id: object, nonce: str, sent_at: int, found: Heartbeat) -> None:
    """Say what was done on the target, and what the target counted by then."""
    append(
        "source.heartbeat_sent", by=by, subject=subject(source_id), source_id=source_id, system_id=system.pk, nonce=nonce,
        sent_at=sent_at, sessions_counted=found.sessions_counted, stats_epoch=found.stats_epoch or None,
        settings_sha256=found.settings_sha256 or None,
    )  # fmt: skip


def stands(system: System) -> bool:
    """Whether a source of the system is declared from which a heartbeat can come back. Its source has the system's id."""
    said = of_subject(subject(system.pk), ("source.declared", "source.withdrawn"))
    return bool(said) and said[-1].name == "source.declared" and said[-1].fields["counting"] != NOTHING


def begin(system: System) -> threading.Thread | None:
    """Send one beside other work, so that it holds up nothing: join the thread with a limit. Its errors are nobody's.

    ``None`` where none could come back.
    """
    if not stands(system):
        return None
    context = contextvars.copy_context()  # times are taken from the caller's clock
    thread = threading.Thread(target=context.run, args=(_quietly, system), name=f"heartbeat {system.slug}", daemon=True)
    thread.start()
    return thread


def _quietly(system: System) -> None:
    try:
        send(system, system.pk)
    except Exception as error:  # noqa: BLE001 - the regular heartbeats tell of trouble; this one is an extra
        beat(f"{KIND}:{system.pk}", {"trouble": str(error)[:300]})
    finally:
        connection.close()
