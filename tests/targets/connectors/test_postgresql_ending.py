"""Ending a grant on a real server whose responder does not want to go."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from portal.connectors.base import Closing, Snapshot
from portal.connectors.postgresql.ending import CLOSE_STEPS
from tests.servers import wait_until
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of


@pytest.fixture
def before(postgres: PostgresTarget) -> Snapshot:
    """The catalogue before opening, as the portal would keep it: through JSON."""
    return Snapshot.from_json(postgres.connector.prepare(postgres.target).as_json())


@pytest.fixture
def closing(postgres: PostgresTarget, before: Snapshot) -> Iterator[Closing]:
    """An open grant; what a test leaves of it is removed as an administrator would."""
    opening = postgres.opening()
    yield closing_of(opening, postgres.connector.open(postgres.target, opening))
    with postgres.superuser() as connection:
        if connection.execute("SELECT to_regrole(%s)", [opening.login]).fetchone() != (None,):
            connection.execute(f"ALTER ROLE {opening.login} NOLOGIN")
            connection.execute(f"DROP OWNED BY {opening.login} CASCADE")
            connection.execute(f"DROP ROLE {opening.login}")


def kinds(found: tuple[object, ...]) -> list[str]:
    """The kinds of remainders, sorted, each once."""
    return sorted({each.kind for each in found})  # type: ignore[attr-defined]  # remainders, told by the caller


def test_close_leaves_nothing(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    closed = postgres.connector.close(postgres.target, closing)
    assert (closed.marker_ref, closed.removed, closed.remainders) == (closing.marker_ref, True, ())
    assert closed.statement_logging
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    assert (result.clear, result.remainders, result.drift) == (True, (), ())
    assert not postgres.can_log_in(closing.login)


@pytest.mark.parametrize(
    ("everywhere", "own", "logged"),
    [
        ("none", "RESET log_statement", False),
        ("all", "RESET log_statement", True),
        ("all", "SET log_statement = 'none'", False),
        ("all", "IN DATABASE shop SET log_statement = 'none'", False),
    ],
)
def test_close_says_whether_statements_were_still_logged(
    postgres: PostgresTarget, closing: Closing, everywhere: str, own: str, logged: bool
) -> None:
    with postgres.superuser() as owner:
        owner.execute(f"ALTER ROLE {closing.login} {own}")
        _log_everywhere(owner, everywhere)
        try:
            assert postgres.connector.close(postgres.target, closing).statement_logging is logged
        finally:
            _log_everywhere(owner, "none")


def _log_everywhere(owner: "psycopg.Connection[Any]", value: str) -> None:
    owner.execute(f"ALTER SYSTEM SET log_statement = '{value}'")
    owner.execute("SELECT pg_reload_conf()")
    wait_until(lambda: owner.execute("SHOW log_statement").fetchone() == (value,), "the server to take it")


def test_close_reports_each_step_in_order(postgres: PostgresTarget, closing: Closing) -> None:
    seen: list[str] = []
    postgres.connector.close(postgres.target, closing, step=seen.append)
    assert tuple(seen) == CLOSE_STEPS


def test_read_back_of_an_open_grant_is_not_clear(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    with postgres.login(closing.login):
        result = postgres.connector.read_back(postgres.target, closing, before=before)
    assert not result.clear
    assert kinds(result.remainders) == ["live session", "login", "membership"]


@pytest.mark.parametrize("words", ["SET ROLE NONE", "RESET ROLE", "SET ROLE billing_admin", "BEGIN; TABLE billing"])
def test_kept_session_is_ended(postgres: PostgresTarget, closing: Closing, words: str) -> None:
    session = postgres.login(closing.login)
    for each in words.split("; "):
        session.execute(each.encode())
    closed = postgres.connector.close(postgres.target, closing)
    assert closed.sessions_ended == 1
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")
    session.close()


def test_session_that_sneaks_in_slowly_never_acts(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    outcome: list[str] = []

    def sneak() -> None:
        try:
            with postgres.login(closing.login, options="-c post_auth_delay=4") as session:
                session.execute("UPDATE billing SET amount = 0")
                outcome.append("acted")
        except psycopg.OperationalError:
            outcome.append("cut off")

    thread = threading.Thread(target=sneak)
    thread.start()
    with postgres.superuser() as connection:
        wait_until(lambda: _starting(connection) == 1, "the slow login to be past its password")
        postgres.connector.close(postgres.target, closing)
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        assert (result.clear, result.remainders) == (True, ())
        thread.join()
        assert outcome == ["cut off"]
        assert connection.execute("SELECT sum(amount) FROM billing").fetchone() == (150,)


def _starting(connection: psycopg.Connection[tuple[int, ...]]) -> int:
    """Sessions with a virtual transaction and no user in the list of sessions."""
    row = connection.execute(
        "SELECT count(DISTINCT l.pid) FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE l.locktype = 'virtualxid' AND a.usesysid IS NULL"
    ).fetchone()
    return row[0] if row else 0


def test_logins_without_pause_are_all_ended(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    stop, sessions = threading.Event(), list[psycopg.Connection[tuple[object, ...]]]()

    def hammer() -> None:
        while not stop.is_set():
            try:
                sessions.append(postgres.login(closing.login))
            except psycopg.OperationalError:
                continue

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for each in threads:
        each.start()
    wait_until(lambda: sessions, "the first login")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    stop.set()
    for each in threads:
        each.join()
    assert [each for each in result.remainders if each.kind != "starting session"] == []
    for session in sessions:
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        session.close()


def test_owned_objects_keep_the_role_and_are_told(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    with postgres.login(closing.login) as session:
        session.execute("SET ROLE NONE")
        session.execute("SELECT lo_create(4711)")
    closed = postgres.connector.close(postgres.target, closing)
    assert (closed.removed, kinds(closed.remainders)) == (False, ["owned object"])
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    assert result.clear
    assert kinds(result.drift) == ["large object changed", "owned object", "role kept"]
    assert "large object 4711" in " ".join(each.detail for each in result.drift)
    assert postgres.role(closing.login) == (int(closing.marker_ref), False)
    # Once somebody has looked and removed it, closing again finishes the work.
    with postgres.superuser() as connection:
        connection.execute("SELECT lo_unlink(4711)")
    assert postgres.connector.close(postgres.target, closing).removed
    assert postgres.role(closing.login) is None


def test_prepared_transaction_is_a_finding_and_left_alone(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    with postgres.login(closing.login) as session:
        session.execute("BEGIN")
        session.execute("UPDATE billing SET amount = 0")
        session.execute("PREPARE TRANSACTION 'later'")
    with postgres.superuser() as connection:
        try:
            assert postgres.connector.close(postgres.target, closing).removed
            result = postgres.connector.read_back(postgres.target, closing, before=before)
            without = postgres.connector.read_back(postgres.target, closing, before=None)
            assert connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall() == [("later",)]
        finally:
            connection.execute("ROLLBACK PREPARED 'later'")
    assert (result.clear, kinds(result.drift)) == (True, ["prepared transaction"])
    assert kinds(without.drift) == ["prepared transaction"]


def test_prepared_transaction_of_before_is_no_finding(postgres: PostgresTarget) -> None:
    with postgres.superuser() as connection:
        connection.execute("BEGIN")
        connection.execute("PREPARE TRANSACTION 'older'")
        before = postgres.connector.prepare(postgres.target)
        opening = postgres.opening()
        closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
        postgres.connector.close(postgres.target, closing)
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        connection.execute("ROLLBACK PREPARED 'older'")
    assert (result.clear, result.drift) == (True, ())


def test_two_grants_of_one_privilege_do_not_end_each_other(postgres: PostgresTarget, closing: Closing) -> None:
    other = postgres.opening()
    before = postgres.connector.prepare(postgres.target)
    postgres.connector.open(postgres.target, other)
    with postgres.login(other.login) as session:
        postgres.connector.close(postgres.target, closing)
        assert postgres.connector.read_back(postgres.target, closing, before=before).clear
        assert session.execute("SELECT current_user").fetchone() == ("billing_admin",)
        assert postgres.can_log_in(other.login)
    postgres.connector.close(postgres.target, other.closing())


def test_renamed_login_is_ended_by_its_oid(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    with postgres.superuser() as connection:
        connection.execute(f"ALTER ROLE {closing.login} RENAME TO somebody")
        connection.execute("COMMENT ON ROLE somebody IS NULL")
    told = postgres.connector.read_back(postgres.target, closing, before=before)
    assert not told.clear
    assert "marker changed" in kinds(told.drift)
    assert postgres.connector.close(postgres.target, closing).removed
    assert postgres.connector.read_back(postgres.target, closing, before=before).clear
    assert postgres.role("somebody") is None


def test_session_whose_role_was_dropped_is_still_found(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    session = postgres.login(closing.login)
    with postgres.superuser() as connection:
        connection.execute(f"DROP ROLE {closing.login}")
    told = postgres.connector.read_back(postgres.target, closing, before=before)
    assert kinds(told.remainders) == ["live session", "session without a role"]
    assert postgres.connector.close(postgres.target, closing).sessions_ended == 1
    assert postgres.connector.read_back(postgres.target, closing, before=before).clear
    session.close()


def test_namesake_made_after_the_end_is_not_touched(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    postgres.connector.close(postgres.target, closing)
    with postgres.superuser() as connection:
        connection.execute(f"CREATE ROLE {closing.login} LOGIN")
        postgres.connector.close(postgres.target, closing)
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        assert connection.execute(
            "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [closing.login]
        ).fetchall() == [(True,)]
        connection.execute(f"DROP ROLE {closing.login}")
    assert "foreign role" in kinds(result.drift)


def test_setting_left_on_the_privilege_is_a_finding(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    with postgres.login(closing.login) as session:
        session.execute("ALTER ROLE billing_admin SET search_path = evil")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    with postgres.superuser() as connection:
        connection.execute("ALTER ROLE billing_admin RESET ALL")
    assert result.clear
    assert [each.detail for each in result.drift] == ["Role setting billing_admin in (all): new."]


def test_objects_of_the_privilege_are_findings(postgres: PostgresTarget, before: Snapshot, closing: Closing) -> None:
    with postgres.login(closing.login) as session:
        session.execute("CREATE FUNCTION door() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
        session.execute("CREATE TABLE copy_of_billing AS TABLE billing")
        session.execute("GRANT SELECT ON copy_of_billing TO PUBLIC")
        session.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
    postgres.connector.close(postgres.target, closing)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    with postgres.superuser() as connection:
        connection.execute("DROP FUNCTION door")
        connection.execute("DROP TABLE copy_of_billing")
        connection.execute("ALTER DEFAULT PRIVILEGES FOR ROLE billing_admin REVOKE SELECT ON TABLES FROM PUBLIC")
    assert result.clear
    assert kinds(result.drift) == ["default right changed", "function changed", "relation changed"]
    assert "Function public.door(): new." in [each.detail for each in result.drift]
