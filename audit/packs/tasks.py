"""Making a pack as a task: thin, harmless when run twice or never, since ``jobs.run_due`` makes what is left."""

import logging
import threading
from uuid import UUID

from celery import shared_task
from django.db import transaction

from audit.packs import jobs

logger = logging.getLogger("breakglass.packs")


@shared_task(name="audit.packs.make")
def make(pack_id: str) -> None:
    """Make one pack."""
    jobs.make(UUID(pack_id))


def hint(pack_id: UUID) -> None:
    """Ask a worker to begin at once, after the commit; nobody waits for a broker that is down."""
    transaction.on_commit(
        lambda: threading.Thread(target=_send, args=(str(pack_id),), name="pack-hint", daemon=True).start()
    )


def _send(pack_id: str) -> None:
    try:
        make.apply_async((pack_id,), retry=False, expires=60)
    except Exception as error:  # noqa: BLE001 - a broker may fail in any way; the sweep makes the pack
        logger.warning("the broker takes no hint for pack %s: %s", pack_id, type(error).__name__)
