"""Finding roles on a target: names may change, oids stay, and the comment says whose a role is."""

from dataclasses import dataclass
from typing import LiteralString

from portal.connectors.base import Closing
from portal.connectors.postgresql.connection import Connection

# A role is a grant's if its name and its comment have our shape. Used as a part of other queries: r is pg_roles.
OURS: LiteralString = (
    r"(r.rolname ~ '^bg_[0-9]+$' AND coalesce(shobj_description(r.oid, 'pg_authid'), '') LIKE 'breakglass grant %')"
)

FIND = """
SELECT r.oid::int8 AS oid, r.rolname AS name, r.rolcanlogin AS can_login,
       coalesce(shobj_description(r.oid, 'pg_authid'), '') AS comment,
       CASE WHEN isfinite(r.rolvaliduntil) THEN (extract(epoch FROM r.rolvaliduntil) * 1000)::int8 END AS until_ms,
       coalesce(r.rolvaliduntil = '-infinity', false) AS shut,
       EXISTS (SELECT FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0
                AND 'log_statement=all' = ANY (s.setconfig))
       AND NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setrole = r.oid
                AND s.setdatabase <> 0 AND c LIKE 'log_statement=%%' AND c <> 'log_statement=all') AS logged
FROM pg_roles r WHERE """


@dataclass(frozen=True)
class Role:
    """A role as the target shows it. `shut` is set by closing alone; `logged`: every statement of it is logged."""

    oid: int
    name: str
    can_login: bool
    comment: str
    until_ms: int | None
    shut: bool
    logged: bool


def by_name(connection: Connection, name: str) -> Role | None:
    """The role of that name."""
    row = connection.execute(FIND + "r.rolname = %s", [name]).fetchone()
    return Role(**row) if row else None


def by_oid(connection: Connection, oid: int) -> Role | None:
    """The role that has this oid, whatever it is called now."""
    row = connection.execute(FIND + "r.oid = %s", [oid]).fetchone()
    return Role(**row) if row else None


def of_grant(connection: Connection, closing: Closing) -> Role | None:
    """The role of this grant: by oid where it is known, else by name if it carries our comment."""
    if closing.marker_ref and (found := by_oid(connection, int(closing.marker_ref))):
        return found
    named = by_name(connection, closing.login)
    return named if named and named.comment == closing.comment else None


ALL_LOGGED = """
SELECT EXISTS (SELECT FROM pg_show_all_settings() WHERE name = 'log_statement' AND reset_val = 'all' AND source IN ('configuration file', 'command line'))
       AND NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c
                       WHERE s.setrole IN (%s, 0) AND c LIKE 'log_statement=%%' AND c <> 'log_statement=all') AS yes
"""


def is_logged(connection: Connection, role: Role) -> bool:
    """Whether every statement of it is logged: by its own setting, or with all of the server where none of its own says less."""
    return role.logged or bool((connection.execute(ALL_LOGGED, [role.oid]).fetchone() or {}).get("yes"))


HANDED_OVER: LiteralString = (
    "r.rolcanlogin AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles me ON me.oid = m.member"
    " WHERE m.roleid = r.oid AND me.rolname = current_user AND m.admin_option) AND NOT " + OURS.replace("%", "%%")
)


def lasting(connection: Connection) -> list[tuple[Role, bool]]:
    """Logins that were handed to the portal's own and are no grant's, by name; with whether every statement of them is logged."""
    found = [Role(**row) for row in connection.execute(FIND + HANDED_OVER + " ORDER BY r.rolname", [])]
    return [(role, is_logged(connection, role)) for role in found]


# By any membership, used by itself or by SET ROLE: who has it with ADMIN gives itself the rest. Before 16 a role that makes roles
# gives itself any that is no superuser, those that write the server's files among them.
UNBOUND = """
SELECT EXISTS (SELECT FROM pg_roles r WHERE pg_has_role(%s::oid, r.oid, 'MEMBER')
  AND (r.rolsuper OR (r.rolcreaterole AND current_setting('server_version_num')::int < 160000))) AS yes
"""


def is_superuser(connection: Connection, role: Role) -> bool:
    """Whether it is one, can become one, or is as good as one."""
    return bool((connection.execute(UNBOUND, [role.oid]).fetchone() or {}).get("yes"))


def version(connection: Connection) -> int:
    """Major version of the server."""
    return connection.info.server_version // 10_000
