"""Duties whose list is there no longer: once the last sealed account of a system is out of use, nothing of them is begun or missed.

One that is registered later is the beginning of another run, with duties of its own.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from portal.campaigns.lists import LISTS
from portal.campaigns.models import Duty
from portal.sealed.runs import Run, runs_of


def still_owed(duties: Iterable[Duty]) -> list[Duty]:
    """Those whose list has been there ever since they count. At most two queries."""
    return [duty for duty, over in _with_end(duties) if over is None]


def owed_when_due(duties: Iterable[Duty]) -> list[Duty]:
    """Those whose list was there until their time was over, whatever came later, on a system that was in scope until then. At most two queries."""
    return [
        duty for duty, over in _with_end(duties) if (over is None or over > duty.due_at) and _in_scope_when_due(duty)
    ]


def _in_scope_when_due(duty: Duty) -> bool:
    until = duty.system.in_scope_to if duty.system else None
    return until is None or until > duty.due_at


def _with_end(duties: Iterable[Duty]) -> list[tuple[Duty, datetime | None]]:
    """With each when its list came to an end; one that no run explains never had a list."""
    rows = list(duties)
    systems = {system for system in map(_with_accounts, rows) if system is not None}
    runs = runs_of(systems) if systems else {}
    return [
        (duty, _over(duty, runs.get(system, [])) if system else None)
        for duty in rows
        for system in [_with_accounts(duty)]
    ]


def _with_accounts(duty: Duty) -> UUID | None:
    """Its system, where its list is one of accounts: every other list of the system is there as long as the system is."""
    return duty.system_id if LISTS[duty.subject_kind].of_accounts else None


def _over(duty: Duty, runs: list[Run]) -> datetime | None:
    return next((run.over for run in runs if run.holds(duty.counts_from)), duty.counts_from)
