"""Read back one grant: is any access left, and what else is there that was not there before.

Access left keeps the grant from being called ended: a login, a membership, a live or starting session, a membership
given on, another login newly able to act as the privilege. Everything else (owned objects, prepared transactions, a
role kept because something hangs on it, changes of the catalogue) is no way in by itself and is drift: a finding.
"""

import time
from collections.abc import Collection

from portal.connectors.base import Closing, ReadBack, Remainder, Running, Snapshot, Target
from portal.connectors.postgresql import catalogue, leftovers, roles, sessions
from portal.connectors.postgresql.connection import Connection, connected
from portal.connectors.postgresql.roles import Role

MEMBER_OF = """
SELECT p.rolname AS name FROM pg_auth_members am JOIN pg_roles p ON p.oid = am.roleid WHERE am.member = %s ORDER BY 1
"""
START_PATIENCE_S = 1.5


def read_back(target: Target, closing: Closing, *, before: Snapshot | None) -> ReadBack:
    """What is left. `before` is what `prepare` gave; without it only what hangs on the login itself can be told."""
    with connected(target) as connection:
        role = roles.of_grant(connection, closing)
        oid = role.oid if role else int(closing.marker_ref or 0)
        left = _session_remainders(connection, closing, oid)
        seen = len(left)
        drift: list[Remainder] = []
        if role:
            left += _role_remainders(connection, role)
            drift += _kept(connection, closing, role)
        known = before.sections.get("prepared transaction") if before else None
        drift += leftovers.prepared(connection, closing, set(known) if known is not None else None)
        dangling = leftovers.dangling(connection)
        namesake = roles.by_name(connection, closing.login) if role is None else None
    if namesake:
        drift.append(Remainder("foreign role", f"A role {closing.login} exists that is not this grant's."))
    if before:
        after = catalogue.look(target)
        known_able = before.sections.get("able login", {})
        left += _new_logins(target, closing.privilege, known_able, after.sections.get("able login", {}))
        dangling = {key: said for key, said in dangling.items() if key not in before.sections.get("membership", {})}
        drift += catalogue.compare(before, after)
    left += [Remainder("membership given on", said) for said in dangling.values()]
    drift += [each for each in left if each.kind in ("other login", "membership given on")]
    return ReadBack(time.time_ns() // 1_000_000, not left, tuple(left), tuple(drift), seen)


def _session_remainders(connection: Connection, closing: Closing, oid: int) -> list[Remainder]:
    live = sorted(sessions.live(connection, oid)) if oid else []
    found = [Remainder("live session", f"Session {pid} of {closing.login} is still there.") for pid in live]
    waiting = sessions.still_starting(connection, sessions.starting(connection), wait_s=START_PATIENCE_S)
    found += [
        Remainder("starting session", f"Session {pid} is still starting and shows no user yet.")
        for pid in sorted(waiting)
    ]
    return found + leftovers.ownerless(connection) + leftovers.sessions_through(connection, oid)


def _role_remainders(connection: Connection, role: Role) -> list[Remainder]:
    """What the role can still do, or give to others."""
    found = [Remainder("login", f"{role.name} can still log in.")] if role.can_login else []
    found += [
        Remainder("membership", f"{role.name} is still a member of {row['name']}.")
        for row in connection.execute(MEMBER_OF, [role.oid])
    ]
    return found + [
        each for each in leftovers.memberships_given_on(connection, role.oid) if "by the grant's login" in each.detail
    ]


def _kept(connection: Connection, closing: Closing, role: Role) -> list[Remainder]:
    """Why the role is still there; it can be dropped once somebody has looked at these."""
    found = leftovers.of_role(connection, role.oid) + leftovers.memberships_given_on(connection, role.oid)
    if role.comment != closing.comment:
        found.append(Remainder("marker changed", f"The comment of {role.name} is no longer the one that was set."))
    if role.name != closing.login:
        found.append(Remainder("marker changed", f"The login {closing.login} is called {role.name} now."))
    if not role.can_login:
        found.append(
            Remainder("role kept", f"The role {role.name} is kept: it cannot log in, and something hangs on it.")
        )
    return found


def _new_logins(target: Target, privilege: str, before: Collection[str], after: Collection[str]) -> list[Remainder]:
    """Logins newly able to act as a privilege of the system, other than declared accounts and grants; the privilege itself too."""
    watched = {privilege, "(superuser)", "(any role)", *(target.settings.get("privileges") or ())}
    declared = set(target.settings.get("declared_logins") or ())
    found = []
    for key in sorted(set(after) - set(before)):
        role, login = key.split(" <- ", 1)
        if role in watched and login not in declared:
            able = "log in by itself" if role == login else f"act as {role.strip('()')}"
            found.append(Remainder("other login", f"{login} is newly able to {able}."))
    return found


RUNNING = """
SELECT pid, coalesce(state, 'starting') AS state, coalesce(query, '') AS query,
       (extract(epoch FROM backend_start) * 1000)::int8 AS started,
       (extract(epoch FROM query_start) * 1000)::int8 AS queried
FROM pg_stat_activity WHERE usesysid = %s AND backend_type <> 'parallel worker' ORDER BY backend_start, pid
"""


def running(target: Target, closing: Closing) -> tuple[Running, ...]:
    """Sessions of the grant now; for an idle one the statement is its last."""
    with connected(target) as connection:
        role = roles.of_grant(connection, closing)
        oid = role.oid if role else int(closing.marker_ref or 0)
        rows = connection.execute(RUNNING, [oid]).fetchall() if oid else []
    return tuple(Running(str(row["pid"]), row["state"], row["query"], row["started"], row["queried"]) for row in rows)
