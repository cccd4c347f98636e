"""Drills that are over are judged, and what is owed is brought to mind. Whoever runs it, how often, changes nothing."""

import logging
from collections.abc import Callable

from audit.log.append import process
from portal.clock import now
from portal.drills.actions import judge, remind
from portal.drills.queries import to_judge, to_remind
from portal.errors import Refused

logger = logging.getLogger("breakglass.sweep")
SWEEP = process("sweep")


def run_due() -> int:
    """Do what is due now; returns how much was done."""
    done = sum(_done(judge, by=SWEEP, drill=drill) for drill in to_judge())
    return done + sum(_done(remind, by=SWEEP, due=due, mark=mark) for due, mark in to_remind(now()))


def _done(act: Callable[..., object], **given: object) -> int:
    """One's trouble must not stop the others; a refusal means that somebody else was quicker, or that something may still come."""
    try:
        act(**given)
    except Refused as refusal:
        logger.info("drills: %s", refusal.sentence)
        return 0
    except Exception:
        logger.exception("drills: broken off, tried again")
        return 0
    return 1
