"""How backups and the rehearsals of restoring them go, as rows of the status page, and what was verified of late as figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from audit.log import backup_times
from audit.log.backup_times import BACKUP, REHEARSAL, last_of, outage_of
from audit.log.read import LoggedEvent, last_named
from portal.charts.drawing import Chart, Series, bars
from portal.clock import moment
from portal.health.parts import PARTS
from portal.health.rows import DOWN, HEALTHY, LATE, UNKNOWN, Row, row

SHOWN = 12
COLUMNS = ("When", "What", "Entries", "Took", "Found")


@dataclass(frozen=True)
class History:
    """What was verified of late, the oldest first in the chart, the newest first in the rows under it."""

    chart: Chart
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def backup_rows(at: datetime) -> list[Row]:
    """The last backup and the last rehearsal; none where no place for backups is set and none was ever made."""
    made = last_of(BACKUP)
    if made is None and not settings.PORTAL_BACKUP_TO:
        return []
    return [_backup(made, at), _rehearsal(at)]


def _backup(made: LoggedEvent | None, at: datetime) -> Row:
    about, outage = PARTS["backup"], outage_of(BACKUP)
    when = moment(made.at) if made else None
    if outage is not None:
        return row(
            about,
            LATE if made else DOWN,
            when,
            f"Since {moment(outage.at):%-d %b, %H:%M} UTC: {outage.fields['sentence']}",
        )
    if made is None or when is None:
        return row(about, UNKNOWN, None, "None was made yet.")
    late_at = backup_times.backup_late_at()
    if late_at is not None and at > moment(late_at):
        return row(about, LATE, when, "The next one is overdue.")
    return row(
        about, HEALTHY, when, f"{made.fields['size']} entries and {made.fields['rows']} rows, {_age(at - when)} old."
    )


def _rehearsal(at: datetime) -> Row:
    about, outage, last = PARTS["rehearsal"], outage_of(REHEARSAL), last_of(REHEARSAL)
    when = moment(last.at) if last else None
    if outage is not None:
        return row(about, LATE if outage.name == backup_times.LATE else DOWN, when, str(outage.fields["sentence"]))
    due_at = backup_times.rehearsal_due_at()
    if last is None:
        says = f"None yet; due by {moment(due_at):%-d %b %Y}." if due_at else "There is no backup to restore yet."
        return row(about, UNKNOWN, None, says)
    if due_at is not None and at > moment(due_at):
        return row(about, LATE, when, f"The next one was due on {moment(due_at):%-d %b %Y}.")
    found = last.fields
    return row(
        about, HEALTHY, when, f"{found['size']} entries and {found['rows']} rows came back and verified, in {found['took_ms'] / 1000:.1f} s."
    )  # fmt: skip


def history() -> History | None:
    """The last checks of the log and rehearsals, drawn by how many entries each looked at; nothing where there was none."""
    events = last_named(["log.checked", backup_times.REHEARSED, backup_times.REHEARSAL_FAILED], SHOWN)
    if not events:
        return None
    series = [
        Series("Check of the log", "a", [_size(each, "log.checked") for each in events]),
        Series("Rehearsal of a restore", "b", [_size(each, backup_times.REHEARSED) for each in events]),
    ]
    chart = bars(
        name="verified", title="Entries that were verified", says="The last checks of the log and rehearsals of a restore.",
        labels=[f"{moment(each.at):%-d %b}" for each in events], series=series, stacked=True, tens=True,
    )  # fmt: skip
    return History(chart, COLUMNS, [_line(each) for each in reversed(events)])


def _size(event: LoggedEvent, name: str) -> float | None:
    return float(event.fields["size"]) if event.name == name else None


def _line(event: LoggedEvent) -> list[str]:
    """A rehearsal that failed verified nothing: it has no bar, and its line says why."""
    if event.name == backup_times.REHEARSAL_FAILED:
        return [
            f"{moment(event.at):%-d %b %Y, %H:%M} UTC",
            "Rehearsal of a restore",
            "",
            "",
            f"Failed: {event.fields['sentence']}",
        ]
    checked = event.name == "log.checked"
    what, found = (
        ("Check of the log", _whole(event) if event.fields["ok"] else "Damage")
        if checked
        else ("Rehearsal of a restore", "Same root")
    )
    return [
        f"{moment(event.at):%-d %b %Y, %H:%M} UTC", what, str(event.fields["size"]), f"{event.fields['took_ms'] / 1000:.1f} s", found,
    ]  # fmt: skip


def _whole(event: LoggedEvent) -> str:
    """Whole, and from which entry on where the log had been cut."""
    begins = event.fields.get("whole_from")
    return f"Whole from entry {begins}; cut before" if begins else "Whole"


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
