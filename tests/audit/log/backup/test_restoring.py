"""A backup on an empty database gives the same: every row, root, cases and packs."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.db import connection, transaction

from audit.cases.fold import fold as fold_case
from audit.log.append import Entry, append, append_many, clock
from audit.log.backup import hourly
from audit.log.backup.making import NotMade
from audit.log.backup.passing import Keeping
from audit.log.backup.rehearsing import _hold_against_log
from audit.log.backup.restoring import AS_IT_WAS, NotRestored
from audit.log.backup.target import BACKUPS, DAY_MS, folder_of, written_at
from audit.log.checkpoints import latest
from audit.log.erased import subject_of
from audit.log.expiring import expire
from audit.log.models import Event, PersonalValue
from audit.log.publishing import publish_once
from audit.log.read import follow, of_case, size
from audit.log.stores.directory import DirectoryStore
from audit.packs import evidence
from audit.packs.evidence import Scope
from audit.packs.paper import Request, ready
from audit.packs.position import newest
from audit.packs.render import workplace
from tests.audit.log.backup.places import Place, empty_database, place, whole, working_in
from tests.audit.log.logged import TEST, appended, doctored, run_signer, sealed
from tests.migrated import PATTERN
from tests.worlds import make_world, opened, sealing

pytestmark = pytest.mark.django_db(transaction=True)
AT = 1_790_000_000_000


@pytest.fixture
def backups(tmp_path: Path) -> Place:
    return place(tmp_path)


@pytest.fixture
def empty(request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database(getattr(request, "param", PATTERN)) as name:
        yield name


def pack(system: str) -> tuple[object, ...]:
    """A pack as it is printed, and the SHA-256 of each file that it attaches: facts, tests, activities, proof."""
    scope = Scope(AT, AT + 10**11, (system,), ("soc2", "iso27001"))
    with workplace() as folder:
        gathered = evidence.gathered(scope, newest(), lambda *_: None)
        laid = ready(gathered, Request("5d3c", TEST.id, AT, "Trial"), folder, signed=True, demo=True)
        return (folder / "page.html").read_text(), laid.files, laid.cases


def seen(case: str, system: str) -> tuple[object, ...]:
    last = latest()
    assert last is not None
    return last.root, repr(fold_case(case, of_case(case))), pack(system), whole()


@pytest.mark.parametrize(
    "empty",
    [pytest.param(PATTERN, id="migrated"), pytest.param("template0", id="bare", marks=pytest.mark.faults)],
    indirect=True,
)
def test_restore_on_an_empty_database_gives_the_same_rows_root_case_and_pack(backups: Place, empty: str) -> None:
    with sealing():
        world = make_world()
        case, system = str(opened(world).request_id), str(world.system.pk)
    sealed(300)
    appended(2)  # wait to be sealed
    before = seen(case, system)
    assert pack(system)[2] == 1  # there is something to compare
    made = backups.backup()
    done = backups.restore_command(empty)
    assert (done.returncode, done.stderr) == (4, "CommandError: Restored, and nobody can say what is missing.\n")
    assert f"{made.size} entries, root {made.root}" in done.stdout
    assert "No published log was given, so nobody can say here what was sealed after the backup." in done.stdout
    with working_in(empty):
        assert seen(case, system) == before
        assert sealed(1)  # the sealer goes on
        assert (size(), made.size) == (made.size + 3, made.size)


def test_second_backup_writes_nothing_again_that_is_full(backups: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.log.backup.writing.RANGE", 64)
    sealed(300)
    backups.backup()
    before = backups.files()
    sealed(10)
    backups.backup()
    after = backups.files()
    new = {path for path in after if path not in before}
    changed = {path for path in before if path in after and before[path] != after[path]}
    assert changed == {"manifest", "log/checkpoint"}
    assert {path.split("/")[0] for path in new} == {"backups", "log"}
    assert {path for path in new if path.startswith("log/") and ".p/" not in path} == set()
    assert {path.partition("/")[0] for path in after} == {
        "log",
        "backups",
        "personal",
        "checkpoints",
        "manifest",
        ".lock",
    }


def test_restore_refuses_a_database_that_is_not_empty(backups: Place) -> None:
    sealed(3)
    backups.backup()
    done = backups.restore_command(str(connection.settings_dict["NAME"]))
    assert (done.returncode, size()) == (1, 3)
    assert "The database is not empty" in done.stderr


def test_restore_says_exactly_what_is_missing_and_replays_what_was_erased(
    backups: Place, empty: str, tmp_path: Path
) -> None:
    early, late, kept = sealed(3)
    erase(early)
    backups.backup()
    erase(late)
    with clock(lambda: AT), transaction.atomic():
        append("list.downloaded", by=TEST, case="c7\x1b[2J", person_id="p", list="cases", rows=1)
    sealed(3)
    published = tmp_path / "published"
    publish_once(connection, DirectoryStore(published), [run_signer().verifier()])
    lacking = [(each.index, each.name, each.at, each.case) for each in follow(4)]
    done = backups.restore_command(empty, "--published", str(published))
    assert (done.returncode, done.stderr) == (3, "CommandError: Restored, and not everything is there.\n")
    lines = done.stdout.splitlines()
    assert "5 entries are published and not restored: 4 to 8." in lines
    assert [line.split(",")[0] for line in lines if line.startswith("- ")] == [
        f"- {index} {name}" for index, name, *_ in lacking
    ]
    assert "- 5 list.downloaded, 2026-09-21 14:13:20 UTC, case c7[U+001B][2J" in lines
    with working_in(empty), connection.cursor() as cursor:
        cursor.execute("SELECT event_id, field FROM audit_personal_value ORDER BY event_id, field")
        held = cursor.fetchall()
    whose = {(early, "email"), (late, "email"), *((each, field) for each in (kept,) for field in ("email", "name"))}
    assert set(held) == whose
    with empty_database() as another:
        done = backups.restore_command(another, "--published", str(published), "--json")
    found = json.loads(done.stdout)
    assert [tuple(each.values()) for each in found["missing"]] == lacking
    assert (done.returncode, found["asked"], list(found["missing"][0])) == (3, True, ["index", "name", "at", "case"])


def test_what_had_expired_comes_back_neither_with_a_backup_nor_with_one_that_is_older(
    backups: Place, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full ranges of values are not written again, so the backup after an expiry still rests on a file that holds them."""
    monkeypatch.setattr("audit.log.backup.writing.RANGE", 64)
    search = {"search_id": "s", "list": "cases", "name": "Ada's", "query": "q", "shared": False}
    with clock(lambda: now_ms_of(401)), transaction.atomic():
        append_many([Entry("search.saved", TEST, dict(search)) for _ in range(10)])
    sealed(200)
    older = backups.backup()
    with transaction.atomic():
        assert expire("default", terms=settings.PORTAL_RETENTION, cases=(), people=()) == 10
    sealed(1)
    published = DirectoryStore(tmp_path / "published")
    publish_once(connection, published, [run_signer().verifier()])
    made = backups.backup()
    hourly.note_made(by=hourly.BACKER, made=made, place="")
    with working_in(empty):
        found = backups.restore()
        assert (found.values, PersonalValue.objects.filter(event__name="search.saved").count()) == (made.values, 0)
    figures = {"id": made.id, "size": made.size, "root": made.root, "rows": made.rows, "values": found.values}
    _hold_against_log(figures)  # what a rehearsal does with what it restored
    with empty_database() as another, working_in(another):
        found = backups.restore(published, backup=older.id)
        assert (found.values, PersonalValue.objects.filter(event__name="search.saved").count()) == (older.values, 0)


def test_a_place_that_was_set_back_is_refused_unless_the_operator_says_so(
    backups: Place, empty: str, tmp_path: Path
) -> None:
    sealed(3)
    before = backups.backup()
    hourly.note_made(by=hourly.BACKER, made=before, place=backups.address)
    kept = (backups.folder / "manifest").read_bytes()
    sealed(2)
    published = DirectoryStore(tmp_path / "published")
    publish_once(connection, published, [run_signer().verifier()])
    with working_in(empty):
        assert backups.restore(published).manifest.id == before.id  # of which alone the log speaks
    sealed(1)
    newer = backups.backup()
    hourly.note_made(by=hourly.BACKER, made=newer, place=backups.address)
    sealed(1)
    publish_once(connection, published, [run_signer().verifier()])
    (backups.folder / "manifest").write_bytes(kept)
    with empty_database() as another, working_in(another):
        with pytest.raises(NotRestored) as refused:
            backups.restore(published)
        assert str(refused.value) == (
            f"The published log says that backup {newer.id} was made later, in {backups.address}; the last one here is {before.id}. "
            "This place was set back, or it is an older copy. Restore the later one; where it is lost, restore this one with --older."
        )
        assert (Event.objects.count(), size()) == (0, 0)
        assert (backups.restore(published, older=True).manifest.id, size()) == (before.id, 3)
    with empty_database() as another, working_in(another):
        assert backups.restore(published, before.id).manifest.id == before.id  # it was asked for by its name


def test_a_published_entry_that_cannot_be_read_ends_no_restore(backups: Place, empty: str, tmp_path: Path) -> None:
    sealed(1)
    backups.backup()
    (event,) = appended(1)
    words = b'{"at":0,"name":"log.cut"}'
    doctored("UPDATE audit_event SET body = %s WHERE id = %s", words, event)
    published = DirectoryStore(tmp_path / "published")
    with mock.patch("audit.log.sealing.reason_to_leave", return_value=""):  # as a sealer of another version
        sealed(1)
    publish_once(connection, published, [run_signer().verifier()])
    done = backups.restore_command(empty, "--published", str(published.folder))
    assert (done.returncode, "- 1 cannot be read" in done.stdout) == (3, True)


def now_ms_of(days_ago: int) -> int:
    return int(time.time() * 1000) - days_ago * DAY_MS


def erase(event: uuid.UUID) -> None:
    """As the eraser does: the value goes, an event says so."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_personal_value WHERE event_id = %s AND field = 'name'", [event])
        said = {"event_id": str(event), "field": "name", "basis": "asked for"}
        append("personal_value.erased", by=TEST, subject=subject_of(event), **said)
    sealed(0)


DAMAGES = {  # file, which byte of it, what is said
    "manifest": (36, "A signature of test/backup is wrong."),
    "backups/*/contents": (60, "is not the one that was signed."),
    "backups/*/portal_person.000.age": (60, "is not the one that was backed up."),
    "backups/*/personal-000000.age": (60, "is not the one that was backed up."),
    "log/tile/entries/000.p/*": (60, "entries of the backup do not have the root that was signed."),
}


def test_one_changed_byte_is_found_and_nothing_is_restored(backups: Place, empty: str) -> None:
    make_world()
    sealed(5)
    backups.backup()
    said = {}
    with working_in(empty):
        for pattern, (at, _) in DAMAGES.items():
            (file,) = backups.folder.glob(pattern)
            whole_file = file.read_bytes()
            file.write_bytes(whole_file[:at] + bytes([whole_file[at] ^ 1]) + whole_file[at + 1 :])
            said[pattern] = refusal(backups)
            file.write_bytes(whole_file)
            assert (Event.objects.count(), size()) == (0, 0)
        assert backups.restore().report.ok
    assert [pattern for pattern, (_, words) in DAMAGES.items() if not said[pattern].endswith(words)] == []


def test_what_was_amiss_when_it_was_backed_up_is_refused_and_restored_where_the_operator_says_so(
    backups: Place, empty: str
) -> None:
    """One row that whoever may insert values writes must not be the end of every backup that is made from then on."""
    event = sealed(2)[0]
    PersonalValue.objects.create(event_id=event, field="extra", salt=b"x", value="x")
    backups.backup()
    fault = f"1 personal value does not match, first {event} extra."
    refused = backups.restore_command(empty)
    said = f"CommandError: Nothing was restored. The restored log does not verify. {fault} {AS_IT_WAS}\n"
    assert (refused.returncode, refused.stderr) == (1, said)
    done = backups.restore_command(empty, "--damaged")
    assert (done.returncode, done.stdout.splitlines()[1]) == (5, fault)
    with working_in(empty):
        assert (size(), PersonalValue.objects.filter(field="extra").count()) == (2, 1)


def refusal(backups: Place) -> str:
    with pytest.raises(NotRestored) as refused:
        backups.restore()
    return str(refused.value)


def test_no_copy_of_an_erased_value_is_kept_for_longer_than_the_days_of_erasure(
    backups: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.log.backup.writing.RANGE", 16)
    fields = {"person_id": "p", "name": "Grace Hopper-of-the-test", "email": "g@example.org"}
    with transaction.atomic():
        (grace,) = append_many([Entry("person.added", TEST, fields)])
    sealed(40)
    days, held, oldest = [0, 1, *range(2, 34, 3)], {}, {}
    for day in days:
        with clock(lambda day=day: AT + day * DAY_MS):  # type: ignore[misc]  # the day of this turn
            if day == 1:
                erase(grace)
            backups.backup(Keeping(keep_days=7, erasure_days=30))
        held[day] = b"Grace Hopper-of-the-test" in backups.opened()
        assert b"Hopper-of-the-test" not in b"".join(backups.files().values())
        written = [
            written_at(each)
            for each in (*backups.target.rest.passing("personal"), *backups.target.rest.passing("backups"))
        ]
        oldest[day] = (AT + day * DAY_MS - min(written)) // DAY_MS
    assert held == {day: day <= 26 for day in days}, (
        "written anew on day 23; the backup of day 20 was the last that rested on it"
    )
    assert max(oldest.values()) <= 30, oldest
    assert backups.target.rest.passing("personal") != []


def test_a_backup_whose_clock_was_ahead_is_not_kept_until_then(backups: Place) -> None:
    sealed(2)
    with clock(lambda: AT + 300 * DAY_MS):
        backups.backup()
    with clock(lambda: AT):
        made = backups.backup()
    assert backups.target.rest.passing(BACKUPS) == [folder_of(made.id)]


def test_backup_into_the_place_of_another_log_or_signer_is_refused(backups: Place, tmp_path: Path) -> None:
    with pytest.raises(NotMade, match="Nothing was ever sealed"):
        backups.backup()
    sealed(2)
    backups.backup()
    (tmp_path / "other").mkdir()
    stranger = replace(place(tmp_path / "other"), target=backups.target)
    with pytest.raises(NotMade, match="not one that this key signed"):
        stranger.backup()
