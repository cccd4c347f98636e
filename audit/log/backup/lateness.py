"""Whoever makes backups may be down, so somebody else asks whether the last one, or its rehearsal, is too old. Told once for each outage."""

import logging

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.backup.configured import is_configured
from audit.log.backup_times import (
    BACKUP,
    GRACE_MS,
    LATE,
    REHEARSAL,
    backup_late_at,
    every_ms,
    last_of,
    noted,
    outage_of,
    rehearsal_late_at,
)
from audit.log.heartbeats import beat

alarms = logging.getLogger("breakglass.alarm")
WATCHER = process("backup-watch")
LOOKED = "backups:looked"
"""Heartbeat of who asks, with since when: while nobody asked, nobody made any either, and they get a while before it is late."""
PAUSE_MS = 4 * GRACE_MS
SAYS = {
    BACKUP: "No backup was made, and nothing said why. What was written since the last one is lost if the database is.",
    REHEARSAL: "Whether a backup can be restored was not tried in time.",
}
TO_DO = {
    BACKUP: "See on the status page whether worker and beat run, then run manage.py backup.",
    REHEARSAL: "Run manage.py rehearse_restore where the identity of age is.",
}


def run_due() -> int:
    """Tell of what is late and was not told of; of how many things."""
    if not is_configured():
        return 0
    since, at = _asked_since(), now_ms()
    late = {BACKUP: backup_late_at() or since + 2 * every_ms() + GRACE_MS, REHEARSAL: rehearsal_late_at()}
    found = [
        (what, due_at) for what, due_at in late.items() if due_at is not None and max(due_at, since + GRACE_MS) <= at
    ]
    return sum(_tell(what, due_at) for what, due_at in found)


def _tell(what: str, due_at: int) -> int:
    if outage_of(what) is not None:
        return 0
    alarms.error("%s", SAYS[what])
    note_late(by=WATCHER, what=what, due_at=due_at)
    return 1


@action(event=LATE)
def note_late(*, by: Actor, what: str, due_at: int) -> None:
    """One entry of the log; findings and alerts follow from it."""
    last = last_of(what)
    append(
        LATE, by=by, what=what, due_at=due_at, last_at=last.at if last else None, sentence=SAYS[what], to_do=TO_DO[what]
    )


def _asked_since() -> int:
    last, at = noted(LOOKED), now_ms()
    paused = not last or last["at"] + PAUSE_MS < at
    since = at if paused else min(at, last["since"])
    beat(LOOKED, {"since": since, "at": at})
    return since
