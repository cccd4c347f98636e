"""The connection test, and what an opening would do, both in sentences."""

import time

from portal.connectors.base import Check, ConnectorError, Target
from portal.connectors.postgresql import roles, watchdog
from portal.connectors.postgresql.connection import Connection, connected, is_loopback

RIGHTS = """
SELECT r.rolsuper, r.rolcreaterole, pg_has_role(r.oid, 'pg_signal_backend', 'USAGE') AS signal,
       pg_has_role(r.oid, 'pg_read_all_stats', 'USAGE') AS stats,
       has_parameter_privilege(r.oid, 'log_statement', 'SET') AS logging
FROM pg_roles r WHERE r.rolname = current_user
"""

# name -> (sentence where it is so, sentence where it is not)
RIGHTS_SAY = {
    "superuser": ("The portal's login is no superuser.", "The portal's login is a superuser; give it a login with fewer rights."),
    "createrole": ("The portal's login can make logins (CREATEROLE).", "The portal's login cannot make logins: it needs CREATEROLE."),
    "signal": (
        "The portal's login can end sessions (pg_signal_backend).",
        "The portal's login cannot end sessions: it needs pg_signal_backend.",
    ),
    "stats": (
        "The portal's login sees all sessions (pg_read_all_stats).",
        "The portal's login does not see all sessions: it needs pg_read_all_stats.",
    ),
    "statements": (
        "The statements of a grant can be logged.",
        "The statements of a grant cannot be logged: it needs GRANT SET ON PARAMETER log_statement.",
    ),
}  # fmt: skip

PRIVILEGE = """
SELECT p.rolcanlogin, p.rolsuper, p.rolcreaterole,
       pg_has_role(current_user, p.oid, 'MEMBER WITH ADMIN OPTION') AS admin,
       EXISTS (SELECT FROM pg_shdepend d WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = p.oid
                AND d.deptype = 'o') AS owns
FROM pg_roles p WHERE p.rolname = %s
"""

# name -> (values that are right, sentence where it is another)
SETTINGS: dict[str, tuple[tuple[str, ...], str]] = {
    "logging_collector": (("on",), "The logging collector is off, so the target's log files cannot be followed."),
    "log_connections": (("on", "true", "all"), "Connections are not logged, so sessions cannot be counted."),
    "log_disconnections": (("on",), "Disconnections are not logged, so no session can be shown to be complete."),
    "log_parameter_max_length": (("-1",), "Parameters of statements are cut short in the log."),
    "max_prepared_transactions": (("0",), "Prepared transactions are possible, and outlive a grant."),
    "password_encryption": (("scram-sha-256",), "New passwords are not stored as SCRAM."),
    "client_connection_check_interval": (
        ("0",),
        "Where it is not 0 by default, only the watchdog's own setting keeps it.",
    ),
}


def test(target: Target) -> tuple[Check, ...]:
    """Each line says what is so and, where it is not well, what to do."""
    try:
        with connected(target) as connection:
            return (
                *_connection(target, connection),
                *_rights(connection),
                *(each for name in target.settings.get("privileges") or () for each in _privilege(connection, name)),
                *_lasting(connection),
                *_settings(connection),
            )
    except ConnectorError as error:
        return (Check("connection", False, error.sentence),)


def _connection(target: Target, connection: Connection) -> tuple[Check, ...]:
    row = connection.execute(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8 AS now,"
        " current_setting('server_version') AS version"
    ).fetchone()
    now, name = (row["now"], row["version"]) if row else (0, "unknown")
    skew = abs(time.time_ns() // 1_000_000 - now)
    major = roles.version(connection)
    watched, taken = watchdog.is_held(connection), watchdog.lock_taken(connection)
    return (
        Check("connection", True, f"The target answers; PostgreSQL {name}."),
        Check("version", major >= 15, "Version 15 or later." if major >= 15 else "Version 15 or later is needed."),
        _tls(target, connection),
        Check("clock", skew < 1000, _skewed(skew)),
        Check(
            "watchdog",
            watched or None,  # none runs on a target that was never opened, and that is no fault
            "A watchdog runs on the target." if watched else "No watchdog runs on the target; opening starts one.",
        ),
        *((Check("watchdog lock", False, taken),) if taken else ()),
    )


def _skewed(skew: int) -> str:
    said = f"The target's clock differs from ours by {skew} ms"
    return f"{said}." if skew < 1000 else f"{said}; set both by the same time server."


def _tls(target: Target, connection: Connection) -> Check:
    """Outside loopback a connection without a verified certificate was refused before it was made."""
    if connection.pgconn.ssl_in_use:
        return Check("tls", True, "The connection is encrypted.")
    host = str(target.settings["host"])
    if is_loopback(host):
        return Check("tls", None, "The connection is not encrypted; it stays on this machine.")
    return Check("tls", False, "The connection is not encrypted and leaves this machine.")


def _rights(connection: Connection) -> tuple[Check, ...]:
    row = connection.execute(RIGHTS).fetchone() or {}
    wide = roles.version(connection) < 16
    has = {"superuser": not row["rolsuper"], "createrole": row["rolcreaterole"], **{name: row[name] for name in ("signal", "stats")},
           "statements": row["logging"]}  # fmt: skip
    found = [
        Check(name, bool(has[name]), well if has[name] else not_well) for name, (well, not_well) in RIGHTS_SAY.items()
    ]
    if wide:
        found.append(Check("createrole 15", None, "On version 15 CREATEROLE is as good as superuser; 16 limits it."))
    return tuple(found)


def _privilege(connection: Connection, name: str) -> tuple[Check, ...]:
    row = connection.execute(PRIVILEGE, [name]).fetchone()
    if row is None:
        return (Check(f"privilege {name}", False, f"There is no role {name} on the target."),)
    found = [
        Check(
            f"privilege {name}",
            row["admin"],
            f"The portal can give {name}."
            if row["admin"]
            else f"The portal cannot give {name}: it needs GRANT {name} TO its login WITH ADMIN OPTION.",
        )
    ]
    notes = (
        (row["rolcanlogin"], f"{name} can log in by itself; a privilege role should be NOLOGIN."),
        (row["rolsuper"], f"{name} is a superuser: after a grant the catalogue alone is evidence of what is left."),
        (row["rolcreaterole"], f"{name} can make roles, so a responder can leave another login."),
        (row["owns"], f"{name} owns objects, so a responder can leave triggers, functions and rights on them."),
    )
    return (*found, *(Check(f"privilege {name}", None, sentence) for noted, sentence in notes if noted))


def _lasting(connection: Connection) -> tuple[Check, ...]:
    """Logins that were handed to the portal and last, such as one that lies on offline cards: used while the portal is dead, only the target's log tells."""
    return tuple(
        Check(
            f"account {role.name}",
            logged,
            f"Each statement of {role.name} is logged."
            if logged
            else f"The statements of {role.name} may not be logged: its next password sets that, and takes GRANT SET ON PARAMETER log_statement.",
        )
        for role, logged in roles.lasting(connection)
    )


def _settings(connection: Connection) -> tuple[Check, ...]:
    values = {
        row["name"]: row["setting"]
        for row in connection.execute(
            "SELECT name, setting FROM pg_show_all_settings() WHERE name = ANY (%s)", [list(SETTINGS)]
        )
    }
    found = [
        Check(
            name, values.get(name) in good, f"{name} is {values.get(name)}." if values.get(name) in good else sentence
        )
        for name, (good, sentence) in SETTINGS.items()
    ]
    row = connection.execute("SELECT current_setting('log_destination') AS value").fetchone()
    json = bool(row and "jsonlog" in row["value"])
    return (*found, Check("log_destination", json, "jsonlog is written." if json else "log_destination lacks jsonlog."))


def dry_run(target: Target, privilege: str, minutes: int) -> tuple[str, ...]:
    """What opening would do. Nothing is changed."""
    settings = target.settings
    with connected(target) as connection:
        checks = _privilege(connection, privilege)
        rights = _rights(connection)
        watched = watchdog.is_held(connection)
        logged = next(each.ok for each in rights if each.name == "statements")
    return (
        f"A new login bg_<number> would be made on {settings['host']}:{settings['port']}.",
        f"It would be meant for the database {settings['dbname']}.",
        f"It could act as {privilege} and would start as it, in at most 3 sessions at once.",
        f"It could log in for {minutes} minute{'' if minutes == 1 else 's'}; then the portal, or the target's watchdog, ends its sessions.",
        "Each of its statements would be written to the target's log."
        if logged
        else "Its statements would not be logged: the portal's login lacks SET ON PARAMETER log_statement.",
        "A watchdog runs on the target." if watched else "A watchdog would be started on the target.",
        *(each.sentence for each in checks if each.ok is not True),
        *(each.sentence for each in rights if each.ok is False),
    )
