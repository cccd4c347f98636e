"""How the database is emptied after a test that committed.

Django truncates every table, writes new files for each and makes all content types and permissions again: half a second, more than most
tests take. Here a superuser, since nobody else may, truncates those tables that hold something. Deleting would be faster still, but the room
that it leaves is filled in any order, and later rows would come in none.
"""

import atexit
from functools import cache
from typing import Any

import psycopg
from django.db import connection
from django.test import TransactionTestCase

from tests.servers import superuser_url

# What migrating has put there, as Django's flush leaves it.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
# A table that was truncated, or never written to, has no pages: to ask each for a row would be a statement for each to plan.
FULL_ONES = f"""
SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN {KEPT} AND pg_relation_size(oid) > 0
"""


def instead_of_flush() -> None:
    """Let every test that commits end so."""
    TransactionTestCase._fixture_teardown = _emptied  # type: ignore[attr-defined]  # Django's own hook, without a type


def _emptied(_case: Any) -> None:
    superuser = _superuser(connection.settings_dict["NAME"])
    ((full_ones,),) = superuser.execute(FULL_ONES)
    if full_ones:
        superuser.execute(f"TRUNCATE {full_ones} CASCADE".encode())


@cache
def _superuser(database: str) -> psycopg.Connection:
    """One for all tests of a worker: what a fresh one must learn of the tables takes longer than to empty them."""
    superuser = psycopg.connect(superuser_url(database), autocommit=True)
    atexit.register(superuser.close)
    return superuser
