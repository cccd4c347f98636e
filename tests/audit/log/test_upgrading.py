"""An upgrade holds up nobody who writes: what a migration builds on the log's tables is built beside the sealer."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from tests.servers import superuser_url, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, INDEX = ("audit", "0022_size_limits"), ("audit", "0023_checkpoint_by_time")
SIGN = "INSERT INTO audit_checkpoint (size, root, note, signed_at) VALUES (%s, '', '', 0)"
BUILDING = (
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%INDEX%checkpoint_signed_at%' AND wait_event_type = 'Lock'"
)
VALID = "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = 'checkpoint_signed_at'"


def migrate(*where: tuple[str, str]) -> None:
    MigrationExecutor(connection).migrate(list(where))


def latest() -> list[tuple[str, str]]:
    return [node for node in MigrationExecutor(connection).loader.graph.leaf_nodes() if node[0] == "audit"]


def asked(statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.fixture
def before() -> Iterator[None]:
    migrate(BEFORE)
    yield
    migrate(*latest())


@contextmanager
def migrating() -> Iterator[threading.Thread]:
    def work() -> None:
        migrate(INDEX)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join()


@pytest.mark.usefixtures("before")
def test_checkpoints_are_signed_while_their_index_is_built() -> None:
    url = superuser_url(str(connection.settings_dict["NAME"]))
    with closing(psycopg.connect(url)) as earlier, closing(psycopg.connect(url)) as later:
        earlier.execute(SIGN, [1])
        with migrating():
            wait_until(lambda: asked(BUILDING) == [(1,)], "the index to wait for who began before it")
            later.execute("SET lock_timeout = '5s'")
            later.execute(SIGN, [2])
            later.rollback()
            earlier.rollback()
    assert asked(VALID) == [(True,)]


@pytest.mark.usefixtures("before")
def test_an_index_that_broke_off_is_built_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX checkpoint_signed_at ON audit_checkpoint (signed_at)")
    with closing(psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True)) as superuser:
        superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'checkpoint_signed_at'::regclass")
    assert asked(VALID) == [(False,)]
    migrate(INDEX)
    assert asked(VALID) == [(True,)]
