"""What a responder may leave behind. All of it is told and none is cleaned: cleaning would destroy the trace."""

from portal.connectors.base import Closing, Remainder
from portal.connectors.postgresql.connection import Connection

DEPENDANTS = """
SELECT coalesce(db.datname, '') AS db, d.deptype::text AS how,
       CASE WHEN d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
            THEN pg_describe_object(d.classid, d.objid, d.objsubid)
            ELSE d.classid::regclass::text || ' ' || d.objid END AS what
FROM pg_shdepend d LEFT JOIN pg_database db ON db.oid = d.dbid
WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = %s ORDER BY 1, 3, 2
"""
HOW = {"o": "owns", "a": "has rights on", "i": "has initial rights on", "r": "is named in the policy", "t": "uses"}

GIVEN_ON = """
SELECT p.rolname AS privilege, m.rolname AS member, g.rolname AS by_name, am.roleid = %(oid)s AS itself
FROM pg_auth_members am JOIN pg_roles p ON p.oid = am.roleid JOIN pg_roles m ON m.oid = am.member
LEFT JOIN pg_roles g ON g.oid = am.grantor
WHERE (am.grantor = %(oid)s OR am.roleid = %(oid)s) AND am.member <> %(oid)s AND m.rolname <> current_user
ORDER BY 1, 2
"""

# 15 and older: the grantor may be a role that was dropped, and the membership it gave on goes on working.
DANGLING = """
SELECT p.rolname AS privilege, m.rolname AS member FROM pg_auth_members am
JOIN pg_roles p ON p.oid = am.roleid JOIN pg_roles m ON m.oid = am.member
WHERE NOT EXISTS (SELECT FROM pg_roles g WHERE g.oid = am.grantor) ORDER BY 1, 2
"""

# A session in the privilege through a login it was given on to keeps working after the revoke.
THROUGH = """
WITH RECURSIVE able AS (
  SELECT member FROM pg_auth_members WHERE roleid = %(oid)s
  UNION SELECT am.member FROM pg_auth_members am JOIN able ON am.roleid = able.member)
SELECT a.pid, r.rolname FROM pg_stat_activity a
JOIN able ON able.member = a.usesysid JOIN pg_roles r ON r.oid = a.usesysid
WHERE r.rolname <> current_user AND r.oid <> %(oid)s ORDER BY a.pid
"""

OWNERLESS = """
SELECT a.pid, a.usesysid::int8 AS oid FROM pg_stat_activity a WHERE a.backend_type = 'client backend'
AND a.usesysid <> 0 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.usesysid) ORDER BY a.pid
"""

PREPARED = """
SELECT gid, owner::text AS owner, database::text AS db, prepared >= to_timestamp(%s / 1000.0) AS since
FROM pg_prepared_xacts ORDER BY prepared, gid
"""


def of_role(connection: Connection, oid: int) -> list[Remainder]:
    """What hangs on the login role itself and would hinder, or vanish with, its removal."""
    found = [
        Remainder(
            "owned object" if row["how"] == "o" else "dependent object",
            f"The grant's login {HOW.get(row['how'], 'is tied to')} {row['what']}"
            + (f" in database {row['db']}." if row["db"] else "."),
        )
        for row in connection.execute(DEPENDANTS, [oid])
    ]
    settings = connection.execute(
        "SELECT d.datname AS db, unnest(s.setconfig) AS setting FROM pg_db_role_setting s"
        " JOIN pg_database d ON d.oid = s.setdatabase WHERE s.setrole = %s ORDER BY 1, 2",
        [oid],
    )
    name = "role setting"
    return found + [
        Remainder(name, f"In database {row['db']} the grant's login was set to {row['setting'].split('=')[0]}.")
        for row in settings
    ]


def memberships_given_on(connection: Connection, oid: int) -> list[Remainder]:
    """Roles that the login gave to others: the privilege, or itself (15 lets every login give itself on)."""
    return [
        Remainder(
            "membership given on",
            f"{row['member']} was made a member of {row['privilege']}"
            + ("." if row["itself"] else " by the grant's login."),
        )
        for row in connection.execute(GIVEN_ON, {"oid": oid})
    ]


def dangling(connection: Connection) -> dict[str, str]:
    """Memberships whose giver is no longer there: 'privilege <- member' -> sentence."""
    return {
        f"{row['privilege']} <- {row['member']}": f"{row['member']} is a member of {row['privilege']}, given by a role "
        "that no longer exists."
        for row in connection.execute(DANGLING)
    }


def sessions_through(connection: Connection, oid: int) -> list[Remainder]:
    """Live sessions of logins that the grant's login was given on to."""
    return [
        Remainder(
            "session of another login", f"Session {row['pid']} of {row['rolname']} may act through the grant's login."
        )
        for row in connection.execute(THROUGH, {"oid": oid})
    ]


def ownerless(connection: Connection) -> list[Remainder]:
    """Live sessions whose role was dropped; they keep working."""
    return [
        Remainder("session without a role", f"Session {row['pid']} goes on, though its role {row['oid']} was dropped.")
        for row in connection.execute(OWNERLESS)
    ]


def prepared(connection: Connection, closing: Closing, known: set[str] | None) -> list[Remainder]:
    """Prepared transactions that were not there before; without a look before, those made since opening."""
    return [
        Remainder(
            "prepared transaction",
            f"Transaction {row['gid']!r} of {row['owner']} in {row['db']} is prepared and can still be committed.",
        )
        for row in connection.execute(PREPARED, [closing.opened_at_ms])
        if (row["since"] if known is None else row["gid"] not in known)
    ]
