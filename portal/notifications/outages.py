"""Tells that an outage of what keeps the log is over: of backups, rehearsals, sealing, publication, a witness, timestamps, the daily check.

Follows the log, which says when each began and when it ended; each end is told once. The beginnings are findings, whose intake
follows what is sealed; so that of sealing is told here, before it is sealed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from audit.log.append import process
from audit.log.read import LoggedEvent, last_named_of
from portal.clock import moment, now
from portal.eligibility.queries import administrators
from portal.notifications.following import take_new
from portal.notifications.inert import one_line
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.reconciliation.models import IntakePosition

READER = "outages"
BATCH = 50
TELLER = process("outages")
KIND, PROBLEM = "outage.over", "system.problem"
NO_NEWS = timedelta(days=1)
"""An end that is older, as after the portal itself was away, is told nobody: the status page has it."""
PARTS: Mapping[str, str] = {
    "sealing": "Events are sealed", "publication": "The log is published", "timestamps": "The log is timestamped",
    "check": "The log is checked, and what is published of it",
}  # fmt: skip
"""What is back, by what `log.on_time` calls it; the rest are witnesses."""
SEALING = "lateness:sealing"


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


def _log(entry: LoggedEvent) -> Over:
    """Sealing, publication, a witness, timestamps or the daily check."""
    what = one_line(entry.fields["what"], 80)
    return Over(PARTS.get(what, f"The {what} cosigns the log"), entry.fields["since"])


ENDS: Mapping[str, Callable[[LoggedEvent], Over | None]] = {
    "backup.made": _backups,
    "backup.rehearsed": _rehearsals,
    "log.on_time": _log,
}


def run(batch: int = BATCH) -> int:
    """Tell that nothing is sealed, and of all ends that are sealed and not yet taken in; returns of how many."""
    return _tell_unsealed() + take_new(READER, ENDS, _take_in, batch)


def _tell_unsealed() -> int:
    """Queue the alert of an outage of sealing that goes on, once."""
    IntakePosition.objects.get_or_create(reader=READER)
    with transaction.atomic():
        if not IntakePosition.objects.select_for_update(skip_locked=True).filter(reader=READER):
            return 0  # another process is at it
        last = last_named_of(SEALING, ["log.late", "log.on_time"])
        about = f"entry:{last.id}" if last is not None else ""
        if last is None or last.name != "log.late" or Alert.objects.filter(kind=PROBLEM, about=about).exists():
            return 0
        said = {name: one_line(last.fields[name], 300) for name in ("sentence", "to_do")}
        tell(
            by=TELLER, people=administrators(), addresses=settings.PORTAL_SECURITY_LIST, kind=PROBLEM, about=about, path="/status/",
            facts={"title": "Nothing is sealed", "sentence": f"{said['sentence']} {said['to_do']}", "at": last.fields["since"]},
        )  # fmt: skip
    return 1


def _take_in(entry: LoggedEvent) -> bool:
    over = ENDS[entry.name](entry) if moment(entry.at) > now() - NO_NEWS else None
    if over is None:
        return False
    tell(
        by=TELLER, people=administrators(), addresses=settings.PORTAL_SECURITY_LIST, kind=KIND, about=f"entry:{entry.id}",
        path="/status/", facts={"what": over.what, "since": over.since, "at": entry.at},
    )  # fmt: skip
    return True
