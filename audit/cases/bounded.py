"""A search that would take the database for long is broken off: text inside of values is looked for without an index."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

LONGEST_MS = 5_000


class TookTooLong(Exception):
    """The search was broken off."""


@contextmanager
def bounded() -> Iterator[None]:
    """Give each statement inside no more than ``LONGEST_MS``.

    Raises:
        TookTooLong: one needed more.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(LONGEST_MS)])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
