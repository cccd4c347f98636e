"""Who does what alone: advisory locks of the database, held by a session and gone with it when a process is killed.

All numbers stand in one table, for two kinds of work under one number would hold each other up.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, unique

from django.db import DEFAULT_DB_ALIAS, connections

_OURS = 0x6C6F67_00  # "log"


@unique
class Lock(IntEnum):
    """What is done by one process at a time, and the key of its lock."""

    SEALING = _OURS + 1  # one sealing, to its commit
    SEALER = _OURS + 2  # the one sealer that works
    CHECK = _OURS + 3  # a check of the whole log
    BACKUP = _OURS + 4
    REHEARSAL = _OURS + 5
    TIMESTAMP = _OURS + 6  # while the authority is asked of the log
    PACK_TIMESTAMP = _OURS + 7  # while it is asked of a pack
    LATENESS = _OURS + 8  # a look at what is late


def until_commit(key: int, using: str = DEFAULT_DB_ALIAS) -> None:
    """Wait for whoever holds the lock of that key, and hold it until the caller's transaction ends."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


@contextmanager
def alone(key: int, using: str = DEFAULT_DB_ALIAS) -> Iterator[bool]:
    """Hold the lock; ``False`` where somebody else holds it. No transaction is kept open for it, however long the work is."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [int(key)])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connections[using].cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [int(key)])
