"""The one watchdog of a target: a block that runs inside the server and ends due grants while the portal is dead.

The client may be killed: the block goes on, because nothing in it talks to the client. It shuts what is due, ends the
sessions, starting ones too, and leaves the dropping to the portal. It goes by itself after ten minutes with no grant to
watch, so that none stays for ever on a target that the portal has left. A restart of the server ends it, with all
sessions.
"""

from contextlib import suppress

import psycopg
from psycopg.rows import dict_row

from portal.connectors.base import Target
from portal.connectors.postgresql.connection import Connection, connected, cut_after, parameters, told
from portal.connectors.postgresql.roles import OURS
from portal.connectors.postgresql.sessions import STARTING

LOCK = "hashtext('bg_portal watchdog'), 0"
IDLE_S = 600
START_S = 10.0  # the longest that starting may last; what is asked of the target takes milliseconds

BLOCK = """
DO $watch$
DECLARE
  grant_role record; suspects int[] := '{}'; last_grant timestamptz := clock_timestamp(); shut_some boolean;
BEGIN
  LOOP
    shut_some := false;
    FOR grant_role IN SELECT r.oid, r.rolname FROM pg_roles r WHERE r.rolcanlogin
        AND r.rolvaliduntil <= clock_timestamp() AND OURS LOOP
      BEGIN
        -- An extension holds this lock; after two seconds nobody is waited for.
        IF pg_try_advisory_xact_lock(hashtext('bg_portal'), hashtext(grant_role.rolname)) OR EXISTS (
            SELECT FROM pg_roles r
            WHERE r.oid = grant_role.oid AND r.rolvaliduntil <= clock_timestamp() - interval '2 s')
        THEN
          IF EXISTS (SELECT FROM pg_roles r WHERE r.oid = grant_role.oid AND r.rolvaliduntil <= clock_timestamp()) THEN
            EXECUTE format('ALTER ROLE %I NOLOGIN CONNECTION LIMIT 0', grant_role.rolname);
            shut_some := true;
          END IF;
        END IF;
      EXCEPTION WHEN OTHERS THEN NULL; -- busy or just dropped: the next round sees
      END;
    END LOOP;
    COMMIT; -- the shutting counts, and the next look at the sessions is a fresh one
    BEGIN
      PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
        WHERE NOT r.rolcanlogin AND OURS;
      PERFORM pg_terminate_backend(s.pid) FROM (STARTING) s WHERE s.pid = ANY (suspects);
      suspects := '{}';
      IF shut_some THEN
        SELECT coalesce(array_agg(s.pid), '{}') INTO suspects FROM (STARTING) s;
      END IF;
      IF EXISTS (SELECT FROM pg_roles r WHERE r.rolcanlogin AND OURS) THEN
        last_grant := clock_timestamp();
      END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    COMMIT;
    EXIT WHEN last_grant < clock_timestamp() - interval 'IDLE_S s';
    PERFORM pg_sleep(0.25);
  END LOOP;
END $watch$
"""


def block() -> str:
    """The text that runs on the target."""
    return BLOCK.replace("OURS", OURS).replace("STARTING", STARTING.strip()).replace("IDLE_S", str(IDLE_S))


class Watchdog:
    """The watchdog that this process holds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def pid(self) -> int:
        """Process id on the target."""
        return self._connection.info.backend_pid

    def alive(self) -> bool:
        """Is the block still running, as far as this end of the connection can tell."""
        try:
            self._connection.pgconn.consume_input()
            return bool(self._connection.pgconn.is_busy())
        except psycopg.Error:
            return False

    def stop(self) -> None:
        """Cancel the block and close; safe when it is gone."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=2)
        self._connection.close()


def hold(target: Target) -> Watchdog | None:
    """Start the watchdog. None where one runs already, perhaps left by a process that died: it does its work.

    A target that froze after it let us in is given up: whoever starts the watchdog has others to serve, or holds a grant's lock.
    """
    with told(target):
        given = {**parameters(target), "application_name": "breakglass watchdog"}
        connection = psycopg.connect(**given, autocommit=True, row_factory=dict_row)
        try:
            with cut_after(connection, START_S):
                started = _start(connection)
            return Watchdog(connection) if started else None
        except psycopg.Error:
            connection.close()
            raise


def _start(connection: Connection) -> bool:
    """Take the lock and send the block; False, and closed, where another has the lock."""
    got = connection.execute(f"SELECT pg_try_advisory_lock({LOCK}) AS got").fetchone()
    if not got or not got["got"]:
        connection.close()
        return False
    connection.execute("SET statement_timeout = 0")
    connection.execute("SET lock_timeout = '1s'")
    connection.execute("SET client_connection_check_interval = 0")
    connection.pgconn.send_query(block().encode())
    while connection.pgconn.flush():
        pass
    return True


def leave_behind(target: Target) -> None:
    """Start it without holding it: closing our end does not stop a block that is running."""
    started = hold(target)
    if started is not None:
        started._connection.close()


def is_held(connection: Connection) -> bool:
    """Does a watchdog run on this target, whoever started it."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid = (hashtext('bg_portal watchdog')::int8 & 4294967295)::oid AND objid = 0::oid) AS held"
    ).fetchone()
    return bool(row and row["held"])


def seen(target: Target) -> bool:
    """As `is_held`, over a connection of its own."""
    with connected(target) as connection:
        return is_held(connection)
