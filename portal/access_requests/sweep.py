"""Requests that nobody saw in time are passed on to the next tier; those that nobody answered in time lapse."""

from datetime import datetime

from audit.log.append import process
from portal.access_requests.actions import lapse
from portal.access_requests.asking import pass_on
from portal.access_requests.queries import lapsing, to_be_told, waiting_in_tiers
from portal.clock import now
from portal.sweeping import done, true_of

SWEEP, ROOM = process("sweep"), "requests"


def lapse_due() -> int:
    """Lapse what is due; returns how many requests lapsed."""
    return sum(done(ROOM, lapse, by=SWEEP, request=request) for request in lapsing(now()))


def pass_on_due(at: datetime | None = None) -> int:
    """Tell whoever is next; returns how many requests were passed on."""
    at = at or now()
    return sum(
        done(ROOM, pass_on, by=SWEEP, request=request, at=at)
        for request in waiting_in_tiers(at)
        if true_of(ROOM, to_be_told, request, at)
    )
