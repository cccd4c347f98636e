"""The next rehearsal of restoring a backup: of whoever administers all systems."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse

from audit.log.backup_times import rehearsal_due_at
from portal.calendars.entries import Entry
from portal.clock import moment
from portal.eligibility.models import ADMINISTRATOR
from portal.eligibility.queries import holds_for_all
from portal.people.models import Person


def owed_by(viewer: Person, at: datetime) -> datetime | None:
    """Since when the viewer owes one; nothing before. Where the worker rehearses by itself, it does so within the hour."""
    due_at = rehearsal_due_at() if holds_for_all(viewer.pk, (ADMINISTRATOR,)) else None
    when = moment(due_at) if due_at is not None else None
    return when if when is not None and when <= at else None


def entries(viewer: Person) -> Iterable[Entry]:
    """One, where backups are made. Four queries at most."""
    due_at = rehearsal_due_at() if holds_for_all(viewer.pk, (ADMINISTRATOR,)) else None
    if due_at is not None:
        when = moment(due_at)
        yield Entry(
            f"restore-{when:%Y%m%d}",
            when,
            "Restore",
            "Rehearse restoring a backup of the portal",
            reverse("status_page"),
        )
