"""The sweep and a hint as tasks. They may run twice, late or never."""

import logging
from uuid import UUID

from celery import shared_task

from portal.campaigns import removal
from portal.campaigns.models import Item
from portal.campaigns.sweep import run_due
from portal.errors import Refused

logger = logging.getLogger("breakglass.campaigns")


@shared_task(name="portal.campaigns.sweep")
def sweep() -> int:
    """Set duties, begin, remind, look at what was revoked."""
    return run_due()


@shared_task(name="portal.campaigns.remove")
def remove(item_id: str) -> None:
    """Go on with one removal."""
    try:
        removal.run(UUID(item_id))
    except Item.DoesNotExist:
        logger.info("there is no line %s", item_id)
    except Refused as refusal:
        logger.info("line %s: %s", item_id, refusal.sentence)
