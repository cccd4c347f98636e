"""Whatever anybody holds on a real server, an end goes on, and nobody but the portal is waited for."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from portal.connectors.base import Closing, Opening, Snapshot, Unreachable
from tests.servers import wait_until
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of

LOCK = "SELECT pg_advisory_lock(hashtext('bg_portal'), hashtext('{login}'))"
HELD = {
    "row of the role": "SET ROLE NONE; BEGIN; ALTER ROLE {login} PASSWORD 'x'",
    "setting of the role": "SET ROLE NONE; BEGIN; ALTER ROLE {login} SET work_mem = '1MB'",
    "object of the role": "SET ROLE NONE; BEGIN; SELECT lo_create(0)",
    "table": "BEGIN; LOCK TABLE billing",
    "view of the settings": "BEGIN; LOCK TABLE pg_settings",
    "lock of the portal": LOCK,
}


@pytest.fixture
def before(postgres: PostgresTarget) -> Snapshot:
    return postgres.connector.prepare(postgres.target)


@pytest.fixture
def opening(postgres: PostgresTarget) -> Iterator[Opening]:
    """Of a grant that is open; what a test leaves of it is closed."""
    made = postgres.opening()
    yield made
    postgres.connector.close(postgres.target, made.closing())


@pytest.fixture
def closing(postgres: PostgresTarget, before: Snapshot, opening: Opening) -> Closing:
    return closing_of(opening, postgres.connector.open(postgres.target, opening))


def say(session: psycopg.Connection[Any], words: str, login: str) -> None:
    for each in words.format(login=login).split("; "):
        session.execute(each.encode())


def ended(session: psycopg.Connection[Any]) -> bool:
    """The session cannot act any more."""
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        session.close()
        return True
    return False


@pytest.mark.parametrize("held", list(HELD))
def test_end_goes_on_whatever_the_responder_holds(
    postgres: PostgresTarget, before: Snapshot, closing: Closing, held: str
) -> None:
    holder, other = postgres.login(closing.login), postgres.login(closing.login)
    say(holder, HELD[held], closing.login)
    closed = postgres.connector.close(postgres.target, closing)
    assert (closed.sessions_ended, closed.removed, closed.remainders) == (2, True, ())
    assert (ended(holder), ended(other)) == (True, True)
    result = postgres.connector.read_back(postgres.target, closing, before=before)
    assert (result.clear, result.drift) == (True, ())


def test_end_goes_on_where_a_stranger_holds_the_lock_of_the_portal(postgres: PostgresTarget, closing: Closing) -> None:
    with postgres.superuser() as stranger:
        say(stranger, LOCK, closing.login)
        assert postgres.connector.close(postgres.target, closing).removed


def test_role_that_a_stranger_holds_loses_privilege_and_sessions_and_is_told(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    session = postgres.login(closing.login)
    with postgres.superuser() as stranger:
        say(stranger, "BEGIN; ALTER ROLE {login} CONNECTION LIMIT 5", closing.login)
        pid = stranger.info.backend_pid
        closed = postgres.connector.close(postgres.target, closing)
        assert [each.kind for each in closed.remainders] == ["login"]
        assert f"session {pid} of portal_super" in closed.remainders[0].detail
        assert (closed.removed, ended(session)) == (False, True)
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        assert (result.clear, [each.kind for each in result.remainders]) == (False, ["login"])
        stranger.execute("ROLLBACK")
    assert postgres.connector.close(postgres.target, closing).removed


def test_role_that_a_stranger_is_about_to_give_something_is_kept_and_ended_all_the_same(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    with postgres.superuser() as stranger:
        say(stranger, "BEGIN; GRANT SELECT ON billing TO {login}", closing.login)
        assert not postgres.connector.close(postgres.target, closing).removed
        result = postgres.connector.read_back(postgres.target, closing, before=before)
        assert (result.clear, [each.kind for each in result.drift]) == (True, ["role kept"])
        stranger.execute("ROLLBACK")


def test_session_of_another_grant_that_is_in_the_way_is_ended(postgres: PostgresTarget, closing: Closing) -> None:
    other = postgres.opening("role_maker")
    postgres.connector.open(postgres.target, other)
    session = postgres.login(other.login)
    say(session, "CREATE ROLE friend; BEGIN; GRANT billing_admin TO friend", other.login)
    try:
        assert postgres.connector.close(postgres.target, closing).removed
    finally:
        session.close()
        postgres.connector.close(postgres.target, other.closing())
        with postgres.superuser() as superuser:
            superuser.execute("DROP ROLE friend")


def test_login_that_never_says_who_it_is_holds_up_no_end(
    postgres: PostgresTarget, before: Snapshot, closing: Closing
) -> None:
    with socket.create_connection(("127.0.0.1", postgres.server.port)) as stalled, postgres.superuser() as look:
        words = b"user\0anybody\0database\0shop\0\0"
        stalled.sendall(struct.pack("!ii", len(words) + 8, 196_608) + words)
        starting = (
            "SELECT count(*) FROM pg_locks l WHERE locktype = 'virtualxid' AND pid <> pg_backend_pid() AND NOT EXISTS"
        )
        query = f"{starting} (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid AND a.usesysid IS NOT NULL)"
        wait_until(lambda: look.execute(query.encode()).fetchone() == (1,), "the login to be begun")
        assert postgres.connector.close(postgres.target, closing).removed
        assert postgres.connector.read_back(postgres.target, closing, before=before).clear


def test_opening_does_not_wait_for_a_strangers_lock_and_tells_of_it(postgres: PostgresTarget, opening: Opening) -> None:
    with postgres.superuser() as stranger:
        say(stranger, LOCK, opening.login)
        pid = stranger.info.backend_pid
        opened = postgres.connector.open(postgres.target, opening)
        postgres.connector.extend(
            postgres.target, closing_of(opening, opened), expires_at_ms=opening.expires_at_ms + 1_000
        )
    said = f"Somebody else holds the portal's lock of {opening.login} on the target (session {pid} of portal_super); it was not waited for."
    assert said in opened.warnings
    assert postgres.can_log_in(opening.login)


def test_other_process_of_the_portal_is_waited_for_but_not_by_an_end(
    postgres: PostgresTarget, opening: Opening
) -> None:
    assert postgres.target.password
    way_in = postgres.server.url("bg_portal", postgres.target.password.reveal(), "shop")
    with psycopg.connect(way_in, autocommit=True) as other:
        say(other, LOCK, opening.login)
        with pytest.raises(Unreachable) as caught:
            postgres.connector.open(postgres.target, opening)
        assert caught.value.sentence == f"Another process of the portal is at work on {opening.login} on the target."
        say(other, LOCK.replace("pg_advisory_lock", "pg_advisory_unlock"), opening.login)
        closing = closing_of(opening, postgres.connector.open(postgres.target, opening))
        say(other, LOCK, opening.login)
        assert postgres.connector.close(postgres.target, closing).removed
