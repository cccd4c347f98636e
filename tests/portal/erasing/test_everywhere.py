"""Where a person's name, mail address and words could still stand after their erasure: the whole database is searched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from audit.log.append import clock
from audit.log.backup.passing import Keeping
from audit.log.models import QueueEntry
from audit.log.read import named
from audit.packs import removing
from audit.packs.actions import download_pack
from audit.packs.errors import NotThere
from audit.packs.models import Dossier, Pack
from portal.access_requests import questions
from portal.access_requests.models import AccessRequest
from portal.clock import ms
from portal.erasing import actions, carrying_out
from portal.grants.narrowing import note_leaving
from portal.lists.actions import save_search
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.personnel.models import PersonnelList
from tests.audit.log.backup.places import place
from tests.browsing import browser_of
from tests.factories import passkey_of
from tests.portal.erasing.conftest import EMAIL, NAME, TYPED
from tests.servers import wait_until
from tests.worlds import World, actor, sealing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]


def places_of(*words: str) -> list[str]:
    """Columns of the whole database that hold one of the words, in text, JSON or bytes."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY') ORDER BY 1, 2"
        )
        for table, column, kind in cursor.fetchall():
            given = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE lower({given}) LIKE ANY(%s)',
                [[f"%{word.lower()}%" for word in words]],
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found


def test_name_mail_and_words_stand_nowhere_in_the_database(world: World, asked: AccessRequest) -> None:
    ursula = world.ursula
    questions.question(by=actor(world.ines), request=asked, text="Which queue?")
    save_search(by=actor(ursula), kind="findings", query="show=mine", name="What Ursula Vogelweide minds", shared=False)
    passkey_of(ursula, name="Key of Ursula Vogelweide")
    before = places_of(NAME, EMAIL, TYPED)
    assert {
        "audit_personal_value.value",
        "portal_person.name",
        "portal_accessrequest.reason",
        "portal_alert.facts",
    } <= set(before)
    assert Alert.objects.filter(facts__icontains="mandarin").exists()
    note_leaving(by=actor(world.pia), person=ursula)
    erasure = actions.ask(
        by=actor(world.pia), person=Person.objects.get(pk=ursula.pk), basis="asked", reason="By letter."
    )
    actions.confirm(by=actor(world.quinn), erasure=erasure)
    assert carrying_out.run_due() == 1
    assert places_of(NAME, EMAIL, TYPED) == []
    assert world.ann.name in Person.objects.values_list("name", flat=True)


def files_of(folder: Path) -> list[str]:
    """Files below that hold one of the words."""
    words = [each.encode() for each in (NAME, EMAIL, TYPED)]
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found if any(word in path.read_bytes() for word in words))


def made_before(world: World, asked: AccessRequest, at: datetime) -> tuple[Pack, Dossier]:
    """A pack and a dossier whose files name her, as they would lie there."""
    common = {"made_at": at, "log_size": 10_000, "sha256": "5" * 64}
    pack = Pack.objects.create(
        asked_by=world.otto.pk, asked_at=at, period_start=datetime(2020, 1, 1, tzinfo=UTC), period_end=at, systems=[str(world.system.pk)],
        frameworks=[], counts={"cases": 1, "activities": 0, "root": "r"}, **common,
    )  # fmt: skip
    dossier = Dossier.objects.create(
        event_id=uuid4(), case=asked.pk, occasion="ended", people=[str(world.ursula.pk)], **common
    )
    for each in (pack, dossier):
        each.file.parent.mkdir(parents=True, exist_ok=True)
        each.file.write_bytes(f"{NAME} <{EMAIL}> wrote: {TYPED}".encode())
    return pack, dossier


def test_somebody_is_erased_and_nothing_of_them_is_found_anywhere(
    world: World, asked: AccessRequest, settings: Any, tmp_path: Path
) -> None:
    """All tables, all files of the portal, what is published, and the backups once the old ones have passed."""
    settings.PORTAL_DATA, backups = tmp_path / "data", place(tmp_path)
    at = datetime.now(UTC)
    pack, dossier = made_before(world, asked, at)
    PersonnelList.objects.create(
        sha256="5" * 64,
        query="q",
        taken_at=at,
        rows=1,
        content=f"name,email\n{NAME},{EMAIL}\n".encode(),
        read_at=at,
        read_by=str(world.pia.pk),
    )
    with sealing() as sealer:
        wait_until(lambda: not QueueEntry.objects.exists(), "everything to be sealed")
        backups.backup(Keeping(keep_days=1, erasure_days=3))
        assert (NAME.encode() in backups.opened(), len(files_of(tmp_path / "data"))) == (True, 2)
        note_leaving(by=actor(world.pia), person=world.ursula)
        erasure = actions.ask(
            by=actor(world.pia), person=Person.objects.get(pk=world.ursula.pk), basis="asked", reason="By letter."
        )
        actions.confirm(by=actor(world.quinn), erasure=erasure)
        assert carrying_out.run_due() == 1
        assert (removing.run_due(), removing.run_due()) == (2, 0)
        wait_until(lambda: not QueueEntry.objects.exists(), "everything to be sealed")
        assert sealer.trouble == ""
    with clock(lambda: ms(at) + 4 * 86_400_000):
        backups.backup(Keeping(keep_days=1, erasure_days=3))
    assert places_of(NAME, EMAIL, TYPED) == []
    assert (files_of(tmp_path), [word for word in (NAME, EMAIL, TYPED) if word.encode() in backups.opened()]) == (
        [],
        [],
    )
    assert {each.fields["pdf_sha256"] for each in named(["pack.removed", "dossier.removed"])} == {"5" * 64}
    pack.refresh_from_db()
    dossier.refresh_from_db()
    assert (pack.gone_why, pack.sha256, dossier.gone_why, pack.file.exists(), dossier.file.exists()) == (
        "erased",
        "5" * 64,
        "erased",
        False,
        False,
    )
    with pytest.raises(NotThere, match="Make it again"):
        download_pack(by=actor(world.otto), pack=pack, purpose="For the test.")
    browser = browser_of(world.otto)
    for path in (f"/packs/{pack.pk}/", f"/cases/{asked.pk}/dossier/"):
        assert "Values of somebody in it were erased on" in browser.get(path).content.decode()


def test_a_file_that_was_being_made_while_somebody_was_erased_goes_and_one_that_sticks_holds_up_no_other(
    world: World, asked: AccessRequest, settings: Any, tmp_path: Path, caplog: Any
) -> None:
    settings.PORTAL_DATA = tmp_path / "data"
    begun = datetime.now(UTC)
    note_leaving(by=actor(world.pia), person=world.ursula)
    erasure = actions.ask(
        by=actor(world.pia), person=Person.objects.get(pk=world.ursula.pk), basis="asked", reason="By letter."
    )
    actions.confirm(by=actor(world.quinn), erasure=erasure)
    assert carrying_out.run_due() == 1
    later = datetime.now(UTC) + timedelta(minutes=1)
    pack, dossier = made_before(world, asked, later)
    made_after, _ = made_before(world, asked, later)
    Pack.objects.filter(pk=pack.pk).update(begun_at=begun)
    Dossier.objects.filter(pk=dossier.pk).update(begun_at=begun)
    pack.file.unlink()
    pack.file.mkdir()  # cannot be unlinked
    assert (removing.run_due(), removing.run_due()) == (1, 0)
    assert [each.fields["dossier_id"] for each in named(["pack.removed", "dossier.removed"])] == [str(dossier.pk)]
    assert [each.message.partition(":")[0] for each in caplog.records if "cannot be removed" in each.message] == [
        "pack"
    ] * 2
    pack.file.rmdir()
    assert (removing.run_due(), removing.run_due(), made_after.file.exists()) == (1, 0, True)
    with pytest.raises(removing.GoneAlready):  # by a second process, which had read the row before
        removing.remove(by=removing.REMOVER, row=pack, why="erased", event_id=str(uuid4()))
    assert [each.name for each in named(["pack.removed", "dossier.removed"])] == ["dossier.removed", "pack.removed"]
