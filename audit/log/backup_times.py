"""Whether backups, and rehearsals of restoring one, are on time: by the log and the settings alone. Needs neither the place nor a key.

What says that it was written in the future counts for nothing: it would keep backups and their alarm silent until then.

An outage begins with the first entry that says that something failed or is late, and ends with the next one that succeeded.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from audit.log.append import now_ms
from audit.log.heartbeats import last_beat
from audit.log.read import SKEW_MS, LoggedEvent, in_window, last_named

MADE, FAILED, LATE = "backup.made", "backup.failed", "backup.late"
REHEARSED, REHEARSAL_FAILED = "backup.rehearsed", "backup.rehearsal_failed"
BACKUP, REHEARSAL = "backup", "rehearsal"
SUCCEEDED = {BACKUP: MADE, REHEARSAL: REHEARSED}
WENT_WRONG = {BACKUP: FAILED, REHEARSAL: REHEARSAL_FAILED}
MINUTE_MS, DAY_MS = 60_000, 86_400_000
GRACE_MS = 15 * MINUTE_MS
ENOUGH = 50  # entries to look back over: an outage has few, since each is told once


def every_ms() -> int:
    """How much time lies between two backups."""
    return int(settings.PORTAL_BACKUP_MINUTES) * MINUTE_MS


def rehearsal_ms() -> int:
    """How much time lies between two rehearsals."""
    return int(settings.PORTAL_REHEARSAL_DAYS) * DAY_MS


def last_of(what: str) -> LoggedEvent | None:
    """The last backup that was made, or the last rehearsal that succeeded."""
    return next(iter(last_named([SUCCEEDED[what]])), None)


def outage_of(what: str) -> LoggedEvent | None:
    """The entry that began the outage which goes on, if one does."""
    return _begun(what, last_named([SUCCEEDED[what], WENT_WRONG[what], LATE], ENOUGH))


def noted(process: str) -> dict[str, Any]:
    """What a heartbeat with its time ``at`` (ms) says; nothing where there is none, or one of the future."""
    last = last_beat(process)
    at = last.detail.get("at") if last is not None else None
    return last.detail if last is not None and isinstance(at, int) and at <= now_ms() + SKEW_MS else {}


def _begun(what: str, events: Sequence[LoggedEvent]) -> LoggedEvent | None:
    begun = None
    for each in reversed(events):
        if each.name == SUCCEEDED[what]:
            break
        if each.name != LATE or each.fields["what"] == what:
            begun = each
    return begun


def backup_late_at() -> int | None:
    """From when on the next backup is late (ms): two were left out, and a quarter of an hour. Nothing where none was ever made."""
    last = last_of(BACKUP)
    return None if last is None else last.at + 2 * every_ms() + GRACE_MS


def rehearsal_due_at() -> int | None:
    """When the next rehearsal falls due (ms): so many days after the last, or after the first backup."""
    last = last_of(REHEARSAL)
    if last is None:
        last = next(iter(in_window(MADE, 0, now_ms() + 1, 1)), None)
    return None if last is None else last.at + rehearsal_ms()


def rehearsal_late_at() -> int | None:
    """From when on it is late: a day after."""
    due_at = rehearsal_due_at()
    return None if due_at is None else due_at + DAY_MS
