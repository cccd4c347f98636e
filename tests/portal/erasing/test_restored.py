"""Whoever was erased after a backup stays erased when it is restored: in the log's values and in every row of the portal."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.sources import Folder
from portal.erasing import actions, carrying_out
from portal.erasing.models import Erasure
from portal.people.models import Person
from portal.personnel.models import PersonnelList
from tests.audit.log.backup.places import empty_database, place, working_in
from tests.audit.log.logged import run_signer, sealed
from tests.factories import passkey_of
from tests.portal.erasing.conftest import EMAIL, NAME, TYPED
from tests.portal.erasing.test_everywhere import places_of
from tests.worlds import World, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]


def test_what_was_erased_after_the_backup_does_not_come_back_with_it_nor_with_a_database_that_was_set_back(
    world: World, left: Person, tmp_path: Path
) -> None:
    passkey_of(left, name="Key of Ursula Vogelweide")
    erasure = actions.ask(by=actor(world.pia), person=left, basis="asked", reason="By letter.")
    actions.confirm(by=actor(world.quinn), erasure=erasure)
    content, at = f"name,email\n{NAME},{EMAIL}\n".encode(), datetime.now(UTC)
    PersonnelList.objects.create(
        sha256="5" * 64, query="q", taken_at=at, rows=1, content=content, read_at=at, read_by=str(world.pia.pk)
    )
    sealed(1)
    backups, published = place(tmp_path), DirectoryStore(tmp_path / "published")
    backups.backup()
    assert carrying_out.run_due() == 1
    left.refresh_from_db()
    (done,) = named(["erasure.done"])
    sealed(1)
    publish_once(connection, published, [run_signer().verifier()])
    with empty_database() as without, working_in(without):
        backups.restore()
        assert {
            "portal_person.name",
            "audit_personal_value.value",
            "portal_accessrequest.reason",
            "portal_personnellist.content",
        } <= set(places_of(NAME, EMAIL, TYPED))
        assert recover(connection, Folder(tmp_path / "published"), [run_signer().verifier()])
        assert places_of(NAME, EMAIL, TYPED) == []
    with empty_database() as empty, working_in(empty):
        found = backups.restore(published)
        again = Person.objects.get(pk=left.pk)
        assert places_of(NAME, EMAIL, TYPED) == []
        assert (found.missing.people, found.cleared > 3, found.report.ok) == ({str(left.pk): done.at}, True, True)
        assert (again.name, again.email, again.has_usable_password()) == (left.name, left.email, False)
        assert (Erasure.objects.get().state, again.passkeys.count()) == ("done", 0)
        assert (PersonnelList.objects.get().state, PersonnelList.objects.get().decided_by) == (
            "discarded",
            "process:eraser",
        )
        assert Person.objects.get(pk=world.ann.pk).name == world.ann.name
