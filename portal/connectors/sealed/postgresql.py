"""Accounts that last on a PostgreSQL server of version 15 and later. See docs/targets/postgresql.md for the rights that it takes.

Between uses the account cannot log in at all. A superuser's account cannot be kept so: nobody without that right changes one.
"""

from contextlib import suppress

import psycopg

from portal.connectors.base import Remainder, Secret, Snapshot, Target
from portal.connectors.errors import Gone, TargetRefused
from portal.connectors.postgresql import catalogue, roles, sessions
from portal.connectors.postgresql.connection import Connection, connected, explained, parameters, statement
from portal.connectors.postgresql.opening import timestamp
from portal.connectors.postgresql.secrets import scram_verifier
from portal.connectors.sealed.keeper import Standing

LOGIN_TEST = "breakglass_login_test"
"""A database that does not exist. The server checks the password first and looks for the database then (it writes
"connection authorized" between the two), so the answer tells whether the password is right, and no session comes of it."""


class PostgreSQLKeeper:
    """Each method is one short connection as the portal's own login."""

    looks = True
    keeps = True

    def look(self, target: Target, account: str) -> Standing | None:
        """The role of that name."""
        with connected(target) as connection:
            role = roles.by_name(connection, account)
            if role is None:
                return None
            logged, superuser = roles.is_logged(connection, role), roles.is_superuser(connection, role)
        return Standing(str(role.oid), role.can_login, logged, superuser)

    def snapshot(self, target: Target) -> Snapshot:
        """The catalogue."""
        return catalogue.look(target)

    def drift(self, target: Target, before: Snapshot) -> tuple[Remainder, ...]:
        """What else changed in the catalogue."""
        return tuple(catalogue.compare(before, catalogue.look(target)))

    def unseal(self, target: Target, account: str, *, expires_at_ms: int) -> None:
        """LOGIN until the end; its statements are logged where the portal may set that."""
        with connected(target) as connection:
            until = timestamp(expires_at_ms)
            connection.execute(
                statement("ALTER ROLE {n_account} LOGIN VALID UNTIL {until}", n_account=account, until=until)
            )
            _log_statements(connection, account)

    def rotate(self, target: Target, account: str, password: Secret) -> None:
        """Only the verifier goes to the server. LOGIN, so that the test that follows can tell.

        Its statements are logged before anybody can know the password: an account on offline cards is never unsealed.
        """
        verifier = scram_verifier(password).reveal()
        with connected(target) as connection:
            _log_statements(connection, account)
            connection.execute(
                statement(
                    "ALTER ROLE {n_account} LOGIN VALID UNTIL 'infinity' PASSWORD {verifier}",
                    n_account=account,
                    verifier=verifier,
                )
            )

    def tries_login(self, target: Target, account: str, password: Secret) -> bool:
        """Ask for a database that does not exist: refused for that alone, the password was right."""
        given = parameters(target) | {"user": account, "password": password.reveal(), "dbname": LOGIN_TEST}
        given.pop("options")
        try:
            psycopg.connect(**given).close()
        except psycopg.OperationalError as error:
            said = str(error)
            if f'"{LOGIN_TEST}"' in said and "pg_hba" not in said:
                return True
            if "password authentication failed" in said:
                return False
            raise explained(target, error) from None
        raise TargetRefused(
            f"The target has a database {LOGIN_TEST}, which must not exist: a login test would leave a session in it."
        )

    def seal(self, target: Target, account: str) -> None:
        """NOLOGIN."""
        with connected(target) as connection:
            connection.execute(statement("ALTER ROLE {n_account} NOLOGIN VALID UNTIL '-infinity'", n_account=account))

    def end_sessions(self, target: Target, account: str) -> int:
        """All of them, starting ones too."""
        with connected(target) as connection:
            return sessions.end(connection, _oid(connection, account))[0]

    def sessions(self, target: Target, account: str) -> tuple[str, ...]:
        """By their process ids."""
        with connected(target) as connection:
            return tuple(str(pid) for pid in sorted(sessions.live(connection, _oid(connection, account))))


def _log_statements(connection: Connection, account: str) -> None:
    """Where the portal may not set that, the look that follows finds it absent and says so."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement("ALTER ROLE {n_account} SET log_statement = 'all'", n_account=account))


def _oid(connection: Connection, account: str) -> int:
    role = roles.by_name(connection, account)
    if role is None:
        raise Gone(f"The target has no role {account}.")
    return role.oid
