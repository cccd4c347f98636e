"""Whoever was erased after a backup stays erased when it is restored: in the log's values and in every row of the portal."""

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from audit.log.append import append
from audit.log.canonical import encode
from audit.log.publishing import publish_once
from audit.log.read import named
from audit.log.recovery import recover
from audit.log.sealing import SealingError
from audit.log.stores.directory import DirectoryStore
from audit.log.verify.sources import Folder
from portal.access_requests.models import AccessRequest
from portal.erasing import actions, carrying_out, holding, retention
from portal.erasing.models import Erasure, LegalHold
from portal.erasing.said_holds import said_holds
from portal.people.models import Person
from portal.personnel.models import PersonnelList
from tests.audit.log.backup.places import empty_database, place, working_in
from tests.audit.log.logged import run_signer, sealed
from tests.factories import passkey_of
from tests.portal.erasing.conftest import EMAIL, NAME, TYPED
from tests.portal.erasing.test_everywhere import places_of
from tests.worlds import World, actor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("eraser")]


def test_a_hold_is_not_lost_with_a_database_that_was_set_back(
    world: World, left: Person, asked: AccessRequest, tmp_path: Path
) -> None:
    """An erasure was confirmed before the backup; the holds were set after it. Another was lifted since, and one was set that lifting is asked for."""
    over = holding.set_hold(by=actor(world.pia), person=world.mo, reason="Over by now.")
    erasure = actions.ask(by=actor(world.pia), person=left, basis="asked", reason="By letter.")
    actions.confirm(by=actor(world.quinn), erasure=erasure)
    sealed(1)
    backups, published = place(tmp_path), DirectoryStore(tmp_path / "published")
    backups.backup()
    holding.ask_lift(by=actor(world.pia), hold=over, reason="It is over.")
    holding.lift(by=actor(world.quinn), hold=over)
    on_case = holding.set_hold(by=actor(world.pia), case=asked, reason="A court case.")
    on_ann = holding.set_hold(by=actor(world.pia), person=world.ann, reason="A court case.")
    holding.ask_lift(by=actor(world.quinn), hold=on_ann, reason="Perhaps.")
    sealed(1)
    publish_once(connection, published, [run_signer().verifier()])
    in_force = frozenset({str(asked.pk)}), frozenset({str(world.ann.pk)})
    states = {over.pk: "lifted", on_case.pk: "holds", on_ann.pk: "lift_asked"}
    with empty_database() as without, working_in(without):
        backups.restore()
        assert retention.held() == (frozenset(), frozenset({str(world.mo.pk)}))
        assert recover(connection, Folder(tmp_path / "published"), [run_signer().verifier()])
        assert (retention.held(), dict(LegalHold.objects.values_list("pk", "state"))) == (in_force, states)
        LegalHold.objects.all().delete()
        assert retention.held() == in_force, "by the log alone"
    with empty_database() as empty, working_in(empty):
        backups.restore(published)
        assert (retention.held(), dict(LegalHold.objects.values_list("pk", "state"))) == (in_force, states)
        again = LegalHold.objects.get(pk=on_ann.pk)
        assert (again.set_by_id, again.lift_asked_by_id) == (world.pia.pk, world.quinn.pk)
        assert carrying_out.run_due() == 0
        assert Erasure.objects.get().state == "confirmed"


def planted(name: str, **said: object) -> None:
    """An event that no reader of ours would write, which waits for good: the sealer refuses it."""
    identity = uuid.uuid4()
    body = encode({"v": 1, "id": str(identity), "name": name, "at": 1, "by": "x", "personal": {}} | said)
    with connection.cursor() as cursor:
        row: list[Any] = [identity, name, 1, "x", "", "", body]
        cursor.execute("INSERT INTO audit_event VALUES (%s, %s, %s, %s, %s, %s, %s)", row)
        cursor.execute("INSERT INTO audit_queue (event_id) VALUES (%s)", [identity])


def test_no_event_that_whoever_may_insert_one_could_write_ends_a_restore_or_a_recovery(
    world: World, asked: AccessRequest, tmp_path: Path
) -> None:
    """Waiting events are in each backup; a second hold of the same case is also what somebody sets anew where the first did not come back yet."""
    first = holding.set_hold(by=actor(world.pia), case=asked, reason="A court case.")
    with transaction.atomic():
        append("hold.set", by=actor(world.pia), hold_id=uuid.uuid4(), case_id=asked.pk, reason="Again.")
    planted("hold.set", by=5, fields={"hold_id": str(uuid.uuid4()), "case_id": str(asked.pk)})
    planted("hold.set", fields={"hold_id": str(uuid.uuid4()), "case_id": ["x"]})
    planted("personal_value.erased", fields={"event_id": str(uuid.uuid4()), "field": "\0"})
    with pytest.raises(SealingError):
        sealed(1)  # all but these
    backups, published = place(tmp_path), DirectoryStore(tmp_path / "published")
    backups.backup()
    with pytest.raises(SealingError):
        sealed(1)
    publish_once(connection, published, [run_signer().verifier()])
    with empty_database() as empty, working_in(empty):
        backups.restore()
        assert recover(connection, Folder(tmp_path / "published"), [run_signer().verifier()])
        assert dict(LegalHold.objects.values_list("pk", "state")) == {first.pk: "holds"}
        assert retention.held() == (frozenset({str(asked.pk)}), frozenset())
        assert len(said_holds()) == 2, "others, by the log alone"


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
