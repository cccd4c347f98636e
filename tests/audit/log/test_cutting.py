"""Old entries are cut: only what the sealed ``log.cut`` names and only after its time; every proof stays, and a missing bundle without it is damage."""

import shutil
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from audit.events.retention import DAY_MS
from audit.log import checkpoints
from audit.log.append import Entry, append_many, clock, now_ms
from audit.log.backup import hourly, making
from audit.log.checking import StoreSource
from audit.log.cuts import begins_at
from audit.log.cutting import Gone, StillLocked, cut_published, cut_stored
from audit.log.databases import as_role
from audit.log.examination import Report, examine, stored_ranges
from audit.log.models import Event, PersonalValue, SealedEntry
from audit.log.publisher import CUT_REST_S, Publisher
from audit.log.publishing import publish_once
from audit.log.read import named, size
from audit.log.sealing import SealingError
from audit.log.stores import StoreUnavailable
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.__main__ import main
from tests.audit.log.backup.configured import configure
from tests.audit.log.backup.places import empty_database, place, working_in
from tests.audit.log.logged import TEST, doctored, run_signer, sealed
from tests.servers import role_url

pytestmark = pytest.mark.django_db(transaction=True)
OLD = int(time.time() * 1000) - 3000 * DAY_MS
DELETE_ONE = (
    "DELETE FROM public.audit_event WHERE id IN (SELECT event_id FROM public.audit_sealed_entry WHERE index = 5)"
)
CASE, GOES_ON = str(uuid.uuid4()), str(uuid.uuid4())


def view(case: str = "") -> Entry:
    return Entry("page.viewed", TEST, {"person_id": "p", "page": "the case", "quarter": 0}, case=case)


def written(*entries: Entry) -> None:
    with transaction.atomic():
        append_many(entries)
    sealed(0)


def old_log(at: int = OLD) -> None:
    """600 old entries, 300 of them with a personal value: two that stay, one of a case that goes on, one of a case that does not."""
    with clock(lambda: at):
        sealed(2)
        search = {"search_id": "s", "list": "cases", "name": "Ada's", "query": "q", "shared": False}
        written(view(CASE), view(GOES_ON), *[Entry("search.saved", TEST, dict(search)) for _ in range(296)])
        written(*[view() for _ in range(300)])
    written(view(GOES_ON), view())


def say_cut(minimum: int = 512) -> None:
    said = {"cut_id": "c", "minimum_index": minimum, "from_index": 0, "from_at": OLD, "to_at": OLD, "keep_until": OLD}
    written(Entry("log.cut", TEST, said | {"asked_by": "a", "approved_by": "b", "reason": "Its time has come."}))


def published(folder: Path) -> DirectoryStore:
    store = DirectoryStore(folder)
    publish_once(connection, store, [run_signer().verifier()])
    return store


def cut_in(store: DirectoryStore) -> int:
    with connection.cursor() as cursor:
        return cut_published(cursor, store, size())


def cut_rows(role: str = "eraser", minimum: int = 512) -> Gone:
    with as_role(role, role_url(role, connection.settings_dict["NAME"])) as alias, transaction.atomic(using=alias):
        return cut_stored(alias, minimum)


def report(folder: Path | None = None) -> Report:
    return examine([run_signer().verifier()], published=StoreSource(str(folder)) if folder else None)


def outsider(folder: Path, capsys: Any) -> tuple[int, str]:
    status = main([str(folder), "--key", (folder.parent / "key").read_text(), "--quiet"])
    return status, capsys.readouterr().out.splitlines()[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from audit.log.checkpoint import log_key_text

    (tmp_path / "key").write_text(log_key_text(run_signer().verifier()))
    return tmp_path / "log"


def test_a_cut_log_is_whole_from_its_minimum_on_for_us_and_for_a_stranger(folder: Path, capsys: Any) -> None:
    old_log()
    store = published(folder)
    first = Event.objects.get(sealed__index=0).pk
    say_cut()
    assert cut_in(published(folder)) == 2
    assert (cut_in(store), sorted(path.name for path in (folder / "tile/entries").glob("0*"))) == (0, ["002.p"])
    assert outsider(folder, capsys) == (0, "WHOLE from entry 512 on; those before it were removed by a signed cut.")
    assert (report(folder).sentences(), begins_at()) == ([], 0)  # the database holds them still
    assert cut_rows() == Gone(entries=509, values=592, stayed=3)
    assert list(SealedEntry.objects.filter(index__lt=520).values_list("index", flat=True)) == [
        0,
        1,
        3,
        *range(512, 520),
    ]
    assert PersonalValue.objects.count() == 5
    found = report(folder)
    assert (found.sentences(), found.whole_from, found.stayed, found.entries) == ([], 512, 3, 94)
    assert {(each.from_index >= 512, each.ok) for each in stored_ranges([run_signer().verifier()], size())} == {
        (True, True)
    }
    proved = checkpoints.inclusion(first)
    assert proved is not None
    assert (proved.index, cut_rows()) == (0, Gone(stayed=3))
    elsewhere = published(folder.parent / "new")  # another store begins with what there is
    assert (cut_in(elsewhere), outsider(folder.parent / "new", capsys)[0]) == (0, 0)


def test_without_its_event_nothing_can_be_cut_and_what_is_missing_is_damage(folder: Path, capsys: Any) -> None:
    old_log()
    published(folder)
    (folder / "tile/entries/000").unlink()
    assert outsider(folder, capsys) == (1, "NOT WHOLE: 1 damages.")
    for role in ("eraser", "web"):
        with pytest.raises(DatabaseError):
            cut_rows(role)
    doctored("CREATE TEMPORARY TABLE early AS SELECT event_id FROM audit_sealed_entry WHERE index < 256")
    doctored("DELETE FROM audit_sealed_entry WHERE index < 256")
    doctored("DELETE FROM audit_personal_value WHERE event_id IN (SELECT event_id FROM early)")
    doctored("DELETE FROM audit_event WHERE id IN (SELECT event_id FROM early)")
    doctored("DROP TABLE early")
    found = report()
    assert (found.ok, found.whole_from) == (False, 0)


def test_neither_the_web_tier_nor_an_entry_of_its_making_cuts_what_is_young(folder: Path) -> None:
    old_log(OLD + 2000 * DAY_MS)
    say_cut()
    store = published(folder)
    with pytest.raises(SealingError, match="must be kept for longer"):
        cut_in(store)
    kept = Event.objects.count(), SealedEntry.objects.count(), PersonalValue.objects.count()
    with pytest.raises(SealingError, match="must be kept for longer"):
        cut_rows()
    refused_to_the_eraser(DELETE_ONE)
    refused_to_the_eraser("DELETE FROM audit_sealed_entry WHERE index = 5")
    assert (Event.objects.count(), SealedEntry.objects.count(), PersonalValue.objects.count()) == kept
    assert ((folder / "tile/entries/000").exists(), begins_at()) == (True, 0)


def refused_to_the_eraser(*statements: str) -> None:
    """What whoever has the eraser's login tries by hand; the last of them is refused by the trigger."""
    url = role_url("eraser", connection.settings_dict["NAME"])
    with as_role("eraser", url) as alias, transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for each in statements[:-1]:
            cursor.execute(each)
        with pytest.raises(DatabaseError, match="the log only grows"):
            cursor.execute(statements[-1])
        transaction.set_rollback(True, using=alias)


def test_what_is_no_whole_number_of_bundles_lets_nothing_go() -> None:
    old_log()
    say_cut()
    before = "512"
    for minimum in ("300", '"512"', '"x"', "1" + "0" * 30, "-256", "null", "{}", "1e2"):
        doctored(
            "UPDATE audit_event SET body = convert_to(replace(convert_from(body, 'UTF8'), %s, %s), 'UTF8') WHERE name = 'log.cut'",
            f'"minimum_index":{before}',
            f'"minimum_index":{minimum}',
        )
        before = minimum
        refused_to_the_eraser(DELETE_ONE)


def test_the_eraser_cannot_fool_the_trigger_with_tables_of_its_own() -> None:
    old_log()
    refused_to_the_eraser(
        "CREATE TEMPORARY TABLE audit_event (LIKE public.audit_event)",
        "CREATE TEMPORARY TABLE audit_sealed_entry (LIKE public.audit_sealed_entry)",
        "INSERT INTO pg_temp.audit_event SELECT gen_random_uuid(), 'log.cut', 0, 'x', '', '', convert_to('{\"fields\":{\"minimum_index\":512}}', 'UTF8')",
        "INSERT INTO pg_temp.audit_sealed_entry (\"index\", event_id, leaf_hash, sealed_at) SELECT 900, id, '', 0 FROM pg_temp.audit_event",
        "INSERT INTO pg_temp.audit_sealed_entry SELECT * FROM public.audit_sealed_entry",  # so that the entry has its place
        DELETE_ONE,
    )


def test_a_tile_or_an_entry_before_the_cut_that_was_changed_is_damage(folder: Path) -> None:
    old_log()
    say_cut()
    cut_rows()
    doctored("UPDATE audit_sealed_entry SET leaf_hash = %s WHERE index = 1", bytes(32))
    assert report().wrong_columns == [1]
    doctored(
        "UPDATE audit_tile SET hashes = overlay(hashes placing %s from 100) WHERE level = 0 AND index = 1", bytes(32)
    )
    found = report()
    assert (found.wrong_tiles[0], found.wrong_notes != []) == ("tile/1/000.p/2", True)


class Watched(DirectoryStore):
    """It counts the bundles that are read, and keeps all under lock."""

    read_paths: tuple[str, ...] = ()
    until: datetime | None = None

    def read(self, path: str) -> bytes | None:
        self.read_paths += (path,) if "entries" in path else ()
        return super().read(path)

    def locked_until(self, path: str) -> datetime | None:  # noqa: ARG002 - all the same
        return self.until


def test_what_is_locked_is_not_read_and_a_cut_that_failed_rests(folder: Path) -> None:
    old_log()
    say_cut()
    published(folder)
    store = Watched(folder)
    store.until = datetime(2040, 1, 2, tzinfo=UTC)
    with pytest.raises(StillLocked):
        cut_in(store)
    assert store.read_paths == ()
    publisher = Publisher("default", store, [run_signer().verifier()], remembered=True)
    publisher._published(connection)
    store.until = None
    publisher._published(connection)
    assert ("under Object Lock" in publisher.uncut, (folder / "tile/entries/001").exists()) == (True, True)
    publisher.cut_rests_until -= CUT_REST_S
    publisher._published(connection)
    assert (publisher.uncut, (folder / "tile/entries/001").exists()) == ("", False)


def test_a_removal_that_broke_off_goes_on_where_it_was(folder: Path) -> None:
    old_log()
    say_cut()
    store = published(folder)
    (folder / "tile/entries/000").unlink()  # from the first to the last: so it looks after a crash
    assert (cut_in(store), cut_in(store)) == (1, 0)


def test_a_backup_keeps_the_bundles_until_no_kept_one_rests_on_them_and_is_restored_with_what_stays(
    folder: Path, tmp_path: Path
) -> None:
    old_log()
    backups, days = place(tmp_path), [0]
    first, begun = backups.folder / "log/tile/entries/000", now_ms()
    with clock(lambda: begun + days[0] * DAY_MS):
        backups.backup()
        say_cut()
        days[0] = 8  # said and sealed long ago, but the rows are still there
        assert (backups.backup().not_cut, first.exists()) == ("", True)
        cut_rows()
        days[0] = 9
        assert (backups.backup().not_cut, first.exists()) == ("", True)  # the one of day 8 is kept
        days[0] = 17
        assert (backups.backup().not_cut, first.exists()) == ("", False)
    before = report()
    shutil.rmtree(folder, ignore_errors=True)
    with empty_database() as empty:
        done = backups.restore_command(empty)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        with working_in(empty):
            found = report()
            assert (found.sentences(), found.stayed, found.entries) == ([], 3, before.entries)
            assert found.personal_held == before.personal_held


@pytest.mark.parametrize("error", [StillLocked("Locked."), StoreUnavailable("Refused."), SealingError("Too young.")])
def test_a_cut_that_fails_stops_no_backup_and_is_told_of_once(
    error: Exception, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fails(*_: object) -> int:
        raise error

    monkeypatch.setattr(making, "cut_published", fails)
    configure(settings, place(tmp_path))
    sealed(2)
    found = [hourly.make_one(by=TEST).not_cut for _ in range(2)]
    said = [event.fields.get("not_cut") for event in named(["backup.made"])]
    assert (found, said, named(["backup.failed"])) == ([str(error)] * 2, [str(error)] * 2, [])
    assert [each.message for each in caplog.records if each.name == "breakglass.alarm"] == [
        f"A backup was made, but what was cut is still in it: {error}"
    ]


def test_checkpoints_before_a_cut_cost_no_query_each() -> None:
    with clock(lambda: OLD):
        for _ in range(12):
            written(view())
    old_log()
    say_cut()
    cut_rows()
    with CaptureQueriesContext(connection) as asked:
        found = report()
    tiles_read = [each["sql"] for each in asked if 'FROM "audit_tile"' in each["sql"]]
    assert (found.sentences(), found.whole_from, len(tiles_read) < 12) == ([], 512, True), len(tiles_read)
