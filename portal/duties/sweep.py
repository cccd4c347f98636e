"""What is overdue is told once, and brought to mind each day until it is done. Whoever runs it, how often, changes nothing."""

from audit.log.append import process
from portal.clock import now
from portal.duties.actions import remind, tell_overdue, was_said_today, was_told
from portal.duties.overdue import overdue
from portal.sweeping import done

SWEEP, ROOM = process("sweep"), "duties"


def run_due() -> int:
    """Say what is to be said now; returns of how many duties."""
    at, count = now(), 0
    for duty in overdue(at):
        if not was_told(duty):
            count += done(ROOM, tell_overdue, by=SWEEP, duty=duty)
        elif not was_said_today(duty, at):
            count += done(ROOM, remind, by=SWEEP, duty=duty)
    return count
