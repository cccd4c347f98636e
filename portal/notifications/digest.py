"""Reminders come once a day, in one message. Whatever calls somebody, reports a use or a failure, or is overdue never waits: emergencies have
no quiet hours.

Each reminder stays an alert of its own, with its own life; only the message is shared.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.clock import moment
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.people.zones import zone_of

REMINDERS = frozenset(
    {
        "review.reminder",
        "finding.due",
        "campaign.item_reminder",
        "campaign.nobody_reminder",
        "drill.due",
        "duty.reminder",
    }
)
HOUR = 7  # by the recipient's clock


def leaves_at(kind: str, person: Person | None, due_at_ms: int | None, at: datetime) -> datetime:
    """When the outbox sends an alert that is queued at that time: at once, or with the recipient's next digest.

    A reminder of what is due by then, or was due already, leaves at once.
    """
    if kind not in REMINDERS or person is None:
        return at
    then = next_digest(at, zone_of(person))
    return at if due_at_ms is not None and moment(due_at_ms) <= then else then


def next_digest(at: datetime, zone: ZoneInfo) -> datetime:
    """The next seven o'clock of that zone; where a clock change leaves it out or has it twice, the first moment that is it."""
    day = at.astimezone(zone).date()
    today = datetime.combine(day, time(HOUR), zone)
    found = today if today > at else datetime.combine(day + timedelta(days=1), time(HOUR), zone)
    return found.astimezone(at.tzinfo)


def companions(alert: Alert) -> Sequence[str]:
    """Kinds that go in one message with this alert."""
    return sorted(REMINDERS) if alert.kind in REMINDERS and alert.recipient_id is not None else ()
