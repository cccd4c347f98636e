"""An account that lasts on a real server: it logs in only while somebody holds it, and its password is another one afterwards."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from audit.sources.postgresql.sessions import LOGIN_TEST as KNOWN_TO_THE_READER
from portal.connectors.base import Closing, Opening, Secret
from portal.connectors.errors import Gone, TargetRefused
from portal.connectors.postgresql.secrets import make_password
from portal.connectors.sealed import Account, Sealed
from portal.connectors.sealed.postgresql import LOGIN_TEST, PostgreSQLKeeper
from tests.targets.connectors.postgresql_target import PostgresTarget

NAME = "shop_vault"


@pytest.fixture
def vault(postgres: PostgresTarget) -> Iterator[PostgresTarget]:
    """The account as docs/targets/postgresql.md says that an owner makes it."""
    with postgres.superuser() as connection:
        old = connection.info.server_version < 160000
        connection.execute(f"CREATE ROLE {NAME} NOLOGIN")
        connection.execute(f"GRANT billing_admin TO {NAME}")
        options = "WITH ADMIN OPTION" if old else "WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
        connection.execute(f"GRANT {NAME} TO bg_portal {options}")
    yield postgres
    with postgres.superuser() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [NAME])
        connection.execute(f"DROP OWNED BY {NAME}; DROP ROLE {NAME}")


def opening(seconds: float = 600) -> Opening:
    return Opening("g", 1, "n", NAME, Secret(""), time.time_ns() // 1_000_000 + int(seconds * 1000))


def log_in(target: PostgresTarget, password: Secret) -> psycopg.Connection:
    return psycopg.connect(target.server.url(NAME, password.reveal(), "shop"), autocommit=True)


def test_whole_life_of_a_holding(vault: PostgresTarget) -> None:
    keeper, first, second = PostgreSQLKeeper(), make_password(), make_password()
    keeper.rotate(vault.target, NAME, first)
    assert keeper.tries_login(vault.target, NAME, first)
    assert not keeper.tries_login(vault.target, NAME, second)
    keeper.seal(vault.target, NAME)
    with pytest.raises(psycopg.OperationalError):
        log_in(vault, first)

    held = Sealed(keeper, Account(NAME, kept=True))
    before = held.prepare(vault.target)
    opened = held.open(vault.target, opening())
    assert (opened.login, opened.marker, opened.statement_logging, opened.superuser) == (NAME, NAME, True, False)
    session = log_in(vault, first)
    session.execute("SET ROLE billing_admin; SELECT count(*) FROM billing")

    closing = Closing("g", 1, "n", NAME, opened.marker_ref)
    closed = Sealed(keeper, Account(NAME, kept=True, new_password=second)).close(vault.target, closing)
    assert (closed.sessions_ended, closed.login_taken) == (1, True)
    assert closed.rotated_at_ms is not None
    assert closed.tested_at_ms is not None
    assert closed.tested_at_ms > closed.rotated_at_ms
    with pytest.raises(psycopg.Error):
        session.execute("SELECT 1")
    found = held.read_back(vault.target, closing, before=before)
    assert (found.clear, found.remainders) == (True, ())
    held.open(vault.target, opening())
    with pytest.raises(psycopg.OperationalError):
        log_in(vault, first)
    log_in(vault, second).close()
    assert held.read_back(vault.target, closing, before=None).remainders[0].kind == "login"


def test_target_itself_ends_what_the_portal_cannot(vault: PostgresTarget) -> None:
    keeper, password = PostgreSQLKeeper(), make_password()
    keeper.rotate(vault.target, NAME, password)
    Sealed(keeper, Account(NAME, kept=True)).open(vault.target, opening(0.4))
    time_over = keeper.look(vault.target, NAME)
    assert time_over is not None
    until = time.monotonic() + 20
    while keeper.tries_login(vault.target, NAME, password):
        assert time.monotonic() < until


def test_login_test_leaves_no_session_and_needs_no_database(vault: PostgresTarget) -> None:
    keeper, password = PostgreSQLKeeper(), make_password()
    keeper.rotate(vault.target, NAME, password)
    with vault.superuser() as connection:
        sessions = "SELECT sum(sessions) FROM pg_stat_database"
        assert keeper.tries_login(vault.target, NAME, password)
        assert connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [NAME]).fetchone() == (0,)
        assert connection.execute(sessions).fetchone() is not None
    assert LOGIN_TEST == KNOWN_TO_THE_READER


def test_what_is_not_there_or_not_ours_to_change_is_said(vault: PostgresTarget) -> None:
    keeper = PostgreSQLKeeper()
    assert keeper.look(vault.target, "nobody_of_that_name") is None
    with pytest.raises(Gone):
        Sealed(keeper, Account("nobody_of_that_name", kept=True)).open(vault.target, opening())
    with pytest.raises(TargetRefused):
        keeper.rotate(vault.target, "portal_super", make_password())
