"""Open and extend one grant: one login role, made in one transaction under a lock, so a retry finds all or nothing."""

import time
from datetime import UTC, datetime

import psycopg

from portal.connectors.base import Closing, Opened, Opening, Step, Target, no_step
from portal.connectors.errors import BadSettings, ForeignMarker, Gone, TargetRefused
from portal.connectors.postgresql import locks, roles, watchdog
from portal.connectors.postgresql.connection import Connection, connected, statement

OPEN_STEPS = ("connected", "role made", "read back", "watchdog seen")

NO_LOGGING = (
    "Statements of this grant may not be logged: the portal's login lacks SET ON PARAMETER log_statement, "
    "or the setting did not hold."
)

UNBOUND = (
    "The privilege is a superuser on the target, or as good as one: it can turn off the logging of its own statements."
)


def timestamp(at_ms: int) -> str:
    """The time as the server reads it, with its zone."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def open_grant(target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
    """Make the login, or make sure it is as it should be. Raises ForeignMarker, Gone, TargetRefused, Unreachable."""
    _check_allowed(target, opening.privilege)
    with connected(target) as connection:
        step("connected")
        with connection.transaction():
            lock_held = locks.of_grant(connection, opening.number)
            _check(connection, opening)
            _make(connection, opening)
        step("role made")
        warnings = [lock_held] if lock_held else []
        role = roles.by_name(connection, opening.login)
        if role is None or role.comment != opening.comment or not role.can_login:
            raise Gone(f"The login {opening.login} was taken away while it was being opened.")
        logged = roles.is_logged(connection, role)
        if not logged:
            warnings.append(NO_LOGGING)
        if superuser := roles.is_superuser(connection, role):
            warnings.append(UNBOUND)
        step("read back")
        if not watchdog.is_held(connection):
            watchdog.leave_behind(target)
            warnings.append("No watchdog ran on the target; one was started.")
        if taken := watchdog.lock_taken(connection):
            warnings.append(taken)
        step("watchdog seen")
    settings = target.settings
    return Opened(
        login=opening.login,
        marker=opening.login,
        marker_ref=str(role.oid),
        provisioned_at_ms=time.time_ns() // 1_000_000,
        host=str(settings.get("public_host") or settings["host"]),
        port=int(settings.get("public_port") or settings["port"]),
        database=str(settings["dbname"]),
        statement_logging=logged,
        superuser=superuser,
        warnings=tuple(warnings),
    )


def _check_allowed(target: Target, privilege: str) -> None:
    allowed = target.settings.get("privileges")
    if allowed is not None and privilege not in allowed:
        raise BadSettings(f"The privilege {privilege} is not among those of this system.")


def _check(connection: Connection, opening: Opening) -> None:
    """Under the lock: whose is the name, is the end still ahead, is there such a privilege."""
    role = roles.by_name(connection, opening.login)
    if role and role.comment != opening.comment:
        raise ForeignMarker(
            f"A role {opening.login} exists on the target and is not this grant's; nothing was changed."
        )
    if role and (role.shut or not role.can_login):
        raise Gone(f"The closing of {opening.login} has begun; it is not opened again.")
    late = connection.execute("SELECT clock_timestamp() >= %s::timestamptz AS late", [timestamp(opening.expires_at_ms)])
    if (late.fetchone() or {}).get("late"):
        raise TargetRefused("By the target's clock the end of this grant has passed; nothing was opened.")
    if roles.by_name(connection, opening.privilege) is None:
        raise TargetRefused(f"There is no role {opening.privilege} on the target.")


def _make(connection: Connection, opening: Opening) -> None:
    """The statements of one opening; attributes that the portal lacks are not even mentioned (16 and later refuse)."""
    names = {"n_login": opening.login, "n_privilege": opening.privilege}
    if roles.by_name(connection, opening.login) is None:
        connection.execute(statement("CREATE ROLE {n_login} NOLOGIN NOINHERIT", n_login=opening.login))
    connection.execute(
        statement(
            "ALTER ROLE {n_login} LOGIN CONNECTION LIMIT {limit} PASSWORD {verifier} VALID UNTIL {until}",
            n_login=opening.login,
            limit=opening.max_sessions,
            verifier=opening.verifier.reveal(),
            until=timestamp(opening.expires_at_ms),
        )
    )
    connection.execute(statement("GRANT {n_privilege} TO {n_login}", **names))
    connection.execute(
        statement("ALTER ROLE {n_login} SET role = {role}", n_login=opening.login, role=opening.privilege)
    )
    try:
        with connection.transaction():
            connection.execute(statement("ALTER ROLE {n_login} SET log_statement = 'all'", n_login=opening.login))
    except psycopg.errors.InsufficientPrivilege:
        pass  # the read-back finds the setting absent and says so
    connection.execute(
        statement("COMMENT ON ROLE {n_login} IS {comment}", n_login=opening.login, comment=opening.comment)
    )


def extend(target: Target, closing: Closing, *, expires_at_ms: int) -> None:
    """Move VALID UNTIL, only where the role is there, ours and can log in."""
    with connected(target) as connection:
        with connection.transaction():
            locks.of_grant(connection, closing.number)
            role = roles.of_grant(connection, closing)
            if role is None or role.comment != closing.comment:
                raise Gone(f"The login {closing.login} is not on the target any more; nothing was extended.")
            if role.shut or not role.can_login:
                raise Gone(f"The login {closing.login} can no longer log in; nothing was extended.")
            connection.execute(
                statement("ALTER ROLE {n_login} VALID UNTIL {until}", n_login=role.name, until=timestamp(expires_at_ms))
            )
        # The watchdog may have ended it between the look and the change.
        role = roles.by_oid(connection, role.oid)
        if role is None or not role.can_login or role.until_ms != expires_at_ms:
            raise Gone(f"The login {closing.login} ended before it could be extended.")
