"""The status page's lines on backups and rehearsals, and the calendar's on the next one; findings of what went wrong."""

from datetime import timedelta
from typing import Any

import pytest

from audit.log.append import clock, now_ms
from audit.log.backup import hourly, lateness, rehearsing
from audit.log.backup.writing import Made
from audit.log.backup_times import DAY_MS
from portal.calendars import restores
from portal.calendars.views import entries_of
from portal.clock import moment
from portal.findings import intake
from portal.findings.models import Finding
from portal.health.backup_rows import backup_rows, history
from portal.notifications.models import Alert
from tests.audit.log.logged import sealed
from tests.browsing import browser_of
from tests.worlds import make_world

pytestmark = pytest.mark.django_db(transaction=True)
ID = "20261129T000000Z-00000000"
FOUND = {
    "id": ID, "made_at": 5, "size": 7, "root": "00", "rows": 11, "values": 2, "missing": [{"at": 6}] * 3, "erased": 0,
}  # fmt: skip


def made() -> None:
    hourly.note_made(by=hourly.BACKER, made=Made(ID, 7, "00", rows=11), place="/backups")


def states(hours: float = 0) -> list[tuple[str, str]]:
    return [(each.state, each.says) for each in backup_rows(moment(now_ms()) + timedelta(hours=hours))]


def test_lines_follow_backups_and_rehearsals(settings: Any) -> None:
    settings.PORTAL_BACKUP_TO = ""
    assert (states(), history()) == ([], None)
    settings.PORTAL_BACKUP_TO = "/backups"
    assert states() == [("unknown", "None was made yet."), ("unknown", "There is no backup to restore yet.")]
    made()
    assert [state for state, _ in states()] == ["healthy", "unknown"]
    rehearsing.note_rehearsed(by=rehearsing.REHEARSER, found=FOUND, took_ms=1500)
    assert states(1.5) == [
        ("healthy", "7 entries and 11 rows, 90 minutes old."),
        ("healthy", "7 entries and 11 rows came back and verified, in 1.5 s."),
    ]
    assert [state for state, _ in states(2.5)] == ["late", "healthy"]
    assert [state for state, _ in states(31 * 24)] == ["late", "late"]
    hourly.note_failed(by=hourly.BACKER, code="StoreUnavailable", sentence="It is full.", place="/backups")
    rehearsing.note_failed(by=rehearsing.REHEARSER, sentence="A file is damaged.", backup=ID, gone=True)
    (backup, rehearsal) = states()
    assert (backup[0], backup[1].endswith("UTC: It is full.")) == ("late", True)
    assert rehearsal == ("down", "A file is damaged.")
    made()
    assert states()[0][0] == "healthy"
    shown = history()
    assert shown is not None
    assert [row[1:] for row in shown.rows] == [
        ["Rehearsal of a restore", "", "", "Failed: A file is damaged."],
        ["Rehearsal of a restore", "7", "1.5 s", "Same root"],
    ]
    assert [bar.look for bar in shown.chart.bars] == ["b"]
    assert len(shown.chart.labels) == 2


def test_each_outage_is_one_finding_that_administrators_are_told_of(settings: Any) -> None:
    world = make_world()
    world.pia.roles.update(system=None)
    settings.PORTAL_SECURITY_LIST = ["security@example.org"]
    for _ in range(2):
        hourly.note_failed(by=hourly.BACKER, code="StoreUnavailable", sentence="It is full.", place="/backups")
        made()
    rehearsing.note_failed(by=rehearsing.REHEARSER, sentence="A file is damaged.", backup=ID, gone=True)
    lateness.note_late(by=lateness.WATCHER, what="rehearsal", due_at=1)
    sealed(0)
    assert (intake.run(), intake.run()) == (3, 0)
    kinds = sorted((each.kind, each.test_id, each.title) for each in Finding.objects.all())
    assert kinds == [
        ("backup", "", "No backup is made"),
        ("backup", "", "No backup is made"),
        ("rehearsal", "T-44", "A backup could not be restored"),
    ]
    told = {(each.recipient, each.address) for each in Alert.objects.filter(kind="finding.raised")}
    assert told == {(world.pia, ""), (None, "security@example.org")}


def test_next_rehearsal_stands_in_the_calendar_of_administrators_of_everything() -> None:
    world = make_world()
    world.pia.roles.update(system=None)
    assert [each for each in entries_of(world.pia) if each.kind == "Restore"] == []
    before = now_ms() - 40 * DAY_MS
    with clock(lambda: before):
        made()
    (entry,) = [each for each in entries_of(world.pia) if each.kind == "Restore"]
    assert (entry.title, entry.path) == ("Rehearse restoring a backup of the portal", "/status/")
    assert entry.due_at == moment(before + 30 * DAY_MS)
    assert [each for each in entries_of(world.mo) if each.kind == "Restore"] == []
    owed = [restores.owed_by(world.pia, entry.due_at + timedelta(minutes=minutes)) for minutes in (-1, 0)]
    assert (owed, restores.owed_by(world.mo, entry.due_at)) == ([None, entry.due_at], None)
    assert b"Restore a backup for trial" in browser_of(world.pia).get("/").content
    assert b"Restore a backup for trial" not in browser_of(world.mo).get("/").content
    rehearsing.note_rehearsed(by=rehearsing.REHEARSER, found=FOUND, took_ms=1500)
    assert b"Restore a backup for trial" not in browser_of(world.pia).get("/").content
    page = browser_of(world.pia).get("/status/").content
    assert (page.count(b'<rect class="chart-b"'), b"Same root" in page) == (
        2,
        True,
    )  # a bar, and its place in the legend
