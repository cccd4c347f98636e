"""What the embedded servers hold before anything is migrated: login roles and empty databases."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

PORTAL_DATABASE = "breakglass"
TARGET_DATABASE = "shop"
# Roles may only log in; what each of them may do is granted by the migrations.
ROLES = ("owner", "web", "sealer", "eraser", "reader", "rehearser")

# So that neither errors nor their details carry personal values into the server's own log.
PORTAL_SETTINGS = {
    "cluster_name": "portal",
    "max_connections": "200",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# A target as its owner would run it: connections are logged for all, statements only for the roles of grants.
TARGET_SETTINGS = {
    "cluster_name": "target",
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_filename": "postgresql-%Y-%m-%d_%H%M%S.log",
    "log_file_mode": "0640",
    "log_rotation_age": "1d",
    "log_rotation_size": "10MB",
    "log_truncate_on_rotation": "off",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_statement": "none",
    "log_parameter_max_length": "-1",
}


def role_name(role: str) -> str:
    return f"breakglass_{role}"


def prepare_portal(superuser_url: str, passwords: Mapping[str, str], *, can_make_databases: bool = False) -> None:
    """The six login roles with their passwords, and the empty database of the owner. May be run again.

    Who rehearses restores makes databases of its own, and so does the owner in tests.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role in ROLES:
            _set_role(connection, role_name(role), passwords[role])
        for role in ("rehearser", *(("owner",) if can_make_databases else ())):
            connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(role_name(role))))
        make_database(connection, PORTAL_DATABASE, owner=role_name("owner"))


def prepare_target(superuser_url: str) -> None:
    """The empty database of the shop. May be run again."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        make_database(connection, TARGET_DATABASE)


def make_database(connection: psycopg.Connection, name: str, owner: str | None = None) -> None:
    """The database, unless it is there."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if owner:
        statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
    connection.execute(statement)


def _set_role(connection: psycopg.Connection, name: str, password: str) -> None:
    """The server is told a verifier only: a statement with a password could end in its log."""
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(verifier))
    )
