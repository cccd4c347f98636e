"""Hints for a worker. Each may run twice, late or never: what is due is in the database, and a sweep does it as well."""

import logging
from collections.abc import Callable
from uuid import UUID

from celery import shared_task

from portal.errors import Refused
from portal.grants import ending, extending, opening
from portal.grants.models import Grant

logger = logging.getLogger("breakglass.grants")


@shared_task(name="portal.grants.open")
def open_grant(grant_id: str) -> None:
    """Open what may be opened."""
    _run(opening.run, grant_id)


@shared_task(name="portal.grants.end")
def end_grant(grant_id: str) -> None:
    """End what is due, and finish what is closing."""
    _run(ending.run, grant_id)


@shared_task(name="portal.grants.extend")
def extend_grant(grant_id: str) -> None:
    """Carry a later end to the target."""
    _run(extending.run, grant_id)


def _run(process: Callable[[UUID], object], grant_id: str) -> None:
    """One grant's process; a grant that is gone, or one that somebody else was quicker with, is no error."""
    try:
        process(UUID(grant_id))
    except Grant.DoesNotExist:
        logger.info("there is no grant %s", grant_id)
    except Refused as refusal:
        logger.info("grant %s: %s", grant_id, refusal.sentence)
