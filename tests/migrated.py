"""The database of each worker: a copy of one that is migrated once for the whole run.

Migrating takes ten seconds, copying a fifth of one; whoever comes first migrates, and the others wait for it.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql
from pytest_django import DjangoDbBlocker

from portal.embedded.databases import role_name
from tests.servers import RUN, superuser_url

PATTERN = "migrated"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Instead of the fixture of pytest-django, which migrates for each worker."""
    before, own = str(connection.settings_dict["NAME"]), f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock():
        _migrate_once()
        _make(own, PATTERN)
        _use(own)
    yield
    with django_db_blocker.unblock():
        _use(before)
        _drop(own)


def _migrate_once() -> None:
    """A server that was given may hold the pattern of an earlier run; the folder of this run says whether it is ours."""
    folder, before = Path(os.environ[RUN]), str(connection.settings_dict["NAME"])
    with (folder / "migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "migrated").exists():
            return
        _make(PATTERN, "template1")
        _use(PATTERN)
        call_command("migrate", interactive=False, verbosity=0)
        _use(before)
        (folder / "migrated").touch()


def _use(name: str) -> None:
    """From here on this process works in that database."""
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _make(name: str, pattern: str) -> None:
    """Anew, if there is one of that name."""
    _drop(name)
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
    _as_superuser(made.format(*map(sql.Identifier, (name, pattern, role_name("owner")))))


def _drop(name: str) -> None:
    _as_superuser(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _as_superuser(statement: sql.Composed) -> None:
    with psycopg.connect(superuser_url(), autocommit=True) as superuser:
        superuser.execute(statement)
