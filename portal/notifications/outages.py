"""Tells that an outage of what keeps the log is over: of backups, of rehearsals, of a witness, of timestamps.

Follows the log, which says when each began and when it ended; each end is told once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from audit.log.append import process
from audit.log.read import LoggedEvent, of_subject, recent
from portal.clock import moment, now
from portal.eligibility.queries import administrators
from portal.notifications.following import take_new
from portal.notifications.outbox import tell

READER = "outages"
BATCH = 50
TELLER = process("outages")
KIND = "outage.over"
NO_NEWS = timedelta(days=1)
"""An end that is older, as after the portal itself was away, is told nobody: the status page has it."""
ENOUGH = 50  # entries to look back over: an outage has few, since each is told once


@dataclass(frozen=True)
class Over:
    """What is back, and since when it was away (ms)."""

    what: str
    since: int


def _backups(entry: LoggedEvent) -> Over | None:
    since = entry.fields.get("outage_from")
    return None if since is None else Over("Backups are made", since)


def _rehearsals(entry: LoggedEvent) -> Over | None:
    since = entry.fields.get("outage_from")
    return None if since is None else Over("A backup was restored for trial", since)


def _witness(entry: LoggedEvent) -> Over | None:
    """It cosigns again, and its line verifies; one that does not is told as damage."""
    told = of_subject(entry.subject, ("log.witnessed", "log.not_witnessed"), ENOUGH)
    earlier = [each for each in told if each.index is not None and each.index < (entry.index or 0)]
    lost = earlier[-1] if earlier and earlier[-1].name == "log.not_witnessed" else None
    if lost is None or not entry.fields["ok"]:
        return None
    return Over(f"The witness {entry.fields['witness']} cosigns the log", lost.fields.get("last_at") or lost.at)


def _timestamps(entry: LoggedEvent) -> Over | None:
    """Only where it was alarmed of: a single answer that failed is none."""
    since, alarmed = None, False
    for each in recent(("log.timestamped", "log.timestamp_failed"), entry.index, ENOUGH):
        if each.name == "log.timestamped":
            break
        since, alarmed = each.fields.get("last_at") or each.at, alarmed or bool(each.fields.get("late"))
    return Over("The log is timestamped", since) if since is not None and alarmed else None


ENDS: Mapping[str, Callable[[LoggedEvent], Over | None]] = {
    "backup.made": _backups,
    "backup.rehearsed": _rehearsals,
    "log.witnessed": _witness,
    "log.timestamped": _timestamps,
}


def run(batch: int = BATCH) -> int:
    """Queue what there is to tell of all ends that are sealed and not yet taken in; returns of how many."""
    return take_new(READER, ENDS, _take_in, batch)


def _take_in(entry: LoggedEvent) -> bool:
    over = ENDS[entry.name](entry) if moment(entry.at) > now() - NO_NEWS else None
    if over is None:
        return False
    tell(
        by=TELLER, people=administrators(), addresses=settings.PORTAL_SECURITY_LIST, kind=KIND, about=f"entry:{entry.id}",
        path="/status/", facts={"what": over.what, "since": over.since, "at": entry.at},
    )  # fmt: skip
    return True
