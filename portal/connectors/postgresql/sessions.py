"""Sessions of a grant on the target: those that show their user, and those that are still starting and show none."""

import time
from collections.abc import Collection

from portal.connectors.postgresql.connection import Connection

PAUSE_S = 0.2
EMPTY_LOOKS = 3
GIVE_UP_S = 8.0
START_WAIT_S = 0.3

LIVE = "SELECT pid FROM pg_stat_activity WHERE usesysid = %s AND backend_type <> 'parallel worker'"

# A session in its post_auth_delay has a virtual transaction but no user yet; before 18 it has no row in
# pg_stat_activity at all. It would wake with full rights after the login role was shut and even dropped.
STARTING = """
SELECT DISTINCT l.pid FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND (a.pid IS NULL OR (a.backend_type = 'client backend' AND a.usesysid IS NULL))
"""


def live(connection: Connection, oid: int) -> set[int]:
    """Process ids of sessions that logged in as this role."""
    return {row["pid"] for row in connection.execute(LIVE, [oid])}


def starting(connection: Connection) -> set[int]:
    """Process ids of sessions of anyone that have not shown their user yet."""
    return {row["pid"] for row in connection.execute(STARTING)}


def still_starting(connection: Connection, suspects: Collection[int], *, wait_s: float = START_WAIT_S) -> set[int]:
    """Those of the suspects that are still starting after a wait; an ordinary login takes a few milliseconds."""
    left, until = set(suspects), time.monotonic() + wait_s
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left &= starting(connection)
    return left


def end(connection: Connection, oid: int, known: Collection[int] = ()) -> tuple[int, set[int]]:
    """End every session of a role that can no longer log in. Returns how many, and the ids that would not go.

    `known` were there before the login was shut; they count even where the watchdog was faster than we.
    Only sessions that were starting at the first look can still become one of this role: later ones read NOLOGIN.
    """
    first_look = starting(connection)
    ended = live(connection, oid) | set(known)
    _terminate(connection, live(connection, oid))
    suspects = still_starting(connection, first_look)
    _terminate(connection, suspects)
    empty, until = 0, time.monotonic() + GIVE_UP_S
    while empty < EMPTY_LOOKS and time.monotonic() < until:
        found = live(connection, oid) | (starting(connection) & suspects)
        _terminate(connection, found)
        ended |= found
        empty = 0 if found else empty + 1
        if empty < EMPTY_LOOKS:
            time.sleep(PAUSE_S)
    return len(ended | suspects), live(connection, oid) | (starting(connection) & suspects)


def _terminate(connection: Connection, pids: Collection[int]) -> None:
    if pids:
        connection.execute("SELECT pg_terminate_backend(p) FROM unnest(%s::int[]) p", [sorted(pids)])
