"""Drills that are over are judged, and what is owed is brought to mind. Whoever runs it, how often, changes nothing."""

from audit.log.append import process
from portal.clock import now
from portal.drills.actions import judge, remind
from portal.drills.queries import to_judge, to_remind
from portal.sweeping import done

SWEEP = process("sweep")


def run_due() -> int:
    """Do what is due now; returns how much was done."""
    count = sum(done("drills", judge, by=SWEEP, drill=drill) for drill in to_judge())
    return count + sum(done("drills", remind, by=SWEEP, due=due, mark=mark) for due, mark in to_remind(now()))
