"""Uses that are over are put up for review, and what waits is brought to mind. Whoever runs it, how often, changes nothing."""

import logging
from collections.abc import Callable
from datetime import datetime

from audit.log.append import process
from portal.clock import now
from portal.errors import Refused
from portal.reviews.actions import remind, set_due
from portal.reviews.models import Review
from portal.reviews.queries import to_remind, without_review

logger = logging.getLogger("breakglass.sweep")
SWEEP = process("sweep")


def run_due() -> int:
    """Do what is due now; returns how much was done."""
    done = sum(_done(set_due, by=SWEEP, grant=grant) for grant in without_review())
    at = now()
    for review in to_remind(at):
        mark = mark_of(review, at)
        if mark and mark not in review.reminded:
            done += _done(remind, by=SWEEP, review=review, mark=mark)
    return done


def mark_of(review: Review, at: datetime) -> str:
    """The newest reminder that has come due: half the time is gone, all of it is, or a number of days more."""
    begun = review.grant.ended_at or review.due_at
    if at < review.due_at:
        return "before" if at >= begun + (review.due_at - begun) / 2 else ""
    days = (at - review.due_at).days
    return f"after-{days}" if days else "at"


def _done(act: Callable[..., object], **given: object) -> int:
    """One review's trouble must not stop the others; a refusal means that somebody else was quicker."""
    try:
        act(**given)
    except Refused as refusal:
        logger.info("review: %s", refusal.sentence)
        return 0
    except Exception:
        logger.exception("review: broken off, tried again")
        return 0
    return 1
