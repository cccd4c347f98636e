"""The lean lock, held against the ORM's own."""

from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import DataError, OperationalError, ProgrammingError, connection, models, transaction
from django.db.transaction import TransactionManagementError

from audit.log import one_trip
from portal.clock import now
from portal.grants.models import Extension
from portal.people.models import Person
from portal.rotas.models import Rota
from portal.rows import lock_row
from tests.factories import person
from tests.portal.rotas.set_up import rota_of
from tests.servers import superuser_url
from tests.worlds import authorised, make_world


def values(row: models.Model) -> dict[str, Any]:
    """Every column as the model has it."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.django_db
def test_every_row_reads_as_the_orm_reads_it() -> None:
    authorised(make_world())
    seen = set()
    for model in (each for each in apps.get_app_config("portal").get_models() if each._meta.managed):
        for row in model._base_manager.all():
            locked = lock_row(model, row.pk)
            assert (type(locked), values(locked)) == (model, values(row))
            assert (locked._state.adding, locked._state.db) == (False, "default")
            seen.add(model.__name__)
    assert {"AccessRequest", "Alert", "Grant", "Person", "PolicyVersion", "Privilege", "System"} <= seen


@pytest.mark.django_db
def test_no_row_is_told_as_the_orm_tells_it() -> None:
    with pytest.raises(Extension.DoesNotExist):
        lock_row(Extension, "3c1f5d7e-2f0a-4a0e-8f3e-5f3f0f1c2a10")


@pytest.mark.django_db(transaction=True)
def test_lock_is_held_until_the_transaction_ends() -> None:
    somebody = person()
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other:
        for no_key, refused in ((False, {"KEY SHARE", "SHARE"}), (True, {"SHARE"})):
            with transaction.atomic():
                lock_row(Person, somebody.pk, no_key=no_key)
                assert {
                    strength for strength in ("KEY SHARE", "SHARE") if not free(other, somebody, strength)
                } == refused
            assert free(other, somebody, "UPDATE")
    with pytest.raises(TransactionManagementError):
        lock_row(Person, somebody.pk)


def free(other: "psycopg.Connection[Any]", somebody: Person, strength: str) -> bool:
    """Whether another connection gets a lock of that strength at once."""
    statement = f"SELECT 1 FROM {Person._meta.db_table} WHERE id = %s FOR {strength} NOWAIT"
    try:
        other.execute(statement.encode(), [somebody.pk])
    except psycopg.errors.LockNotAvailable:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_a_refused_lock_is_the_orms_error_and_a_savepoint_ends_there() -> None:
    somebody = person()
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as other:
        other.execute(f"SELECT 1 FROM {Person._meta.db_table} WHERE id = %s FOR UPDATE".encode(), [somebody.pk])
        connection.cursor().execute("SET lock_timeout = '50ms'")
        with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
            lock_row(Person, somebody.pk)
        with transaction.atomic():
            with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
                lock_row(Person, somebody.pk)
            assert Person.objects.filter(pk=somebody.pk).exists()
        connection.cursor().execute("RESET lock_timeout")
    with transaction.atomic():
        assert lock_row(Person, somebody.pk) == somebody


@pytest.mark.django_db(transaction=True)
def test_row_that_is_locked_first_of_all_begins_the_transaction() -> None:
    somebody = person()
    with transaction.atomic():
        Person.objects.filter(pk=lock_row(Person, somebody.pk).pk).update(name="Somebody Else")
        transaction.set_rollback(True)
    with transaction.atomic():
        assert lock_row(Person, somebody.pk).name == somebody.name


@pytest.mark.django_db(transaction=True)
def test_row_whose_transaction_could_not_begin_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where somebody cancels it just then: what was sent behind the BEGIN is passed over by the server, and has an empty answer."""
    somebody = person()
    with monkeypatch.context() as patched:
        patched.setattr(one_trip, "BEGIN", b"BEGIN WRONG")
        with pytest.raises(ProgrammingError), transaction.atomic():
            lock_row(Person, somebody.pk)
    with transaction.atomic():
        assert lock_row(Person, somebody.pk) == somebody


def test_each_lock_has_a_name_of_its_own_on_the_server() -> None:
    """The server cuts longer names off."""
    tables = [model._meta.db_table for model in apps.get_models()]
    assert max(len(f"lock_no_key_{table}") for table in tables) < 64


@pytest.mark.django_db
def test_zero_byte_in_a_key_is_refused_and_not_cut() -> None:
    Session.objects.create(session_key="abc", session_data="", expire_date=now())
    with pytest.raises((ValueError, DataError)), transaction.atomic():
        lock_row(Session, "abc\x00def")


@pytest.mark.django_db(transaction=True)
def test_row_by_whose_name_it_is_listed_is_not_locked_with_it() -> None:
    """Whoever retires a rota locks its system first: with both locked by everybody else too, in any order, two would wait for each other."""
    rota = rota_of(make_world())
    with (
        psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True) as other,
        transaction.atomic(),
    ):
        lock_row(Rota, rota.pk)
        found = other.execute("SELECT id FROM portal_system WHERE id = %s FOR UPDATE NOWAIT", [rota.system_id])
        assert found.fetchall() == [(rota.system_id,)]
