"""How the database is emptied after a test that committed.

Django truncates every table, writes new files for each and makes all content types and permissions again: half a second, more than most
tests take. Here a superuser, since nobody else may, deletes the rows of those tables that hold something, and gives their room back:
room that is left would be filled in any order, and later rows would come in none. What is large is truncated, indexes too.
"""

import atexit
from functools import cache
from typing import Any

import psycopg
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql

from tests.servers import superuser_url

# What migrating has put there, as Django's flush leaves it.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
# A table that was emptied, or never written to, has no pages: to ask each for a row would be a statement for each to plan.
FULL_ONES = f"""
SELECT relname, pg_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN {KEPT} AND pg_relation_size(oid) > 0
"""
LARGE = 2**20  # bytes of all of them together


def instead_of_flush() -> None:
    """Let every test that commits end so."""
    TransactionTestCase._fixture_teardown = _emptied  # type: ignore[attr-defined]  # Django's own hook, without a type


def _emptied(_case: Any) -> None:
    superuser = _superuser(connection.settings_dict["NAME"])
    full_ones: list[tuple[str, int]] = superuser.execute(FULL_ONES.encode()).fetchall()
    if not full_ones:
        return
    tables = [sql.Identifier(name) for name, _ in full_ones]
    if sum(size for _, size in full_ones) > LARGE:
        superuser.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(tables)))
    else:
        _delete(superuser, tables)


def _delete(superuser: psycopg.Connection, tables: list[sql.Identifier]) -> None:
    """Whoever still writes is waited for, as TRUNCATE waits."""
    names = sql.SQL(", ").join(tables)
    with superuser.transaction():
        superuser.execute(sql.SQL("LOCK TABLE {}").format(names))
        superuser.execute(sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in tables))
    superuser.execute(sql.SQL("VACUUM (SKIP_DATABASE_STATS) {}").format(names))


@cache
def _superuser(database: str) -> psycopg.Connection:
    """One for all tests of a worker: what a fresh one must learn of the tables takes longer than to empty them. No trigger of ours keeps its rows."""
    superuser = psycopg.connect(superuser_url(database), autocommit=True, options="-c session_replication_role=replica")
    atexit.register(superuser.close)
    return superuser
