"""The source on a real server: rotation, restart, crash, the server's own count, and how fast a statement is told."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from audit.log.read import LoggedEvent, named
from audit.sources.declared import Source
from audit.sources.ingest import gathering
from audit.sources.process import follow_all
from tests.audit.sources.logs import declare, open_grant
from tests.servers import Postgres, running_target, wait_until

PASSWORD = "only-for-this-test"


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A target of one's own, since it is restarted and crashed."""
    with running_target() as target:
        with psycopg.connect(target.url(), autocommit=True) as owner:
            owner.execute("CREATE TABLE customer (id int PRIMARY KEY, name text)")
            owner.execute(f"CREATE ROLE bg_7 LOGIN PASSWORD '{PASSWORD}'; GRANT ALL ON customer TO bg_7")
            owner.execute("ALTER ROLE bg_7 SET log_statement = 'all'")
            owner.execute(
                f"CREATE ROLE bg_portal LOGIN PASSWORD '{PASSWORD}'; GRANT SET ON PARAMETER log_statement TO bg_portal"
            )
            owner.execute("GRANT pg_read_all_stats TO bg_portal")
        yield target


@contextlib.contextmanager
def responder(server: Postgres) -> Iterator["psycopg.Connection"]:
    with psycopg.connect(server.url("bg_7", PASSWORD), autocommit=True) as session:
        yield session


def beat(server: Postgres, nonce: str) -> int:
    """A heartbeat as the connector makes it; the server's own count of sessions."""
    with psycopg.connect(server.url("bg_portal", PASSWORD), autocommit=True) as session:
        session.execute("SET log_statement = 'all'")
        session.execute(f"SELECT 'breakglass heartbeat {nonce}'")
        row = session.execute("SELECT sum(sessions) FROM pg_stat_database").fetchone()
    assert row
    return int(row[0])


def declared(server: Postgres) -> Source:
    source = declare(server.log_folder)
    open_grant(source, "bg_7")
    return source


def read_all(source: Source) -> None:
    reader = gathering(source)
    while reader.step():
        pass


def told(source: Source, *names: str) -> list[LoggedEvent]:
    """In the order of the target's log: what was told in one reading has one time in ours."""
    found = [event for event in named(names) if event.fields["source_id"] == source.id]
    return sorted(found, key=lambda event: (event.at, event.fields.get("source_number", 0)))


def beaten(source: Source, nonce: str) -> bool:
    read_all(source)
    return any(event.fields["nonce"] == nonce for event in told(source, "source.heartbeat_seen"))


def settle(server: Postgres, source: Source, nonce: str) -> int:
    """Send a heartbeat and gather until it came back; what was logged before it has been read by then."""
    count = beat(server, nonce)
    wait_until(lambda: beaten(source, nonce), f"heartbeat {nonce}")
    return count


def losses(source: Source) -> list[str]:
    return [event.fields["kind"] for event in told(source, "source.loss_found")]


@pytest.mark.django_db
def test_log_is_followed_through_rotation_in_the_middle_of_a_session(server: Postgres) -> None:
    source = declared(server)
    with responder(server) as session, psycopg.connect(server.url(), autocommit=True) as owner:
        for number in range(3):
            files = len(list(server.log_folder.glob("*.json")))
            session.execute(f"SELECT {number}")
            read_all(source)
            time.sleep(1.1)  # names of files carry the second; the server keeps the old one within it
            owner.execute("SELECT pg_rotate_logfile()")
            wait_until(lambda: len(list(server.log_folder.glob("*.json"))) > files, "the next file")  # noqa: B023  # asked at once
            session.execute(f"SELECT {number}, 'after'")
    settle(server, source, "rotated")
    assert losses(source) == []
    ended = [event.fields for event in told(source, "session.ended")]
    assert [(fields["state"], fields["last_number"]) for fields in ended] == [("complete", 10)]


@pytest.mark.django_db
def test_log_is_followed_through_a_restart_and_epochs_chain(server: Postgres) -> None:
    source = declared(server)
    with contextlib.suppress(psycopg.Error), responder(server) as session:
        session.execute("SELECT 1")
        settle(server, source, "first")
        server.stop()
    time.sleep(1.1)  # a file name of its own for the second start
    server.start()
    settle(server, source, "second")
    assert [event.fields["after"] for event in told(source, "source.epoch_started")] == ["first", "shut down"]
    assert losses(source) == []
    assert [event.fields["state"] for event in told(source, "session.ended")] == ["complete"]


@pytest.mark.django_db
def test_session_that_dies_in_a_crash_is_cut_and_not_complete(server: Postgres) -> None:
    source = declared(server)
    with contextlib.suppress(psycopg.Error), responder(server) as session:
        session.execute("SELECT 1")
        os.kill(session.info.backend_pid, signal.SIGKILL)
        session.execute("SELECT 2")
    wait_until(server.server.ready, "the server to recover")
    settle(server, source, "recovered")
    assert [event.fields["state"] for event in told(source, "session.ended")] == ["cut"]
    assert [
        (event.fields["kind"], "grant_id" in event.fields)
        for event in told(source, "source.loss_found")
        if "grant_id" in event.fields
    ] == [("session_cut", True)]


@pytest.mark.django_db
def test_every_login_that_the_server_counts_was_read(server: Postgres) -> None:
    """Good logins, refused ones, ones that fail after the password was right: the difference stays the same."""
    source = declared(server)
    first = settle(server, source, "count-1")
    for _ in range(5):
        with responder(server) as session:
            session.execute("SELECT 1")
    for user, password, database in (
        ("bg_7", "wrong", "shop"),
        ("bg_7", PASSWORD, "nowhere"),
        ("bg_9", PASSWORD, "shop"),
    ):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url(user, password, database))
    second = settle(server, source, "count-2")
    read = {event.fields["nonce"]: event.fields["authorized_seen"] for event in told(source, "source.heartbeat_seen")}
    assert (second - first, read["count-2"] - read["count-1"]) == (6, 6)
    assert losses(source) == []


def shown(server: Postgres, setting: str) -> str:
    """A setting as a new session has it."""
    with psycopg.connect(server.url(), autocommit=True) as owner:
        row = owner.execute("SELECT current_setting(%s)", [setting]).fetchone()
    assert row
    return str(row[0])


@pytest.mark.django_db
def test_logging_that_is_turned_off_is_told(server: Postgres) -> None:
    source = declared(server)
    with psycopg.connect(server.url(), autocommit=True) as owner:
        owner.execute("ALTER SYSTEM SET log_connections = 'off'")
        owner.execute("SELECT pg_reload_conf()")
    wait_until(lambda: shown(server, "log_connections") == "off", "the server to take it")
    settle(server, source, "muted")
    told_of = [
        (event.fields["setting"], event.fields["value"], event.fields["weakens"])
        for event in told(source, "source.settings_changed")
    ]
    assert told_of == [("log_connections", "off", 1)]


@pytest.mark.django_db(transaction=True)
def test_process_stops_on_sigterm_and_goes_on_where_it_was(server: Postgres) -> None:
    source = declared(server)
    with responder(server) as session:
        for number in range(2):
            process = subprocess.Popen([sys.executable, "manage.py", "gather"], env=environment())
            session.execute(f"SELECT {number}")
            wait_until(lambda: len(told(source, "activity.recorded")) > number, "the statement")  # noqa: B023  # asked at once
            process.send_signal(signal.SIGTERM)
            assert process.wait(90) == 0
    statements = [event.personal["statement"] for event in told(source, "activity.recorded")]
    assert statements == ["SELECT 0", "SELECT 1"]


@pytest.mark.django_db(transaction=True)
def test_gatherer_killed_while_it_reads_loses_and_doubles_nothing(server: Postgres) -> None:
    source = declared(server)
    done = 0
    with responder(server) as session:
        for _ in range(4):
            process = subprocess.Popen([sys.executable, "manage.py", "gather"], env=environment())
            before = len(told(source, "activity.recorded"))
            while len(told(source, "activity.recorded")) < before + 20:
                session.execute(f"SELECT {done}")
                done += 1
                time.sleep(0.02)  # else thousands pile up while the process starts
            process.kill()
            process.wait()
    settle(server, source, "afterwards")
    statements = [event.personal["statement"] for event in told(source, "activity.recorded")]
    assert statements == [f"SELECT {number}" for number in range(done)]
    assert losses(source) == []


def environment() -> dict[str, str]:
    """The environment of a process of the portal that uses this test's database."""
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return {**os.environ, "DATABASE_URL": url}


@pytest.mark.bench
@pytest.mark.django_db(transaction=True)
def test_statements_at_200_a_second_are_told_within_5_seconds(server: Postgres) -> None:
    source, seconds, rate = declared(server), 20, 200
    stopping = threading.Event()
    thread = threading.Thread(target=_follow, args=(stopping,))
    thread.start()
    try:
        with responder(server) as session:
            start = time.monotonic()
            for number in range(seconds * rate):
                session.execute(f"SELECT name FROM customer WHERE id = {number}")
                time.sleep(max(0.0, start + number / rate - time.monotonic()))
        wait_until(lambda: len(told(source, "activity.recorded")) == seconds * rate, "all statements")
    finally:
        stopping.set()
        thread.join()
    late = sorted(event.at - event.fields["happened_at"] for event in told(source, "activity.recorded"))
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    print(f"{len(late)} statements at {rate} a second: told after p50 {p50} ms, p99 {p99} ms (at most 5000)")  # noqa: T201  # the figure
    assert p99 <= 5000


def _follow(stopping: threading.Event) -> None:
    try:
        follow_all(stopping)
    finally:
        connection.close()
