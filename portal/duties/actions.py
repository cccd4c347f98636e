"""Bringing to mind what is overdue: whom the policy names once, whoever owes it once a day with their other reminders."""

from datetime import datetime

from audit.log.append import Actor, action
from portal.access_requests.alerting import of_system
from portal.clock import now
from portal.duties.overdue import Overdue, is_overdue
from portal.errors import ChangedMeanwhile
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.policy.alerts import OVERDUE
from portal.rows import lock_row
from portal.systems.models import System

ONCE, DAILY = "duty.overdue", "duty.reminder"


@action(event="alert.queued")
def tell_overdue(*, by: Actor, duty: Overdue) -> None:
    """Tell whom the system's policy has told of what is overdue, and who owes it: at once, and once for each date.

    Raises:
        ChangedMeanwhile: they were told, or it was done.
    """
    _lock_and_look(duty)
    if was_told(duty):
        raise ChangedMeanwhile("They were told already.", about=duty.system)
    tell(
        by=by, **of_system(OVERDUE, duty.system, also=duty.people), kind=ONCE, about=duty.about, path=duty.path,
        facts={"what": duty.what, "system": duty.system.name, "due_at": duty.due_at},
    )  # fmt: skip


@action(event="alert.queued")
def remind(*, by: Actor, duty: Overdue) -> None:
    """Remind who owes it, in their next digest; once each day (UTC) until it is done.

    Raises:
        ChangedMeanwhile: something was said of it today, or it was done.
    """
    _lock_and_look(duty)
    if was_said_today(duty, now()):
        raise ChangedMeanwhile("They were reminded today.", about=duty.system)
    tell(
        by=by, people=duty.people, kind=DAILY, about=duty.about, path=duty.path,
        facts={"what": duty.what, "system": duty.system.name, "was_due_at": duty.due_at},
    )  # fmt: skip


def _lock_and_look(duty: Overdue) -> None:
    lock_row(System, duty.system.pk, no_key=True)
    if not is_overdue(duty, now()):
        raise ChangedMeanwhile("It was done meanwhile.", about=duty.system)


def was_told(duty: Overdue) -> bool:
    """Whether it was told to be overdue."""
    return Alert.objects.filter(kind=ONCE, about=duty.about).exists()


def was_said_today(duty: Overdue, at: datetime) -> bool:
    """Whether anything was said of it since midnight, UTC."""
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Alert.objects.filter(kind__in=(ONCE, DAILY), about=duty.about, queued_at__gte=today).exists()
