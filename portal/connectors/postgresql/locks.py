"""Locks on a target: the portal's own order among its processes, and what others hold against it.

Whoever may connect can take an advisory lock, and whoever may change a role can leave that open in a transaction. So the
portal waits for nobody but itself, and an end goes on whatever is held.
"""

import time
from collections.abc import Callable, Mapping
from typing import LiteralString

import psycopg

from portal.connectors.errors import Unreachable
from portal.connectors.postgresql import sessions
from portal.connectors.postgresql.connection import Connection
from portal.connectors.postgresql.roles import OURS

PAUSE_S = 0.05
PATIENCE_S = 2.0  # for another process of the portal
INSIST_S = 3.0
OTHERS_AFTER_S = 1.0  # until sessions of other grants are ended too, if they are in the way of an end
NO_MORE_THAN = "SET LOCAL lock_timeout = '300ms'"

# Locked or deadlocked; the lock table full, which anybody can do with advisory locks; changed by another in between.
HELD = frozenset({"55P03", "40P01", "40001", "53200", "XX000"})

# Who holds an advisory lock with the two keys CLASS and ITEM: a session, or a prepared transaction, which has no pid. `ours` is
# told by the login, which nobody can pretend. Who came too late for this look at the sessions is left to the next.
HOLDERS: LiteralString = """
SELECT l.pid, a.usename AS name, coalesce(a.usesysid = (SELECT p.oid FROM pg_roles p WHERE p.rolname = session_user), false) AS ours
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND (l.pid IS NULL OR a.pid IS NOT NULL)
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  AND l.classid = (CLASS::int8 & 4294967295)::oid AND l.objid = (ITEM::int8 & 4294967295)::oid
"""
OF_GRANT = HOLDERS.replace("CLASS", "hashtext('bg_portal')").replace("ITEM", "hashtext(%s)")

# Who may be in the way of changing a role or a membership: open transactions that changed some, or that tie something to it.
IN_THE_WAY = """
SELECT DISTINCT l.pid, coalesce(r.rolname, '') AS name, coalesce(OURS, false) AS ours
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid LEFT JOIN pg_roles r ON r.oid = a.usesysid
WHERE l.granted AND l.pid IS DISTINCT FROM pg_backend_pid() AND a.usesysid IS DISTINCT FROM (SELECT p.oid FROM pg_roles p WHERE p.rolname = session_user)
  AND ((l.locktype = 'relation' AND l.relation IN ('pg_authid'::regclass, 'pg_auth_members'::regclass)
        AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
    OR (l.locktype = 'object' AND l.classid = 'pg_authid'::regclass AND l.objid = %s))
ORDER BY 1
""".replace("OURS", OURS.replace("%", "%%"))


def of_grant(connection: Connection, number: int, *, insist: bool = False) -> str:
    """One at a time for each grant, until the transaction ends. Returns a warning where somebody else holds the lock: it is not waited for.

    Raises:
        Unreachable: another process of the portal holds it; with ``insist`` that is not waited for for ever either.
    """
    key, until = f"bg_{number}", time.monotonic() + PATIENCE_S
    while True:
        row = connection.execute("SELECT pg_try_advisory_xact_lock(hashtext('bg_portal'), hashtext(%s)) AS got", [key])
        if (row.fetchone() or {}).get("got"):
            return ""
        connection.execute("SELECT pg_stat_clear_snapshot()")  # in a transaction the sessions are looked at once
        others = [each for each in connection.execute(OF_GRANT, [key]) if not each["ours"]]
        if others:
            return f"Somebody else holds the portal's lock of {key} on the target ({named(others[0])}); it was not waited for."
        if time.monotonic() > until:
            if insist:
                return ""
            raise Unreachable(f"Another process of the portal is at work on {key} on the target.")
        time.sleep(PAUSE_S)


def insist(connection: Connection, oid: int, ended: set[int], act: Callable[[], object]) -> bool:
    """Do it, whatever the role's sessions hold: before each try they are ended, and counted in `ended`.

    False where somebody else was in the way all the time. A session of another grant that is in the way is ended in the end.
    """
    began = time.monotonic()
    while True:
        ended |= sessions.cut(connection, oid)
        try:
            with connection.transaction():
                connection.execute(NO_MORE_THAN)
                act()
        except psycopg.Error as error:
            if error.sqlstate not in HELD:
                raise
        else:
            return True
        waited = time.monotonic() - began
        if waited > INSIST_S:
            return False
        if waited > OTHERS_AFTER_S:
            others = connection.execute(IN_THE_WAY, [oid]).fetchall()
            sessions.terminate(connection, {each["pid"] for each in others if each["ours"]})


def in_the_way(connection: Connection, oid: int) -> str:
    """Whom to ask, in words."""
    found = connection.execute(IN_THE_WAY, [oid]).fetchall()
    return ", ".join(named(each) for each in found) or "nobody that shows"


def named(holder: Mapping[str, object]) -> str:
    """In words."""
    return f"session {holder['pid']} of {holder['name']}" if holder["pid"] else "a prepared transaction"
