"""Duties are set, attestations begin, lines find another judge, what is late is told, what was revoked is looked at until it is gone.

Whoever runs it, however often.
"""

from collections.abc import Callable

from audit.log.append import process
from portal.campaigns import removal, starting
from portal.campaigns.actions import remind, remind_of_nobody
from portal.campaigns.cadence import daily_mark, mark_of
from portal.campaigns.duties import note_missed, set_duty
from portal.campaigns.queries import to_begin, to_miss, to_reassign, to_remind, to_remove, without_duty
from portal.campaigns.reassigning import reassign
from portal.clock import now
from portal.sweeping import attempt, done

SWEEP = process("sweep")


def run_due() -> int:
    """Do what is due now; returns how much was done."""
    at = now()
    count = sum(_done(set_duty, by=SWEEP, system=system, kind=kind) for system, kind in without_duty(at))
    count += sum(_done(starting.run, duty) for duty in to_begin(at))
    count += sum(_done(note_missed, by=SWEEP, duty=duty) for duty in to_miss(at))
    count += sum(_done(reassign, by=SWEEP, campaign=campaign) for campaign in to_reassign())
    for campaign in to_remind():
        mark = mark_of(campaign.snapshot_at, campaign.due_at, at)
        if mark and mark not in campaign.reminded:
            count += done("campaigns", remind, by=SWEEP, campaign=campaign, mark=mark)
    for campaign in to_remind(of_nobody=True):
        mark = daily_mark(campaign.snapshot_at, at)
        if mark and mark not in campaign.reminded:
            count += done("campaigns", remind_of_nobody, by=SWEEP, campaign=campaign, mark=mark)
    for item_id in to_remove():
        _done(removal.run, item_id)
    return count


def _done(act: Callable[..., object], *args: object, **given: object) -> int:
    """Where an act gives nothing, there was nothing to do."""
    ok, made = attempt("campaigns", act, *args, **given)
    return int(ok and made is not None)
