"""The watchdog ends what is due with the portal dead, and nothing else."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
