"""One process at a time, by name: advisory locks of the database, gone with the connection when a process is killed."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

CLASS = 0x6A6F  # first half of the key: "jo", apart from the locks of grants


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Hold the lock of that name; ``False`` when somebody else holds it. Not inside a transaction that may roll back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [CLASS, name])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [CLASS, name])
