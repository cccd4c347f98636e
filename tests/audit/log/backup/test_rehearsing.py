"""A rehearsal restores the last backup into a database of its own, holds it against the log, and leaves nothing behind."""

import secrets
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.events.spec import LATEST
from audit.log.append import clock, now_ms
from audit.log.backup import hourly, lateness, rehearsing, tables, version
from audit.log.backup.rehearsing import NotRehearsed, _hold_against_log
from audit.log.backup_times import DAY_MS, REHEARSAL_FAILED, REHEARSED, outage_of, rehearsal_due_at
from audit.log.publishing import publish_once
from audit.log.read import LoggedEvent, last_named
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.backup.configured import configure
from tests.audit.log.backup.places import Place, place
from tests.audit.log.logged import run_signer, sealed
from tests.migrated import PATTERN
from tests.servers import role_url, superuser_url
from tests.worlds import make_world

FOREIGN = f"breakglass_rehearsal_{secrets.token_hex(2)}_eu"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backups(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The trial's database is migrated already, which saves ten seconds."""
    monkeypatch.setattr(rehearsing, "PATTERN", PATTERN)
    found = place(tmp_path)
    configure(settings, found)
    settings.PORTAL_LOG_STORE = str(tmp_path / "published")
    make_world()
    sealed(5)
    return found


def left() -> list[str]:
    with psycopg.connect(superuser_url(), autocommit=True) as login:
        rows = login.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [rehearsing._prefix()]
        ).fetchall()
    return [name for (name,) in rows]


def test_only_its_own_databases_are_removed_and_what_is_left_is_said_to_be_there(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(settings, place(tmp_path))
    real = rehearsing._drop_all
    calls = []

    def once(login: Any) -> None:
        calls.append(login)
        login.execute("SELECT no_such_column") if len(calls) > 1 else real(login)

    with psycopg.connect(role_url("owner", "postgres"), autocommit=True) as login:
        login.execute(f"CREATE DATABASE {FOREIGN} TEMPLATE template0")
        try:
            monkeypatch.setattr(rehearsing, "_drop_all", once)
            monkeypatch.setattr(rehearsing, "PATIENCE_S", 0.01)
            with pytest.raises(NotRehearsed, match="was ended"):
                rehearsing.rehearse(by=rehearsing.REHEARSER, with_=rehearsing.as_set())
            assert (said()[0].fields["kept"], len(left())) == (rehearsing.LEFT, 1)
            monkeypatch.setattr(rehearsing, "_drop_all", real)
            assert (rehearsing.run_due(), left()) == (0, [])  # none is due, and what lies there goes
            with pytest.raises(NotRehearsed):
                rehearsing.rehearse(by=rehearsing.REHEARSER, with_=rehearsing.as_set())
            assert (said()[1].fields["kept"], left()) == (rehearsing.KEPT, [])
        finally:
            login.execute(f"DROP DATABASE {FOREIGN}")  # it is there still


def said() -> list[LoggedEvent]:
    """Of any time: a test's clock runs ahead."""
    return last_named([REHEARSED, REHEARSAL_FAILED], 50, LATEST)


def test_the_command_counts_what_was_sealed_since_and_names_no_row_of_it(backups: Place, settings: Any) -> None:
    assert hourly.run_due() == 1
    sealed(2)
    publish_once(connection, DirectoryStore(Path(settings.PORTAL_LOG_STORE)), [run_signer().verifier()])
    told = StringIO()
    call_command("rehearse_restore", stdout=told)
    assert told.getvalue().endswith(" personal values. Sealed since it was made: 3 entries.\n")
    settings.PORTAL_LOG_STORE = ""
    call_command("rehearse_restore", stdout=told)
    assert told.getvalue().endswith(" personal values. No published log says what was sealed since.\n")


def test_the_first_backup_is_rehearsed_at_once_and_then_each_month(backups: Place, settings: Any) -> None:
    assert hourly.run_due() == 1
    sealed(2)
    publish_once(connection, DirectoryStore(Path(settings.PORTAL_LOG_STORE)), [run_signer().verifier()])
    assert rehearsing.run_due() == 1
    (done,), made = said(), last_named(["backup.made"])[0]
    names = ("backup_id", "size", "log_root", "rows", "values")
    assert {name: done.fields[name] for name in names} == {name: made.fields[name] for name in names}
    assert (done.fields["missing"], left()) == (3, [])  # the two, and what was said of the backup
    again = []
    for at in (done.at + 30 * DAY_MS - 1, done.at + 30 * DAY_MS + 1):
        with clock(lambda at=at: at):  # type: ignore[misc]  # of this turn
            (backups.folder / "manifest").unlink(missing_ok=True)
            again.append((rehearsing.run_due(), len(said()), rehearsing.run_due(), len(said())))
    assert again == [(0, 1, 0, 1), (0, 2, 0, 2)]  # tried when due, and once a day while it fails
    failed = said()[-1]
    with clock(lambda: failed.at):
        outage = outage_of("rehearsal")
    assert (failed.fields["sentence"], outage) == ("Nothing was restored. There is no backup at this place.", failed)
    assert (rehearsal_due_at(), left()) == (done.at + 30 * DAY_MS, [])


def test_after_an_upgrade_it_waits_for_a_backup_of_this_version_and_no_failure_is_said(
    backups: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The restore itself takes ten seconds; in its place stands that it was begun."""
    begun: list[rehearsing.Rehearsal] = []

    def begin(with_: rehearsing.Rehearsal) -> dict[str, Any]:
        begun.append(with_)
        raise NotRehearsed("It was begun.")

    monkeypatch.setattr(rehearsing, "_restored", begin)
    at = now_ms()
    with monkeypatch.context() as before:
        before.setattr(tables, "migrations", lambda: ("audit=0001_before",))
        assert hourly.run_due() == 1
    assert (rehearsing.run_due(), rehearsing.run_due(), begun, said()) == (0, 0, [], [])
    assert [each.getMessage() for each in caplog.records if each.name == rehearsing.__name__] == [version.PUT_OFF] * 2
    with pytest.raises(CommandError, match="made by another version of the portal"):
        call_command("rehearse_restore")
    assert last_named(["backup.rehearsal_failed"]) == []
    with clock(lambda: at + 11 * 60_000):  # between two tries lie ten minutes
        assert (hourly.run_due(), hourly.run_due()) == (1, 0)
        assert (rehearsing.run_due(), len(begun), [each.name for each in said()]) == (0, 1, [REHEARSAL_FAILED])


WRONG = {"size": 4, "root": "00" * 32, "rows": 1, "values": 1, "id": "20261129T000000Z-00000000"}


def test_a_whole_backup_that_the_log_does_not_know_or_knows_otherwise_fails(backups: Place) -> None:
    hourly.run_due()
    made = last_named(["backup.made"])[0].fields
    found = {
        "id": made["backup_id"],
        "size": made["size"],
        "root": made["log_root"],
        "rows": made["rows"],
        "values": made["values"],
    }
    _hold_against_log(found)
    refused = {}
    for name, value in WRONG.items():
        with pytest.raises(NotRehearsed) as error:
            _hold_against_log(found | {name: value})
        refused[name] = str(error.value)
    otherwise = {
        name: f"The log says otherwise of this backup: {name} {WRONG[name]} instead of {found[name]}."
        for name in ("size", "root", "rows", "values")
    }
    assert refused == otherwise | {
        "id": "The log does not know the backup that lies there: it was made by somebody else."
    }


def test_a_rehearsal_that_nobody_can_make_is_late_a_day_after_it_was_due(backups: Place, settings: Any) -> None:
    settings.PORTAL_REHEARSAL_IDENTITY_FILE = ""
    hourly.run_due()
    made = last_named(["backup.made"])[0].at
    told = []
    for minutes in range(0, 40, 10):
        with clock(lambda minutes=minutes: made + 31 * DAY_MS + (minutes - 20) * 60_000):  # type: ignore[misc]  # of this turn
            hourly.note_made(by=hourly.BACKER, made=_like_the_last(), place="")  # backups go on
            told.append((rehearsing.run_due(), lateness.run_due()))
    assert told == [(0, 0), (0, 0), (0, 1), (0, 0)]
    late = last_named(["backup.late"], until=LATEST)[0]
    assert (late.fields["what"], late.fields["due_at"]) == ("rehearsal", made + 31 * DAY_MS)


def _like_the_last() -> Any:
    from audit.log.backup.writing import Made

    return Made("20261129T000000Z-00000000", 5, "00")


def test_a_place_that_was_set_back_by_one_backup_fails(
    backups: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restore itself takes ten seconds and sees nothing of it; in its place stands what it would find."""
    before = hourly.make_one(by=hourly.BACKER)
    figures = {
        "id": before.id, "made_at": 0, "size": before.size, "root": before.root, "rows": before.rows, "values": before.values,
        "missing": [], "erased": 0,
    }  # fmt: skip
    monkeypatch.setattr(rehearsing, "_restored", lambda _: figures)
    hourly.note_made(by=hourly.BACKER, made=_like_the_last(), place="/elsewhere")  # says nothing of this place
    assert rehearsing.rehearse(by=rehearsing.REHEARSER, with_=rehearsing.as_set()) == figures
    shutil.copytree(backups.folder, tmp_path / "before")
    sealed(2)
    newer = hourly.make_one(by=hourly.BACKER)
    shutil.rmtree(backups.folder)
    shutil.copytree(tmp_path / "before", backups.folder)
    with pytest.raises(NotRehearsed, match="it is not the last one there: the place was set back") as caught:
        rehearsing.rehearse(by=rehearsing.REHEARSER, with_=rehearsing.as_set())
    assert (caught.value.backup, newer.id in str(caught.value)) == (before.id, True)
    assert [each.fields["sentence"] for each in said()[1:]] == [str(caught.value)]
