"""Duties whose list is there no longer: once the last sealed account of a system is out of use, nothing of them is begun or missed.

One that is registered later is the beginning of another run, with duties of its own.
"""

from collections.abc import Iterable
from datetime import datetime

from portal.campaigns.lists import LISTS
from portal.campaigns.models import Duty
from portal.sealed.runs import Run, runs_of


def still_owed(duties: Iterable[Duty]) -> list[Duty]:
    """Those whose list has been there ever since they count. At most two queries."""
    return [duty for duty, over in _with_end(duties) if over is None]


def owed_when_due(duties: Iterable[Duty]) -> list[Duty]:
    """Those whose list was there until their time was over, whatever came later. At most two queries."""
    return [duty for duty, over in _with_end(duties) if over is None or over > duty.due_at]


def _with_end(duties: Iterable[Duty]) -> list[tuple[Duty, datetime | None]]:
    """With each when its list came to an end; one that no run explains never had a list."""
    rows = list(duties)
    systems = {duty.system_id for duty in rows if duty.system_id is not None and LISTS[duty.subject_kind].of_accounts}
    runs = runs_of(systems) if systems else {}
    return [(duty, _over(duty, runs.get(duty.system_id, [])) if duty.system_id in systems else None) for duty in rows]


def _over(duty: Duty, runs: list[Run]) -> datetime | None:
    return next((run.over for run in runs if run.holds(duty.counts_from)), duty.counts_from)
