"""The one watchdog of a target: a block that runs inside the server and ends due grants while the portal is dead.

The client may be killed: the block goes on, because nothing in it talks to the client. It ends the sessions of what is due,
starting ones too, shuts the logins, and leaves the dropping to the portal. It goes by itself after ten minutes with no grant
to watch, so that none stays for ever on a target that the portal has left. A restart of the server ends it, with all
sessions.

It keeps in mind which roles were a grant's and when each ends: whoever takes the mark from a role, or holds whatever lock,
keeps no session by it. An end that was moved is believed, for only a role with ADMIN on the login can move it: the portal.
"""

import selectors
from contextlib import suppress
from functools import reduce

import psycopg
from psycopg.rows import dict_row

from portal.connectors.base import Target
from portal.connectors.postgresql.connection import Connection, connected, cut_after, parameters, told
from portal.connectors.postgresql.locks import HOLDERS, named
from portal.connectors.postgresql.roles import OURS
from portal.connectors.postgresql.sessions import LET_IN, STARTING

LOCK = "hashtext('bg_portal watchdog 2'), 0"
NAME = "breakglass watchdog"
OF_WATCHDOG = HOLDERS.replace("CLASS", "hashtext('bg_portal watchdog 2')").replace("ITEM", "0")
WITHOUT_LOCK = """
SELECT pid FROM pg_stat_activity WHERE usesysid = (SELECT oid FROM pg_roles WHERE rolname = session_user)
AND application_name = %s AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'
"""
IDLE_S = 600
START_S = 10.0  # the longest that starting may last; what is asked of the target takes milliseconds

BLOCK = """
DO $watch$
DECLARE
  oids oid[] := '{}'; ends timestamptz[] := '{}'; some_open boolean := true; looked boolean; shut_some boolean;
  suspects int[] := '{}'; last_grant timestamptz := clock_timestamp(); due oid; victim int; login name;
BEGIN
  LOOP
    BEGIN
      -- The portal holds the lock of a grant while it extends it; for half a second it is waited for, and for nobody else.
      SELECT coalesce(array_agg(k.oid), '{}'), coalesce(array_agg(k.ends), '{}'), coalesce(bool_or(k.open), false)
      INTO oids, ends, some_open FROM (
        SELECT r.oid, r.rolcanlogin AS open, CASE WHEN NOT r.rolcanlogin THEN '-infinity'
            WHEN r.rolvaliduntil > clock_timestamp() OR r.rolvaliduntil < clock_timestamp() - interval '0.5 s' THEN r.rolvaliduntil
            WHEN EXISTS (SELECT FROM (HOLDERS) h WHERE h.ours) THEN r.rolvaliduntil + interval '0.5 s'
            ELSE r.rolvaliduntil END AS ends
        FROM pg_roles r WHERE OURS AND pg_get_userbyid(r.oid) IS NOT NULL -- kept at hand, as ending its sessions asks for it
        UNION ALL
        SELECT m.oid, false, m.ends FROM unnest(oids, ends) m(oid, ends)
        WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.oid AND OURS)
          AND (EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.oid)
            OR EXISTS (SELECT FROM pg_stat_get_activity(NULL) a WHERE a.usesysid = m.oid))
      ) k;
      looked := pg_has_role('pg_signal_backend', 'USAGE') IS NOT NULL; -- kept at hand too
    EXCEPTION WHEN OTHERS THEN looked := false; -- then it goes by what it saw before
    END;
    COMMIT;
    BEGIN
      -- Needs no lock of any kind, so nothing that a responder holds can keep a session alive.
      FOR victim IN SELECT a.pid FROM pg_stat_get_activity(NULL) a JOIN unnest(oids, ends) k(oid, ends) ON k.oid = a.usesysid
          WHERE k.ends <= clock_timestamp() LOOP
        BEGIN
          PERFORM pg_terminate_backend(victim);
        EXCEPTION WHEN OTHERS THEN NULL; -- one that may not be ended keeps no other alive
        END;
      END LOOP;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    shut_some := false;
    FOREACH due IN ARRAY oids LOOP
      BEGIN
        IF ends[array_position(oids, due)] <= clock_timestamp() THEN
          SELECT r.rolname INTO login FROM pg_roles r WHERE r.oid = due AND r.rolcanlogin
            AND (r.rolvaliduntil <= clock_timestamp() OR NOT OURS);
          IF FOUND THEN
            EXECUTE format('ALTER ROLE %I NOLOGIN CONNECTION LIMIT 0', login);
            shut_some := true;
          END IF;
        END IF;
      EXCEPTION WHEN OTHERS THEN NULL; -- busy or just dropped: the next round sees
      END;
    END LOOP;
    COMMIT; -- the shutting counts, and the next look at the sessions is a fresh one
    BEGIN
      FOR victim IN SELECT s.pid FROM (LET_IN) s WHERE s.pid = ANY (suspects) LOOP
        BEGIN
          PERFORM pg_terminate_backend(victim);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
      suspects := '{}';
      IF shut_some THEN
        SELECT coalesce(array_agg(s.pid), '{}') INTO suspects FROM (STARTING) s;
      END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    COMMIT;
    IF some_open OR NOT looked THEN
      last_grant := clock_timestamp();
    END IF;
    EXIT WHEN last_grant < clock_timestamp() - interval 'IDLE_S s';
    PERFORM pg_sleep(0.25);
  END LOOP;
END $watch$
"""


def block() -> str:
    """The text that runs on the target."""
    holders = HOLDERS.replace("CLASS", "hashtext('bg_portal')").replace("ITEM", "hashtext(r.rolname)")
    parts = {"OURS": OURS, "HOLDERS": holders, "LET_IN": LET_IN, "STARTING": STARTING, "IDLE_S": str(IDLE_S)}
    return reduce(lambda text, part: text.replace(*part), parts.items(), BLOCK)


CANCELS, CANCEL_S = 5, 0.3  # a block that runs hears the first


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
        """Cancel the block and close; safe when it is gone. A cancel that comes before the block began is lost, so it is asked again."""
        with suppress(psycopg.Error):
            for _ in range(CANCELS):
                self._connection.cancel_safe(timeout=2)
                if self._ended_within(CANCEL_S):
                    break
        self._connection.close()

    def _ended_within(self, seconds: float) -> bool:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._connection.pgconn.socket, selectors.EVENT_READ)
            waiting.select(seconds)
        return not self.alive()


def hold(target: Target) -> Watchdog | None:
    """Start the watchdog. None where one runs already, perhaps left by a process that died: it does its work.

    A target that froze after it let us in is given up: whoever starts the watchdog has others to serve, or holds a grant's lock.
    """
    with told(target):
        given = {**parameters(target), "application_name": NAME}
        connection = psycopg.connect(**given, autocommit=True, row_factory=dict_row)
        try:
            with cut_after(connection, START_S):
                started = _start(connection)
            return Watchdog(connection) if started else None
        except psycopg.Error:
            connection.close()
            raise


def _start(connection: Connection) -> bool:
    """Take the lock and send the block; False, and closed, where another runs. A stranger's lock stops nothing."""
    got = connection.execute(f"SELECT pg_try_advisory_lock({LOCK}) AS got").fetchone()
    if not (got and got["got"]) and is_held(connection):
        connection.close()
        return False
    connection.execute("SET statement_timeout = 0")
    connection.execute("SET lock_timeout = '100ms'")
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
    """Does a watchdog of ours run on this target, whoever started it. Anybody may hold the lock; our login nobody else has."""
    holders = connection.execute(OF_WATCHDOG).fetchall()
    if any(each["ours"] for each in holders):
        return True
    return bool(holders and connection.execute(WITHOUT_LOCK, [NAME]).fetchall())


def lock_taken(connection: Connection) -> str:
    """A warning where somebody else holds the watchdog's lock."""
    found = [each for each in connection.execute(OF_WATCHDOG) if not each["ours"]]
    who = named(found[0]) if found else ""
    return (
        who
        and f"Somebody else holds the lock of the portal's watchdog on the target ({who}). It does without; find out why."
    )


def seen(target: Target) -> bool:
    """As `is_held`, over a connection of its own."""
    with connected(target) as connection:
        return is_held(connection)
