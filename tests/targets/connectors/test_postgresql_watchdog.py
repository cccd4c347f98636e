"""The watchdog ends what is due with the portal dead, and nothing else."""

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from portal.connectors.base import ConnectorError, Opening, Target
from portal.connectors.postgresql import watchdog
from tests.servers import wait_until
from tests.targets.connectors.postgresql_target import PostgresTarget, closing_of, now_ms
from tests.targets.silent import falling_silent

HOLD = """
import json, sys, time
from portal.connectors.base import Secret, Target
from portal.connectors.postgresql import PostgreSQL
told = json.loads(sys.stdin.readline())
held = PostgreSQL().watchdog(Target("shop", "postgresql", told["settings"], Secret(told["password"])))
print("held" if held else "not held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def alone(postgres: PostgresTarget) -> Iterator[PostgresTarget]:
    """The target with no watchdog on it, before and after."""
    postgres.end_watchdog()
    yield postgres
    postgres.end_watchdog()


@contextmanager
def held_elsewhere(target: PostgresTarget) -> "Iterator[subprocess.Popen[str]]":
    """Another process that holds the watchdog."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert target.target.password
        try:
            told = {"settings": target.target.settings, "password": target.target.password.reveal()}
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def open_for(target: PostgresTarget, seconds: float) -> Opening:
    """An open grant that ends soon."""
    opening = target.opening(seconds=seconds)
    target.connector.open(target.target, opening)
    return opening


def ended(session: psycopg.Connection[tuple[object, ...]]) -> bool:
    """The session cannot act any more."""
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def test_due_grant_is_ended_with_the_portal_killed(alone: PostgresTarget) -> None:
    with held_elsewhere(alone) as process:
        due, later = open_for(alone, 3), open_for(alone, 600)
        process.kill()
        process.wait()
    with alone.login(due.login) as busy, alone.login(later.login) as other:
        busy.execute("SET ROLE NONE")
        assert now_ms() < due.expires_at_ms
        wait_until(lambda: ended(busy), "the session to be ended")
        assert now_ms() >= due.expires_at_ms
        assert not ended(other)
    assert (alone.role(due.login) or ())[1:] == (False,)
    assert (alone.role(later.login) or ())[1:] == (True,)
    assert watchdog.seen(alone.target)
    for each in (due, later):
        assert alone.connector.close(alone.target, each.closing()).removed


def fill_the_table_of_locks(session: psycopg.Connection[tuple[object, ...]]) -> None:
    """Anybody can, with advisory locks; from then on nobody gets a lock that is not at hand, the portal's connections neither."""
    session.execute("BEGIN")
    session.execute("UPDATE billing SET amount = amount")
    session.execute("SAVEPOINT before")
    with suppress(psycopg.errors.OutOfMemory):
        for number in itertools.count(step=10):
            session.execute(f"SELECT pg_advisory_lock(n) FROM generate_series({number}, {number + 9}) n")
    session.execute("ROLLBACK TO before")


def change_the_password(session: psycopg.Connection[tuple[object, ...]]) -> None:
    """And leave that open: nobody else can change the role."""
    session.execute("SET ROLE NONE")
    session.execute("BEGIN")
    session.execute(f"ALTER ROLE {session.info.user} PASSWORD 'x'")


def take_the_portals_lock(session: psycopg.Connection[tuple[object, ...]]) -> None:
    session.execute("SELECT pg_advisory_lock(hashtext('bg_portal'), hashtext(session_user))")


@pytest.mark.parametrize("hold_on", [change_the_password, take_the_portals_lock, fill_the_table_of_locks])
def test_due_grant_is_ended_whatever_its_sessions_hold(
    alone: PostgresTarget, hold_on: Callable[[psycopg.Connection[tuple[object, ...]]], None]
) -> None:
    due = open_for(alone, 4)
    with alone.login(due.login) as holder, alone.login(due.login) as other:
        hold_on(holder)
        assert now_ms() < due.expires_at_ms
        wait_until(lambda: ended(holder) and ended(other), "the sessions to be ended")
        assert now_ms() < due.expires_at_ms + 1_000
    wait_until(lambda: (alone.role(due.login) or ())[1:] == (False,), "the login to be shut")
    assert alone.connector.close(alone.target, due.closing()).removed


def test_sessions_end_where_a_stranger_holds_the_role(alone: PostgresTarget) -> None:
    due = open_for(alone, 2)
    with alone.superuser() as stranger, alone.login(due.login) as session:
        stranger.execute("BEGIN")
        stranger.execute(f"ALTER ROLE {due.login} CONNECTION LIMIT 5")
        wait_until(lambda: ended(session), "the session to be ended")
        assert now_ms() < due.expires_at_ms + 1_000
        stranger.execute("ROLLBACK")
    wait_until(lambda: (alone.role(due.login) or ())[1:] == (False,), "the login to be shut")
    alone.connector.close(alone.target, due.closing())


def test_login_that_lost_its_mark_is_ended_at_the_end_it_had(alone: PostgresTarget) -> None:
    opening = alone.opening(seconds=5)
    closing = closing_of(opening, alone.connector.open(alone.target, opening))
    with alone.login(opening.login) as session, alone.superuser() as superuser:
        first = open_for(alone, 1)
        wait_until(lambda: (alone.role(first.login) or ())[1:] == (False,), "the watchdog to have looked")
        superuser.execute(f"COMMENT ON ROLE {opening.login} IS NULL")
        superuser.execute(f"ALTER ROLE {opening.login} RENAME TO somebody")
        superuser.execute("ALTER ROLE somebody VALID UNTIL 'infinity'")
        wait_until(lambda: ended(session), "the session to be ended")
        assert opening.expires_at_ms <= now_ms() < opening.expires_at_ms + 1_000
        wait_until(lambda: (alone.role("somebody") or ())[1:] == (False,), "the login to be shut")
    assert alone.connector.close(alone.target, closing).removed
    alone.connector.close(alone.target, first.closing())


def test_strangers_lock_keeps_no_watchdog_away(alone: PostgresTarget) -> None:
    with alone.superuser() as stranger:
        stranger.execute(f"SELECT pg_advisory_lock({watchdog.LOCK})")
        assert not watchdog.seen(alone.target)
        opening = alone.opening(seconds=3)
        opened = alone.connector.open(alone.target, opening)
        assert opened.warnings[0] == "No watchdog ran on the target; one was started."
        assert f"(session {stranger.info.backend_pid} of portal_super)" in opened.warnings[1]
        assert watchdog.seen(alone.target)
        assert alone.connector.watchdog(alone.target) is None
        with alone.login(opening.login) as session:
            wait_until(lambda: ended(session), "the session to be ended")
    alone.connector.close(alone.target, closing_of(opening, opened))


def test_slow_login_across_the_end_never_acts(alone: PostgresTarget) -> None:
    due, outcome = open_for(alone, 2), list[str]()

    def sneak() -> None:
        try:
            with alone.login(due.login, options="-c post_auth_delay=4") as session:
                session.execute("UPDATE billing SET amount = 0")
                outcome.append("acted")
        except psycopg.OperationalError:
            outcome.append("cut off")

    thread = threading.Thread(target=sneak)
    thread.start()
    thread.join()
    assert outcome == ["cut off"]
    assert now_ms() > due.expires_at_ms
    alone.connector.close(alone.target, due.closing())


def test_extended_grant_is_ended_at_its_new_end(alone: PostgresTarget) -> None:
    opening = open_for(alone, 2)
    new_end = opening.expires_at_ms + 2_000
    with alone.login(opening.login) as session:
        alone.connector.extend(alone.target, opening.closing(), expires_at_ms=new_end)
        wait_until(lambda: ended(session), "the session to be ended")
        assert now_ms() >= new_end
    alone.connector.close(alone.target, opening.closing())


def test_expired_role_of_somebody_else_is_left_alone(alone: PostgresTarget) -> None:
    due = open_for(alone, 1)
    with alone.superuser() as superuser:
        superuser.execute("CREATE ROLE bg_900000 LOGIN VALID UNTIL '2020-01-01'")
        superuser.execute("GRANT bg_900000 TO bg_portal WITH ADMIN OPTION")
        wait_until(lambda: (alone.role(due.login) or ())[1:] == (False,), "our due grant to be shut")
        assert (alone.role("bg_900000") or ())[1:] == (True,)
        superuser.execute("DROP ROLE bg_900000")
    alone.connector.close(alone.target, due.closing())


def test_opening_leaves_a_watchdog_where_none_is(alone: PostgresTarget) -> None:
    opening = alone.opening()
    opened = alone.connector.open(alone.target, opening)
    assert "No watchdog ran on the target; one was started." in opened.warnings
    assert watchdog.seen(alone.target)
    assert alone.connector.open(alone.target, opening).warnings == ()
    alone.connector.close(alone.target, closing_of(opening, opened))


def test_lost_watchdog_is_noticed_and_started_again(alone: PostgresTarget) -> None:
    held = alone.connector.watchdog(alone.target)
    assert held is not None
    assert held.alive()
    alone.end_watchdog()
    wait_until(lambda: not held.alive(), "the loss to be noticed")
    held.stop()
    again = alone.connector.watchdog(alone.target)
    assert again is not None
    assert again.alive()
    again.stop()
    wait_until(lambda: not watchdog.seen(alone.target), "the stopped one to be gone")


def test_watchdog_goes_when_there_is_nothing_to_watch(alone: PostgresTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "IDLE_S", 1)
    held = alone.connector.watchdog(alone.target)
    assert held is not None
    wait_until(lambda: not held.alive(), "the idle watchdog to go")
    held.stop()


def hold(target: PostgresTarget, way: Target) -> None:
    target.connector.watchdog(way)


def open_without_watchdog(target: PostgresTarget, way: Target) -> None:
    target.connector.open(way, target.opening(seconds=5))


@pytest.mark.parametrize("act", [hold, open_without_watchdog])
def test_target_that_freezes_once_it_let_the_watchdog_in_is_given_up(
    alone: PostgresTarget, act: Callable[[PostgresTarget, Target], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "START_S", 0.5)
    told: list[str] = []

    def start() -> None:
        settings = {**alone.target.settings, "port": port}
        try:
            act(alone, Target("shop", "postgresql", settings, alone.target.password))
        except ConnectorError as error:
            told.append(type(error).__name__)

    with falling_silent(alone.server.port, only="breakglass watchdog") as port:
        thread = threading.Thread(target=start)
        thread.start()
        wait_until(lambda: not thread.is_alive(), "the frozen target to be given up")
    assert told == ["Unreachable"]
