"""A PostgreSQL target set up as docs/targets/postgresql.md says, and hands to act on it as a responder would."""

import itertools
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from portal.connectors.base import Closing, Opened, Opening, Secret, Target
from portal.connectors.postgresql import PostgreSQL
from tests.servers import Postgres, wait_until

NUMBERS = itertools.count(1)

SET_UP = """
CREATE ROLE billing_admin NOLOGIN;
CREATE ROLE role_maker NOLOGIN CREATEROLE;
GRANT billing_admin TO role_maker WITH ADMIN OPTION;
CREATE TABLE billing (id int PRIMARY KEY, amount int NOT NULL);
INSERT INTO billing SELECT n, n * 10 FROM generate_series(1, 5) n;
GRANT SELECT, INSERT, UPDATE ON billing TO billing_admin;
GRANT CREATE, USAGE ON SCHEMA public TO billing_admin;
CREATE ROLE bg_portal LOGIN CREATEROLE PASSWORD '{password}';
GRANT pg_signal_backend, pg_read_all_stats TO bg_portal;
GRANT SET ON PARAMETER log_statement TO bg_portal;
"""
GIVE = {
    True: "GRANT billing_admin, role_maker TO bg_portal WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    False: "GRANT billing_admin, role_maker TO bg_portal WITH ADMIN OPTION",
}


def now_ms() -> int:
    """Now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass
class PostgresTarget:
    """The server, how the portal reaches it, and the passwords of the grants made by `opening`."""

    server: Postgres
    target: Target
    connector: PostgreSQL = field(default_factory=PostgreSQL)
    passwords: dict[str, Secret] = field(default_factory=dict)

    def superuser(self) -> psycopg.Connection[Any]:
        """A superuser's connection in autocommit, in the target's database."""
        return psycopg.connect(self.server.url(database="shop"), autocommit=True, row_factory=tuple_row)

    def opening(self, privilege: str = "billing_admin", *, seconds: float = 600) -> Opening:
        """A new grant's opening."""
        number, password = next(NUMBERS), self.connector.make_secret()
        verifier = self.connector.verifier(self.target, f"bg_{number}", password)
        self.passwords[f"bg_{number}"] = password
        expires = now_ms() + int(seconds * 1000)
        return Opening(f"grant-{number}", number, secrets.token_hex(8), privilege, verifier, expires)

    def login(self, login: str, *, options: str = "") -> psycopg.Connection[Any]:
        """Log in as a grant."""
        password = self.passwords[login].reveal()
        url = self.server.url(login, password, "shop")
        return psycopg.connect(url, autocommit=True, row_factory=tuple_row, options=options)

    def can_log_in(self, login: str) -> bool:
        """Does the server let this grant's login in."""
        try:
            self.login(login).close()
        except psycopg.OperationalError:
            return False
        return True

    def role(self, login: str) -> tuple[Any, ...] | None:
        """(oid, can log in) as a superuser sees it."""
        with self.superuser() as connection:
            return connection.execute("SELECT oid, rolcanlogin FROM pg_roles WHERE rolname = %s", [login]).fetchone()

    def end_watchdog(self) -> None:
        """End the watchdog, whoever started it, and wait until it is gone."""
        look = "SELECT pid FROM pg_stat_activity WHERE application_name = 'breakglass watchdog'"
        with self.superuser() as connection:
            connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({look}) w")
            wait_until(lambda: not connection.execute(look).fetchall(), "the watchdog to be gone")


def closing_of(opening: Opening, opened: Opened) -> Closing:
    """What the portal would have kept of an opening."""
    return opening.closing(marker_ref=opened.marker_ref, opened_at_ms=opened.provisioned_at_ms)


@contextmanager
def set_up(server: Postgres) -> Iterator[PostgresTarget]:
    """Make the portal's login and the business data on a new server."""
    password = secrets.token_hex(16)
    with psycopg.connect(server.url(database="shop"), autocommit=True) as connection:
        connection.execute(SET_UP.format(password=password).encode())
        connection.execute(GIVE[connection.info.server_version >= 160000])
    settings = {
        "host": "127.0.0.1",
        "port": server.port,
        "dbname": "shop",
        "user": "bg_portal",
        "privileges": ["billing_admin", "role_maker"],
    }
    yield PostgresTarget(server, Target("shop", "postgresql", settings, Secret(password)))
