"""An account that lasts on a real server: it logs in only while somebody holds it, and its password is another one afterwards."""

import json
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


def test_statements_of_an_account_that_is_never_unsealed_are_in_the_targets_own_log(vault: PostgresTarget) -> None:
    """One that lies on offline cards is given a password, and nothing else. The server itself logs no statement."""
    keeper, password = PostgreSQLKeeper(), make_password()
    keeper.rotate(vault.target, NAME, password)
    with log_in(vault, password) as session:
        session.execute("SET ROLE billing_admin; SELECT count(*) AS last_resort FROM billing")
    with vault.superuser() as connection:
        assert connection.execute("SHOW log_statement").fetchone() == ("none",)
    logged = [
        json.loads(line) for path in vault.server.log_folder.glob("*.json") for line in path.read_text().splitlines()
    ]
    mine = [each["message"] for each in logged if each.get("user") == NAME and "last_resort" in each.get("message", "")]
    assert mine == ["statement: SET ROLE billing_admin; SELECT count(*) AS last_resort FROM billing"]
    standing = keeper.look(vault.target, NAME)
    assert standing is not None
    assert standing.logged


def test_connection_test_says_whether_the_statements_of_such_an_account_are_logged(vault: PostgresTarget) -> None:
    keeper = PostgreSQLKeeper()
    with vault.superuser() as connection:
        connection.execute("REVOKE SET ON PARAMETER log_statement FROM bg_portal")
        try:
            keeper.rotate(vault.target, NAME, make_password())
        finally:
            connection.execute("GRANT SET ON PARAMETER log_statement TO bg_portal")
    assert said_of(vault) == (False, True)
    keeper.rotate(vault.target, NAME, make_password())
    assert said_of(vault) == (True, False)
    keeper.seal(vault.target, NAME)  # what cannot log in is another matter
    assert [each for each in vault.connector.test(vault.target) if each.name.startswith("account ")] == []


def said_of(vault: PostgresTarget) -> tuple[bool | None, bool]:
    """Whether it is well, and whether the sentence says that they may not be logged."""
    (check,) = [each for each in vault.connector.test(vault.target) if each.name == f"account {NAME}"]
    return check.ok, "may not be logged" in check.sentence
