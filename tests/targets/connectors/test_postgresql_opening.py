"""Opening and extending one grant on a real server."""

import dataclasses
import threading

import psycopg
import pytest

from portal.connectors.base import ForeignMarker, Gone, Opened, TargetRefused
from portal.connectors.postgresql.opening import OPEN_STEPS, UNBOUND
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of, now_ms


def test_open_gives_a_login_that_acts_as_the_privilege(postgres: PostgresTarget) -> None:
    opening = postgres.opening()
    opened = postgres.connector.open(postgres.target, opening)
    assert (opened.login, opened.marker, opened.database) == (opening.login, opening.login, "shop")
    assert opened.statement_logging
    with postgres.login(opening.login) as session:
        assert session.execute("SELECT session_user, current_user").fetchone() == (opening.login, "billing_admin")
        assert session.execute("SELECT sum(amount) FROM billing").fetchone() == (150,)
        assert session.execute("SHOW log_statement").fetchone() == ("all",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("DELETE FROM billing")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SET log_statement = 'none'")
    assert opened.marker_ref == str((postgres.role(opening.login) or [0])[0])
    postgres.connector.close(postgres.target, closing_of(opening, opened))


def test_open_reports_each_step_in_order(postgres: PostgresTarget) -> None:
    seen: list[str] = []
    opening = postgres.opening()
    opened = postgres.connector.open(postgres.target, opening, step=seen.append)
    assert tuple(seen) == OPEN_STEPS
    postgres.connector.close(postgres.target, closing_of(opening, opened))


def test_open_by_twelve_at_once_makes_one_login(postgres: PostgresTarget) -> None:
    opening, opened, errors = postgres.opening(), list[Opened](), list[Exception]()

    def work() -> None:
        try:
            opened.append(postgres.connector.open(postgres.target, opening))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert len(opened) == 12
    assert len({each.marker_ref for each in opened}) == 1
    assert postgres.can_log_in(opening.login)
    postgres.connector.close(postgres.target, closing_of(opening, opened[0]))


@pytest.mark.parametrize("comment", ["NULL", "'something else'", "'breakglass grant other abc'"])
def test_open_refuses_a_role_that_is_not_ours(postgres: PostgresTarget, comment: str) -> None:
    opening = postgres.opening()
    with postgres.superuser() as connection:
        connection.execute(f"CREATE ROLE {opening.login} NOLOGIN")
        connection.execute(f"COMMENT ON ROLE {opening.login} IS {comment}")
        before = connection.execute("SELECT * FROM pg_authid WHERE rolname = %s", [opening.login]).fetchall()
        with pytest.raises(ForeignMarker):
            postgres.connector.open(postgres.target, opening)
        with pytest.raises(ForeignMarker):
            postgres.connector.close(postgres.target, opening.closing())
        assert connection.execute("SELECT * FROM pg_authid WHERE rolname = %s", [opening.login]).fetchall() == before
        connection.execute(f"DROP ROLE {opening.login}")


def test_open_after_the_closing_began_does_not_raise_the_dead(postgres: PostgresTarget) -> None:
    opening = postgres.opening()
    opened = postgres.connector.open(postgres.target, opening)

    class Killed(Exception):
        pass

    def kill(step: str) -> None:
        if step == "login shut":
            raise Killed

    with pytest.raises(Killed):
        postgres.connector.close(postgres.target, closing_of(opening, opened), step=kill)
    with pytest.raises(Gone):
        postgres.connector.open(postgres.target, opening)
    assert not postgres.can_log_in(opening.login)
    postgres.connector.close(postgres.target, closing_of(opening, opened))


def test_open_past_the_end_is_refused(postgres: PostgresTarget) -> None:
    opening = postgres.opening(seconds=-1)
    with pytest.raises(TargetRefused):
        postgres.connector.open(postgres.target, opening)
    assert postgres.role(opening.login) is None


def test_open_without_the_right_to_log_statements_says_so(postgres: PostgresTarget) -> None:
    opening = postgres.opening()
    with postgres.superuser() as connection:
        connection.execute("REVOKE SET ON PARAMETER log_statement FROM bg_portal")
        try:
            opened = postgres.connector.open(postgres.target, opening)
        finally:
            connection.execute("GRANT SET ON PARAMETER log_statement TO bg_portal")
    assert not opened.statement_logging
    assert any("may not be logged" in warning for warning in opened.warnings)
    postgres.connector.close(postgres.target, closing_of(opening, opened))


def test_verifier_and_password_stay_out_of_errors_and_the_log(postgres: PostgresTarget) -> None:
    opening = postgres.opening("no_such_role")
    target = postgres.target
    allowed = type(target)(target.system_id, target.kind, {**target.settings, "privileges": None}, target.password)
    with pytest.raises(TargetRefused) as caught:
        postgres.connector.open(allowed, opening)
    secrets = (postgres.passwords[opening.login].reveal(), opening.verifier.reveal())
    told = str(caught.value) + repr(caught.value) + repr(opening) + repr(target) + str(caught.value.__cause__)
    assert not any(secret in told for secret in secrets)
    assert "no_such_role" in caught.value.sentence


def test_extend_moves_the_end(postgres: PostgresTarget) -> None:
    opening = postgres.opening(seconds=60)
    closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
    later = now_ms() + 3_600_000
    postgres.connector.extend(postgres.target, closing, expires_at_ms=later)
    listed = postgres.connector.list_access(postgres.target, ["billing_admin"])
    assert [each.expires_at_ms for each in listed.logins if each.login == opening.login] == [later]
    postgres.connector.close(postgres.target, closing)
    with pytest.raises(Gone):
        postgres.connector.extend(postgres.target, closing, expires_at_ms=later)


SUPERUSERS = {
    "itself": "CREATE ROLE bound NOLOGIN SUPERUSER",
    "a member of one": "CREATE ROLE chief NOLOGIN SUPERUSER; CREATE ROLE between NOLOGIN; CREATE ROLE bound NOLOGIN NOINHERIT;"
    " GRANT chief TO between; GRANT between TO bound",
    "none": "CREATE ROLE bound NOLOGIN CREATEDB",
}


@pytest.mark.parametrize("made", list(SUPERUSERS))
def test_open_says_whether_the_privilege_is_a_superuser(postgres: PostgresTarget, made: str) -> None:
    opening = postgres.opening("bound")
    settings = {**postgres.target.settings, "privileges": ["bound"]}
    target = dataclasses.replace(postgres.target, settings=settings)
    with postgres.superuser() as superuser:
        superuser.execute(SUPERUSERS[made].encode())
        superuser.execute("ALTER ROLE bg_portal SUPERUSER")
        try:
            opened = postgres.connector.open(target, opening)
            assert postgres.connector.close(target, closing_of(opening, opened)).removed
        finally:
            superuser.execute("ALTER ROLE bg_portal NOSUPERUSER")
            superuser.execute("DROP ROLE IF EXISTS bound, between, chief")
    assert opened.superuser is (made != "none")
    assert (UNBOUND in opened.warnings) is (made != "none")


def test_privilege_that_makes_roles_is_as_good_as_a_superuser_before_16(postgres: PostgresTarget) -> None:
    opening = postgres.opening("role_maker")
    opened = postgres.connector.open(postgres.target, opening)
    with postgres.superuser() as superuser:
        assert opened.superuser is (superuser.info.server_version < 160_000)
    postgres.connector.close(postgres.target, closing_of(opening, opened))
