"""A database that was set back gets the values of its entries from a newer backup, each held against its entry; what was erased stays away."""

import uuid
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.log.append import Entry, append_many
from audit.log.backup.age import parse_identities
from audit.log.backup.values_again import Again, restore_values
from audit.log.checking import StoreSource
from audit.log.examination import examine
from audit.log.models import PersonalValue
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.backup.places import Place, place
from tests.audit.log.logged import TEST, doctored, erase, run_signer, sealed
from tests.audit.log.test_recovery import set_back

pytestmark = pytest.mark.django_db(transaction=True)
ADA, EVE = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.fixture
def backups(tmp_path: Path) -> Place:
    return place(tmp_path)


def lose(tmp_path: Path) -> None:
    """All that is sealed is published, lost to its first entry, and brought back from there."""
    publish_once(connection, DirectoryStore(tmp_path / "log"), [run_signer().verifier()])
    set_back(0)
    doctored("DELETE FROM audit_tile")
    doctored("DELETE FROM audit_queue")
    assert recover(connection, StoreSource(str(tmp_path / "log")), [run_signer().verifier()])


def again(backups: Place, *, identity: str = "") -> Again:
    identities = parse_identities(identity or backups.identity.read_text())
    return restore_values(backups.target, identities, [backups.signer.verifier()])


def held() -> set[tuple[uuid.UUID, str, str]]:
    return set(PersonalValue.objects.values_list("event_id", "field", "value"))


def said() -> list[dict[str, object]]:
    return [dict(each.fields) for each in named(["log.values_restored"])]


def examined() -> tuple[int, int, list[str]]:
    report = examine([run_signer().verifier()])
    return report.personal_held, report.personal_lost, [*report.personal_wrong, *report.personal_missing]


def say(of: str, /, **fields: object) -> uuid.UUID:
    with transaction.atomic():
        (event,) = append_many([Entry(of, TEST, fields)])
    return event


def test_values_come_back_from_the_newest_backup_that_holds_them_and_the_rest_is_said_to_be_lost(
    backups: Place, tmp_path: Path
) -> None:
    first, second = sealed(2)
    backups.backup()  # holds what was erased since
    erase(second)
    sealed(1)
    newer = backups.backup().id
    sealed(1)  # in no backup
    before = {row for row in held() if row[0] == first}
    lose(tmp_path)
    assert (held(), examined()[1:]) == (set(), (7, []))
    found = again(backups)
    assert (found.back, found.lost, found.left_out, found.backups, found.unread) == (5, 2, 0, [newer], [])
    assert {row for row in held() if row[0] == first} == before
    assert {(event, field) for event, field, _ in held() if event == second} == {(second, "email")}
    assert (examined(), said()) == ((5, 2, []), [{"back": 5, "lost": 2, "left_out": 0, "backups": [newer]}])
    assert again(backups).lost == 2


def test_a_value_that_waited_to_be_sealed_when_the_backup_was_made_comes_back_too(
    backups: Place, tmp_path: Path
) -> None:
    sealed(1)
    waited = say("person.added", person_id=EVE, name="Eve", email="eve@example.org")
    backups.backup()
    sealed(0)
    lose(tmp_path)
    assert (again(backups).lost, {row for row in held() if row[0] == waited}) == (
        0, {(waited, "name", "Eve"), (waited, "email", "eve@example.org")},
    )  # fmt: skip


def test_a_value_to_which_its_entry_does_not_commit_stays_away(backups: Place, tmp_path: Path) -> None:
    (event,) = sealed(1)
    doctored("UPDATE audit_personal_value SET value = 'Mallory' WHERE event_id = %s AND field = 'name'", event)
    backups.backup()
    lose(tmp_path)
    found = again(backups)
    assert (found.back, found.lost, [row[1] for row in held()]) == (1, 1, ["email"])


def test_whoever_was_erased_after_the_entries_came_back_stays_erased(backups: Place, tmp_path: Path) -> None:
    """Their erasure could name none of these values, for none was held."""
    say("person.added", person_id=ADA, name="Ada Lovelace", email="ada@example.org")
    eve = say("person.added", person_id=EVE, name="Eve Ng", email="eve@example.org")
    noted = say("search.saved", search_id="s", list="cases", name="of Ada Lovelace", query="q", shared=False)
    sealed(0)
    backups.backup()
    lose(tmp_path)
    decided = {
        "erasure_id": str(uuid.uuid4()),
        "person_id": ADA,
        "basis": "asked for",
        "asked_by": "p",
        "approved_by": "q",
    }
    say("erasure.confirmed", **decided)
    say("erasure.done", **decided, values=0, rows={})
    found = again(backups)
    assert (found.left_out, found.lost, found.back) == (3, 0, len(held()))
    assert {row for row in held() if row[0] not in (eve, noted)} == set()
    assert (noted, "name", "of Ada Lovelace") not in held()
    assert (eve, "name", "Eve Ng") in held()


def test_a_backup_that_cannot_be_read_is_passed_over_and_named(backups: Place, tmp_path: Path) -> None:
    sealed(1)
    good = backups.backup().id
    sealed(1)
    bad = backups.backup().id
    lose(tmp_path)
    (backups.folder / f"backups/{bad}.p/personal-000000.age").write_bytes(b"x")
    found = again(backups)
    assert (found.back, found.lost, found.backups, [each.partition(":")[0] for each in found.unread]) == (
        2,
        2,
        [good],
        [bad],
    )


def test_the_command_says_what_came_back_and_ends_otherwise_where_some_is_lost(
    backups: Place, tmp_path: Path, settings: Any
) -> None:
    settings.PORTAL_BACKUP_PUBLIC_KEY = backups.signer.verifier().text()
    sealed(1)
    made = backups.backup().id
    given, out = ["--from", backups.address, "--identity", str(backups.identity)], StringIO()
    call_command("restore_values", *given, stdout=out)
    sealed(1)
    lose(tmp_path)
    with pytest.raises(CommandError, match="2 personal values are lost") as raised:
        call_command("restore_values", *given, stdout=out)
    assert (raised.value.returncode, out.getvalue().splitlines()) == (3, [
        "No personal value is missing from an entry that came back.",
        f"2 personal values came back, from {made}.", "0 are about people who were erased since, and stay away.",
    ])  # fmt: skip
