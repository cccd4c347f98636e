"""How the database is emptied after a test that committed.

Django truncates every table, writes new files for each and makes all content types and permissions again: half a second, more than most
tests take. Here a superuser, since nobody else may, truncates those tables that hold rows. Deleting would be faster still, but the room
that it leaves is filled in any order, and later rows would come in none.
"""

from typing import Any

import psycopg
from django.db import connection
from django.test import TransactionTestCase

from tests.servers import superuser_url

# What migrating has put there, as Django's flush leaves it.
KEPT = ("django_migrations", "django_content_type", "auth_permission")
EMPTY = f"""
DO $$
DECLARE
    place regclass;
    holds boolean;
    full_ones text[] := '{{}}';
BEGIN
    FOR place IN SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN {KEPT}
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', place) INTO holds;
        IF holds THEN full_ones := full_ones || place::text; END IF;
    END LOOP;
    IF full_ones <> '{{}}' THEN EXECUTE 'TRUNCATE ' || array_to_string(full_ones, ', ') || ' CASCADE'; END IF;
END $$
"""


def instead_of_flush() -> None:
    """Let every test that commits end so."""
    TransactionTestCase._fixture_teardown = _emptied  # type: ignore[attr-defined]  # Django's own hook, without a type


def _emptied(_case: Any) -> None:
    with psycopg.connect(superuser_url(connection.settings_dict["NAME"]), autocommit=True) as superuser:
        superuser.execute(EMPTY)
