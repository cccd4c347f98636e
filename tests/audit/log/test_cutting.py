"""Old entries are cut: only what the sealed ``log.cut`` names and only after its time; every proof stays, and a missing bundle without it is damage."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from audit.events.retention import DAY_MS
from audit.log import checkpoints, sealing
from audit.log.append import Actor, Entry, LogUnavailable, append_on, clock, now_ms, process
from audit.log.backup import hourly, passing
from audit.log.checking import StoreSource
from audit.log.cuts import begins_at, minimum_index
from audit.log.cutting import StillLocked
from audit.log.databases import as_role
from audit.log.examination import stored_ranges
from audit.log.models import Event, PersonalValue, SealedEntry, Tile
from audit.log.publishing import SetBack
from audit.log.read import named, size
from audit.log.recovery import CannotRecover, recover
from audit.log.sealing import SealingError
from audit.log.stores import StoreUnavailable
from tests.audit.log.backup.configured import configure
from tests.audit.log.backup.places import empty_database, place, working_in
from tests.audit.log.cut_log import (
    ASKED,
    DELETE_ONE,
    OLD,
    TILES_READ,
    cut_in,
    cut_rows,
    decided,
    folder,
    old_log,
    outsider,
    published,
    report,
    say_cut,
    the_cut,
    unjudged,
    view,
    written,
)
from tests.audit.log.logged import TEST, doctored, run_signer, sealed
from tests.audit.log.test_recovery import set_back
from tests.audit.log.test_shape import put
from tests.servers import role_url

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cut_log_is_whole_from_its_minimum_on_for_us_and_for_a_stranger(folder: Path, capsys: Any) -> None:
    old_log()
    store = published(folder)
    first = Event.objects.get(sealed__index=0).pk
    say_cut()
    assert cut_in(published(folder)) == 2
    assert (cut_in(store), sorted(path.name for path in (folder / "tile/entries").glob("0*"))) == (0, ["002.p"])
    assert outsider(folder, capsys) == (0, "WHOLE from entry 512 on; those before it were removed by a signed cut.")
    assert (report(folder).sentences(), begins_at()) == ([], 0)  # the database holds them still
    assert cut_rows() == (509, 592, 3)
    assert list(SealedEntry.objects.filter(index__lt=520).values_list("index", flat=True)) == [
        0,
        1,
        3,
        *range(512, 520),
    ]
    assert PersonalValue.objects.count() == 6
    found = report(folder)
    assert (found.sentences(), found.whole_from, found.stayed, found.entries) == ([], 512, 3, 96)
    assert {(each.from_index >= 512, each.ok) for each in stored_ranges([run_signer().verifier()], size())} == {
        (True, True)
    }
    proved = checkpoints.inclusion(first)
    assert proved is not None
    assert (proved.index, cut_rows()) == (0, (0, 0, 3))
    elsewhere = published(folder.parent / "new")  # another store begins with what there is
    assert (cut_in(elsewhere), outsider(folder.parent / "new", capsys)[0]) == (0, 0)


def test_without_its_event_nothing_can_be_cut_and_what_is_missing_is_damage(folder: Path, capsys: Any) -> None:
    old_log()
    published(folder)
    (folder / "tile/entries/000").unlink()
    assert outsider(folder, capsys) == (1, "NOT WHOLE: 1 damage.")
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
    with unjudged():
        written(*decided(), the_cut(from_at=OLD, to_at=OLD))
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
            "UPDATE audit_event SET body = convert_to(replace(convert_from(body, 'UTF8'), %s, %s), 'UTF8') WHERE name ~ '^(log.cut|cut)'",
            f'"minimum_index":{before}',
            f'"minimum_index":{minimum}',
        )
        before = minimum
        refused_to_the_eraser(DELETE_ONE)


def test_a_decision_that_the_database_cannot_read_keeps_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """One was sealed before anybody asked for it: it decides nothing, and the decisions beside it count as before."""
    old_log()
    monkeypatch.setattr(sealing, "holds_nul", lambda _: False)
    for text in ("\0", "\\\0\0", "\\u0000"):
        put({"name": "cut.proposed", "fields": {"cut_id": text, "minimum_index": 512}, "personal": {"reason": ""}})
    say_cut()
    assert cut_rows() == (509, 592, 3)


def test_the_eraser_cannot_fool_the_trigger_with_tables_of_its_own() -> None:
    old_log()
    fake = (
        '(1, \'cut.proposed\', 900, \'{"by":"a","fields":{"cut_id":"c","minimum_index":512}}\'),'
        '(2, \'cut.approved\', 901, \'{"by":"b","fields":{"cut_id":"c","minimum_index":512,"asked_by":"a"}}\'),'
        '(3, \'log.cut\', 902, \'{"fields":{"cut_id":"c","minimum_index":512,"asked_by":"a","approved_by":"b"}}\')'
    )
    refused_to_the_eraser(
        "CREATE TEMPORARY TABLE audit_event (LIKE public.audit_event)",
        "CREATE TEMPORARY TABLE audit_sealed_entry (LIKE public.audit_sealed_entry)",
        "CREATE TEMPORARY TABLE fake AS SELECT gen_random_uuid() AS id, name, place, body FROM (VALUES "
        + fake
        + ") AS v (no, name, place, body)",
        "INSERT INTO pg_temp.audit_event SELECT id, name, 0, 'x', '', '', convert_to(body, 'UTF8') FROM fake",
        "INSERT INTO pg_temp.audit_sealed_entry (\"index\", event_id, leaf_hash, sealed_at) SELECT place, id, '', 0 FROM fake",
        "INSERT INTO pg_temp.audit_sealed_entry SELECT * FROM public.audit_sealed_entry",  # so that the entry has its place
        DELETE_ONE,
    )


ONE_WORD: dict[str, list[Entry]] = {
    "nobody": [],
    "one proposed": decided()[:1],
    "one approved": decided()[1:],
    "one did both": [decided()[0], decided(by=ASKED)[1]],
    "a process": [decided()[0], decided(by=TEST)[1]],
    "a third approved": [decided()[0], decided(by=Actor("c"))[1]],
    "another cut": [decided()[0], decided(cut_id="d")[1]],
    "less": [decided()[0], decided(minimum_index=256)[1]],
    "what a third proposed": [decided()[0], decided(asked_by="c")[1]],
}


@pytest.mark.parametrize("who", ONE_WORD)
def test_on_one_persons_word_nothing_goes_from_the_database_nor_from_the_store(folder: Path, who: str) -> None:
    old_log()
    with unjudged():
        written(*ONE_WORD[who], the_cut())
    assert (cut_in(published(folder)), minimum_index(), begins_at()) == (0, 0, 0)
    with pytest.raises(DatabaseError, match="the log only grows"):
        cut_rows()
    written(*decided())  # too late: the cut was said before
    with pytest.raises(DatabaseError, match="the log only grows"):
        cut_rows()
    assert (minimum_index(), Event.objects.filter(sealed__index__lt=512).count()) == (0, 512)


def test_the_eraser_writes_in_no_other_name_than_its_own() -> None:
    old_log()
    written(decided()[0])
    url = role_url("eraser", connection.settings_dict["NAME"])
    with as_role("eraser", url) as alias, transaction.atomic(using=alias):
        append_on(
            alias,
            [
                Entry(
                    "cut.portion_removed",
                    process("eraser"),
                    {"cut_id": "c", "minimum_index": 512, "entries": 0, "values": 0},
                )
            ],
        )
        with pytest.raises(LogUnavailable) as refused:
            append_on(alias, decided()[1:])
        transaction.set_rollback(True, using=alias)
    assert "in its own name alone" in str(refused.value.__cause__)


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
        assert done.returncode == 4, done.stderr  # without a published log nobody can say what is missing
        with working_in(empty):
            found = report()
            assert (found.sentences(), found.stayed, found.entries) == ([], 3, before.entries)
            assert found.personal_held == before.personal_held


def test_a_database_set_back_to_before_a_cut_publishes_nothing_and_is_told_what_to_restore(folder: Path) -> None:
    with clock(lambda: OLD):
        sealed(2)
        tiles_then = list(Tile.objects.values_list("level", "index", "hashes"))
        written(*[view() for _ in range(598)])
    written(view())
    say_cut()
    assert cut_in(published(folder)) == 2
    set_back(2)
    doctored("DELETE FROM audit_tile")
    for each in tiles_then:
        doctored("INSERT INTO audit_tile (level, index, hashes) VALUES (%s, %s, %s)", *each)
    with pytest.raises(SetBack):
        published(folder)
    with pytest.raises(
        CannotRecover, match=r"from 0 on are missing.*restore a backup first that was made after the cut"
    ):
        recover(connection, StoreSource(str(folder)), [run_signer().verifier()])
    assert size() == 2


@pytest.mark.parametrize("error", [StillLocked("Locked."), StoreUnavailable("Refused."), SealingError("Too young.")])
def test_a_cut_that_fails_stops_no_backup_and_is_told_of_once(
    error: Exception, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fails(*_: object) -> int:
        raise error

    monkeypatch.setattr(passing, "cut_published", fails)
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


@pytest.mark.parametrize("staying", [2, 40])
def test_entries_that_stay_cost_no_query_each(staying: int) -> None:
    with clock(lambda: OLD):
        sealed(staying)
        written(*[view() for _ in range(600 - staying)])
    written(view())
    say_cut()
    cut_rows()
    with CaptureQueriesContext(connection) as asked:
        found = report()
    tiles_read = [each["sql"] for each in asked if 'FROM "audit_tile"' in each["sql"] and '"level" = 0' in each["sql"]]
    assert (found.sentences(), found.stayed, len(tiles_read)) == ([], staying, TILES_READ), tiles_read
