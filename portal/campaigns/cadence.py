"""When a list is attested: so long after the last time, whole days of 24 hours in UTC. Times in, times out; no database, no clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAD = timedelta(days=14)  # a campaign begins so long before its duty is due


@dataclass(frozen=True)
class Owed:
    """One attestation that is owed."""

    starts_at: datetime
    due_at: datetime
    days_since_previous: int


@dataclass(frozen=True)
class Last:
    """The one before: when it was due, and when it was closed, if it was."""

    due_at: datetime
    closed_at: datetime | None = None

    def is_past(self, at: datetime) -> bool:
        """Done, or its time is over: the next one can be set."""
        return self.closed_at is not None or self.due_at <= at


def next_owed(began: datetime, last: Last | None, every: timedelta, at: datetime) -> Owed | None:
    """The next one; nothing while the last is neither done nor over.

    It counts from when the last was done; where it was not, from when it was due, so that what nobody did shifts nothing;
    and never from before the list came to be.
    """
    if last is not None and not last.is_past(at):
        return None
    since = began if last is None else max(began, last.closed_at or last.due_at)
    due_at = since + every
    return Owed(due_at - LEAD, due_at, (due_at - since).days)


def is_missed(due_at: datetime, closed_at: datetime | None, at: datetime) -> bool:
    """Whether it was not done by its time, whenever that is asked: what was done later was not done by its time either."""
    return due_at < at and (closed_at is None or closed_at > due_at)


def closes_at(owed_due_at: datetime, at: datetime) -> datetime:
    """Until when lines are to be decided that are listed now: the duty's time, and a fortnight away when it begins early or late."""
    latest = at + LEAD
    return owed_due_at if at < owed_due_at < latest else latest


def mark_of(listed_at: datetime, due_at: datetime, at: datetime) -> str:
    """The newest reminder that has come due: half the time is gone, all of it is, or a number of days more. Else nothing."""
    if at < due_at:
        return "half" if at >= listed_at + (due_at - listed_at) / 2 else ""
    days = (at - due_at).days
    return f"after-{days}" if days else "at"


def daily_mark(listed_at: datetime, at: datetime) -> str:
    """The newest reminder of lines that nobody may decide: one for each whole day since the list was taken. On the first day nothing."""
    days = (at - listed_at).days
    return f"nobody-{days}" if days > 0 else ""
