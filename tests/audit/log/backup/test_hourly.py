"""The hourly job: one backup an hour, one entry for an outage, and one for its end."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit.events.spec import LATEST
from audit.log import backup_times
from audit.log.append import append, clock, now_ms, process
from audit.log.backup import hourly, lateness, making, rehearsing
from audit.log.backup.configured import NotConfigured
from audit.log.backup_times import MINUTE_MS, last_of, outage_of
from audit.log.heartbeats import beat
from audit.log.read import LoggedEvent, last_named
from tests.audit.log.backup.configured import configure
from tests.audit.log.backup.places import Place, place
from tests.audit.log.logged import sealed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backups(tmp_path: Path, settings: Any) -> Place:
    found = place(tmp_path)
    configure(settings, found)
    sealed(3)
    return found


def said() -> list[LoggedEvent]:
    """Of any time: a test's clock runs ahead."""
    return last_named([backup_times.MADE, backup_times.FAILED, backup_times.LATE], 50, LATEST)


def at(minutes: int, job: Any) -> int:
    moment = now_ms() + minutes * MINUTE_MS
    with clock(lambda: moment):
        return int(job.run_due())


def test_one_backup_an_hour_with_its_figures(backups: Place) -> None:
    assert [at(minutes, hourly) for minutes in (0, 0, 59, 62)] == [1, 0, 0, 1]
    first, second = said()
    (waits,) = [event for event in (first,) if event.index is None]  # written after the backup, so it is not in it
    fields = {name: first.fields.get(name) for name in ("size", "values", "place", "outage_from")}
    assert fields == {"size": 3, "values": 6, "place": str(backups.folder), "outage_from": None}
    assert (waits.subject, second.fields["rows"] > first.fields["rows"] > 0) == (
        f"backup:{first.fields['backup_id']}",
        True,
    )
    assert (backups.folder / f"backups/{second.fields['backup_id']}.p/manifest").exists()


def test_one_by_hand_in_another_place_keeps_none_from_being_made_in_time(backups: Place, tmp_path: Path) -> None:
    assert at(0, hourly) == 1
    moment = now_ms() + 30 * MINUTE_MS
    with clock(lambda: moment):
        hourly.make_one(by=hourly.BACKER, address=str(tmp_path / "other"))
    assert [at(minutes, hourly) for minutes in (59, 62)] == [0, 1]


def test_nothing_is_tried_where_no_place_is_set(settings: Any) -> None:
    settings.PORTAL_BACKUP_TO = ""
    sealed(1)
    assert [job.run_due() for job in (hourly, lateness, rehearsing)] == [0, 0, 0]
    assert said() == []


def test_an_outage_is_one_entry_and_its_end_another(backups: Place, settings: Any) -> None:
    key = settings.PORTAL_BACKUP_KEY_FILE
    assert at(0, hourly) == 1
    settings.PORTAL_BACKUP_KEY_FILE = "/nowhere/backup.key"
    assert [at(minutes, hourly) for minutes in (65, 70, 76, 130, 300)] == [0] * 5
    assert at(400, lateness) == 0  # it is known already
    settings.PORTAL_BACKUP_KEY_FILE = key
    assert at(401, hourly) == 1
    names = [event.name for event in said()]
    assert names == ["backup.made", "backup.failed", "backup.made"]
    failed, made = said()[1:]
    assert failed.fields["sentence"] == "PORTAL_BACKUP_KEY_FILE cannot be read: No such file or directory."
    assert (failed.fields["code"], failed.fields["last_at"]) == ("NotConfigured", said()[0].at)
    with clock(lambda: made.at):
        assert (made.fields["outage_from"], outage_of("backup")) == (failed.at, None)


@pytest.mark.parametrize("name", ["PORTAL_BACKUP_KEY_FILE", "PORTAL_BACKUP_RECIPIENT"])
def test_a_setting_that_was_not_given_is_said_to_be_missing_and_not_to_be_unreadable(
    backups: Place, settings: Any, name: str
) -> None:
    setattr(settings, name, "")
    with pytest.raises(CommandError) as caught:
        call_command("backup")
    assert str(caught.value) == f"No backup was made. {name}: not set; manage.py backup_keys makes the keys of backups."


def test_a_restore_without_the_key_of_backups_does_not_speak_of_the_logs_key(backups: Place, settings: Any) -> None:
    settings.PORTAL_BACKUP_PUBLIC_KEY = ""
    with pytest.raises(CommandError) as caught:
        call_command("restore", "--from", str(backups.folder), "--identity", str(backups.identity))
    said = "PORTAL_BACKUP_PUBLIC_KEY: not set; manage.py backup_keys makes the keys of backups."
    assert str(caught.value) == f"Nothing was restored. {said}"


def test_a_place_that_is_full_or_gone_is_said_in_a_sentence(backups: Place, settings: Any) -> None:
    settings.PORTAL_BACKUP_TO = "/dev/null/backups"
    with pytest.raises(CommandError, match=r"No backup was made\. The place for backups cannot be written or read\."):
        call_command("backup")
    (failed,) = said()
    assert failed.fields["kept"] == "Earlier backups stand as they were."
    assert failed.fields["code"] == "StoreUnavailable"


def test_what_the_database_says_of_an_error_is_not_repeated(backups: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import DataError

    def broken(*_: object) -> int:
        raise DataError("invalid: Grace Hopper")

    monkeypatch.setattr("audit.log.backup.tables.values_held", broken)
    assert at(0, hourly) == 0
    (failed,) = said()
    assert failed.fields["sentence"] == "The database did not give its rows (DataError)."


def test_while_another_makes_one_nothing_is_said(backups: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken() -> Any:
        raise making.BeingMade("Another backup is being made.")

    monkeypatch.setattr("audit.log.backup.making._alone", taken)
    assert (at(0, hourly), said()) == (0, [])


def test_late_is_told_once_by_whoever_still_runs_and_never_after_a_pause_of_everything(backups: Place) -> None:
    assert at(0, hourly) == 1
    asked = [(minutes, at(minutes, lateness)) for minutes in (0, 50, 100, 134, 137, 190, 240)]
    assert [minutes for minutes, told in asked if told] == [137]
    late = said()[-1]
    assert (late.name, late.fields["what"], late.fields["last_at"]) == ("backup.late", "backup", said()[0].at)
    assert at(241, hourly) == 1
    assert [at(minutes, lateness) for minutes in (242, 3000, 3010)] == [0, 0, 0]  # all was switched off in between
    assert at(3016, lateness) == 1
    with clock(lambda: said()[-1].at):
        assert last_of("backup") == said()[-2]


def test_what_is_said_of_the_future_silences_neither_backups_nor_their_alarm(backups: Place) -> None:
    assert at(0, hourly) == 1
    forged = {name: value for name, value in said()[0].fields.items() if name != "outage_from"}
    ahead = now_ms() + 1000 * 86_400_000
    with transaction.atomic(), clock(lambda: ahead):
        append("backup.made", by=process("backup"), **forged)
    for name, detail in ((hourly.TRIED, {"trouble": ""}), (lateness.LOOKED, {"since": now_ms() + 10**11})):
        beat(name, {"at": now_ms() + 10**11, **detail})
    assert [at(minutes, lateness) for minutes in (100, 130, 137)] == [0, 0, 1]
    beat(hourly.TRIED, {"at": "later"})
    assert at(138, hourly) == 1


def test_no_password_in_the_address_of_the_place_reaches_the_log(backups: Place) -> None:
    with pytest.raises(NotConfigured) as caught:
        hourly.make_one(by=hourly.BACKER, address="s3://ida:pass@log/?endpoint=http://ida:pass@h")
    (event,) = said()
    assert event.fields["place"] == "s3://…@log/?endpoint=http://…@h"
    assert [each for each in (event.fields["sentence"], str(caught.value)) if "pass" in each] == []
