"""Requests that nobody saw in time are passed on to the next tier; those that nobody answered in time lapse."""

import logging
from datetime import datetime

from audit.log.append import process
from portal.access_requests.actions import lapse, pass_on
from portal.access_requests.queries import lapsing, to_be_told, waiting_in_tiers
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


def pass_on_due(at: datetime | None = None) -> int:
    """Tell whoever is next; returns how many requests were passed on."""
    at, done = at or now(), 0
    for request in waiting_in_tiers(at):
        if to_be_told(request, at) is None:
            continue
        try:
            pass_on(by=process("sweep"), request=request, at=at)
            done += 1
        except Refused as refusal:
            logger.info("request %s: %s", request.pk, refusal.sentence)
    return done
