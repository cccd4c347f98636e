"""Duties are set, attestations begin, lines find another judge, what is late is told, what was revoked is looked at until it is gone.

Whoever runs it, however often.
"""

import logging
from collections.abc import Callable

from audit.log.append import process
from portal.campaigns import removal, starting
from portal.campaigns.actions import remind
from portal.campaigns.cadence import mark_of
from portal.campaigns.duties import note_missed, set_duty
from portal.campaigns.queries import to_begin, to_miss, to_reassign, to_remind, to_remove, without_duty
from portal.campaigns.reassigning import reassign
from portal.clock import now
from portal.errors import Refused

logger = logging.getLogger("breakglass.sweep")
SWEEP = process("sweep")


def run_due() -> int:
    """Do what is due now; returns how much was done."""
    at = now()
    done = sum(_done(set_duty, by=SWEEP, system=system, kind=kind) for system, kind in without_duty(at))
    done += sum(_done(starting.run, duty) for duty in to_begin(at))
    done += sum(_done(note_missed, by=SWEEP, duty=duty) for duty in to_miss(at))
    done += sum(_done(reassign, by=SWEEP, campaign=campaign) for campaign in to_reassign())
    for campaign in to_remind():
        mark = mark_of(campaign.snapshot_at, campaign.due_at, at)
        if mark and mark not in campaign.reminded:
            done += _done(remind, by=SWEEP, campaign=campaign, mark=mark)
    for item_id in to_remove():
        _done(removal.run, item_id)
    return done


def _done(act: Callable[..., object], *args: object, **kwargs: object) -> int:
    """One's trouble must not stop the others; a refusal means that somebody else was quicker, or must do something first."""
    try:
        return int(act(*args, **kwargs) is not None or act is remind)
    except Refused as refusal:
        logger.info("campaigns: %s", refusal.sentence)
    except Exception:
        logger.exception("campaigns: broken off, tried again")
    return 0
