"""Requests that nobody answered in time lapse."""

import logging

from audit.log.append import process
from portal.access_requests.actions import lapse
from portal.access_requests.queries import lapsing
from portal.clock import now
from portal.errors import Refused

logger = logging.getLogger("breakglass.sweep")


def lapse_due() -> int:
    """Lapse what is due; returns how many requests lapsed."""
    done = 0
    for request in lapsing(now()):
        try:
            lapse(by=process("sweep"), request=request)
            done += 1
        except Refused as refusal:
            logger.info("request %s: %s", request.pk, refusal.sentence)
    return done
