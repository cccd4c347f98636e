"""Close one grant. Each step is a commit of its own, in an order in which a crash leaves less access, never more.

1. find the role and keep its oid, 2. shut the login, 3. take the privilege away, 4. end the sessions, starting ones
too, 5. drop the role, unless something hangs on it that must be looked at first: then it stays, unable to do anything.

Whatever an open transaction of the grant holds, it goes with its session, which is ended before each try. Where somebody
else is in the way of one step, the others are done all the same, and that is told.
"""

from contextlib import suppress
from functools import partial

import psycopg

from portal.connectors.base import Closed, Closing, Remainder, Step, Target, no_step
from portal.connectors.errors import ForeignMarker
from portal.connectors.postgresql import leftovers, locks, roles, sessions
from portal.connectors.postgresql.connection import Connection, connected, statement
from portal.connectors.postgresql.roles import Role

CLOSE_STEPS = ("connected", "found", "login shut", "privilege taken", "sessions ended", "role dropped")


def close_grant(target: Target, closing: Closing, *, step: Step = no_step) -> Closed:
    """Take the access away. Repeating it is safe; what it must only report stays where it is."""
    with connected(target) as connection:
        step("connected")
        known = sessions.cut(connection, int(closing.marker_ref)) if closing.marker_ref else set()
        role = _find(connection, closing)
        step("found")
        if role is None:
            return _close_without_role(connection, closing, known, step)
        logged = roles.is_logged(connection, role)
        kept = _shut(connection, closing, role, known)
        step("login shut")
        kept += _take_privilege(connection, closing, role, known)
        step("privilege taken")
        ended, stubborn = sessions.end(connection, role.oid, known)
        step("sessions ended")
        kept += [Remainder("live session", f"Session {pid} of {role.name} did not end.") for pid in sorted(stubborn)]
        kept += leftovers.of_role(connection, role.oid)
        removed = not kept and _drop(connection, role, known)
        step("role dropped")
    return Closed(str(role.oid), ended, removed, tuple(kept), logged)


def _find(connection: Connection, closing: Closing) -> Role | None:
    """The role of the grant. A foreign role of that name is refused while we know of no other that was ours."""
    role = roles.of_grant(connection, closing)
    if role is None and not closing.marker_ref and roles.by_name(connection, closing.login):
        raise ForeignMarker(f"The role {closing.login} on the target is not this grant's; nothing was changed.")
    return role


def _close_without_role(connection: Connection, closing: Closing, known: set[int], step: Step) -> Closed:
    """The role is gone; a session of it would go on working, so they are looked for by oid all the same."""
    ended, stubborn = sessions.end(connection, int(closing.marker_ref), known) if closing.marker_ref else (0, set())
    step("sessions ended")
    kept = tuple(
        Remainder("live session", f"Session {pid} of {closing.login} did not end.") for pid in sorted(stubborn)
    )
    return Closed(closing.marker_ref, ended, not kept, kept)


def _shut(connection: Connection, closing: Closing, role: Role, known: set[int]) -> list[Remainder]:
    """Nobody logs in from here on, by any method; the lock keeps an opening or extension from crossing it."""

    def shut() -> None:
        locks.of_grant(connection, closing.number, insist=True)
        connection.execute(
            statement(
                "ALTER ROLE {n_login} NOLOGIN CONNECTION LIMIT 0 VALID UNTIL '-infinity' PASSWORD NULL",
                n_login=role.name,
            )
        )

    if locks.insist(connection, role.oid, known, shut):
        return []
    return [_held("login", f"The login {role.name} could not be shut", connection, role)]


def _take_privilege(connection: Connection, closing: Closing, role: Role, known: set[int]) -> list[Remainder]:
    """Revoke the privilege. Where it was given on, nothing is torn away with it unseen: that is told and stays."""
    given_on = leftovers.memberships_given_on(connection, role.oid)
    if roles.by_name(connection, closing.privilege) is None:
        return given_on
    revoke = statement("REVOKE {n_privilege} FROM {n_login}", n_privilege=closing.privilege, n_login=role.name)
    with suppress(psycopg.errors.DependentObjectsStillExist):
        if not locks.insist(connection, role.oid, known, partial(connection.execute, revoke)):
            given_on.append(
                _held("membership", f"{closing.privilege} could not be taken from {role.name}", connection, role)
            )
    return given_on


def _drop(connection: Connection, role: Role, known: set[int]) -> bool:
    """Drop the role; False where something in the meantime hangs on it, or somebody holds it."""
    drop = statement("DROP ROLE {n_login}", n_login=role.name)
    try:
        return locks.insist(connection, role.oid, known, partial(connection.execute, drop))
    except psycopg.errors.DependentObjectsStillExist:
        return False
    except psycopg.errors.UndefinedObject:
        return True  # two closed it at once


def _held(kind: str, sentence: str, connection: Connection, role: Role) -> Remainder:
    return Remainder(kind, f"{sentence}: an open transaction holds it ({locks.in_the_way(connection, role.oid)}).")
