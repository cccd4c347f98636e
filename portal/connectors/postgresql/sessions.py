"""Sessions of a grant on the target: those that show their user, and those that are still starting and show none."""

import time
from collections.abc import Collection
from contextlib import suppress
from typing import LiteralString

import psycopg

from portal.connectors.postgresql.connection import Connection

PAUSE_S = 0.2
EMPTY_LOOKS = 3
GIVE_UP_S = 8.0
START_WAIT_S = 0.3

# The function and not the view: this needs no lock, so it works also where a responder has filled the table of locks.
LIVE = "SELECT pid FROM pg_stat_get_activity(NULL) WHERE usesysid = %s AND backend_type <> 'parallel worker'"

# A session in its post_auth_delay has a virtual transaction but no user yet; before 18 it has no row in
# pg_stat_activity at all. It would wake with full rights after the login role was shut and even dropped.
STARTING: LiteralString = """
SELECT l.pid FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.pid IS NOT NULL AND (a.pid IS NULL OR (a.backend_type = 'client backend' AND a.usesysid IS NULL))
GROUP BY l.pid HAVING bool_or(l.locktype = 'virtualxid')
"""
# Once it is known who they are they lock their database. Who never gets so far, as anybody at the port can do, is nobody yet
# and will read NOLOGIN; such a one cannot be ended either.
LET_IN: LiteralString = STARTING + " AND bool_or(l.locktype = 'object' AND l.classid = 'pg_database'::regclass)"


def live(connection: Connection, oid: int) -> set[int]:
    """Process ids of sessions that logged in as this role."""
    return {row["pid"] for row in connection.execute(LIVE, [oid])}


def cut(connection: Connection, oid: int) -> set[int]:
    """Send each session of this role its end, and no more: what may not be ended is told by `end`. Returns which there were."""
    found = live(connection, oid)
    with suppress(psycopg.errors.InsufficientPrivilege):
        terminate(connection, found)
    return found


def starting(connection: Connection) -> set[int]:
    """Process ids of sessions of anyone that have not shown their user yet."""
    return {row["pid"] for row in connection.execute(STARTING)}


def still_starting(connection: Connection, suspects: Collection[int], *, wait_s: float = START_WAIT_S) -> set[int]:
    """Those of the suspects that were let in and are still starting after a wait; an ordinary login takes a few milliseconds."""
    left, until = set(suspects), time.monotonic() + wait_s
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left &= starting(connection)
    return left & {row["pid"] for row in connection.execute(LET_IN)}


def end(connection: Connection, oid: int, known: Collection[int] = ()) -> tuple[int, set[int]]:
    """End every session of a role that can no longer log in. Returns how many, and the ids that would not go.

    `known` were there before the login was shut; they count even where the watchdog was faster than we.
    Only sessions that were starting at the first look can still become one of this role: later ones read NOLOGIN.
    """
    first_look = starting(connection)
    ended = live(connection, oid) | set(known)
    terminate(connection, live(connection, oid))
    suspects = still_starting(connection, first_look)
    terminate(connection, suspects)
    empty, until = 0, time.monotonic() + GIVE_UP_S
    while empty < EMPTY_LOOKS and time.monotonic() < until:
        found = live(connection, oid) | (starting(connection) & suspects)
        terminate(connection, found)
        ended |= found
        empty = 0 if found else empty + 1
        if empty < EMPTY_LOOKS:
            time.sleep(PAUSE_S)
    return len(ended | suspects), live(connection, oid) | (starting(connection) & suspects)


def terminate(connection: Connection, pids: Collection[int]) -> None:
    """End them one by one: one that may not be ended keeps no other alive. Raises what the server said of it, after the last."""
    refused: psycopg.Error | None = None
    for pid in sorted(pids):
        try:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        except psycopg.errors.InsufficientPrivilege as error:
            refused = error
    if refused is not None:
        raise refused
