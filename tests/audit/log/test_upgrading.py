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
BEFORE = ("audit", "0022_size_limits")
BUILT = {
    "checkpoint_signed_at": (
        ("audit", "0023_checkpoint_by_time"),
        "audit_checkpoint (signed_at)",
        "INSERT INTO audit_checkpoint (size, root, note, signed_at) VALUES (%s, '', '', 0)",
    ),
    "cosignature_of_witness": (
        ("audit", "0024_cosignature_of_witness"),
        "audit_cosignature (witness, size)",
        "INSERT INTO audit_cosignature (size, witness, line, signed_at) VALUES (%s, '', '', 0)",
    ),
}
BUILDING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%INDEX%{}%' AND wait_event_type = 'Lock'"
VALID = "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname = '{}'"


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
def migrating(index: tuple[str, str]) -> Iterator[None]:
    def work() -> None:
        migrate(index)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("name", BUILT)
def test_the_sealer_writes_while_an_index_of_its_tables_is_built(name: str) -> None:
    url, (index, _, write) = superuser_url(str(connection.settings_dict["NAME"])), BUILT[name]
    with closing(psycopg.connect(url)) as earlier, closing(psycopg.connect(url)) as later:
        earlier.execute(write, [1])
        with migrating(index):
            wait_until(lambda: asked(BUILDING.format(name)) == [(1,)], "the index to wait for who began before it")
            later.execute("SET lock_timeout = '5s'")
            later.execute(write, [2])
            later.rollback()
            earlier.rollback()
    assert asked(VALID.format(name)) == [(True,)]


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize("name", BUILT)
def test_an_index_that_broke_off_is_built_anew(name: str) -> None:
    index, columns, _ = BUILT[name]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {name} ON {columns}")
    with closing(psycopg.connect(superuser_url(str(connection.settings_dict["NAME"])), autocommit=True)) as superuser:
        superuser.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [name])
    assert asked(VALID.format(name)) == [(False,)]
    migrate(index)
    assert asked(VALID.format(name)) == [(True,)]
