"""Real worker, beat and watch: each line of the status page turns within fifteen seconds of its process's end, and no other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections

from portal import loops
from portal.embedded.state import CHECKOUT
from portal.health import queries
from tests.servers import running_valkey, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
CELERY = [sys.executable, "-m", "celery", "--app", "portal"]
WITHIN = timedelta(seconds=15)


@contextmanager
def started(command: list[str], environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """All of it at once, as a power cut."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def states() -> dict[str, str]:
    return {row.name: row.state for row in queries.status()["processes"]}


def test_line_turns_in_time() -> None:
    """By the figures, not by a clock: a busy machine may take its time."""
    assert timedelta(seconds=loops.BEAT_S) < queries.PROCESS_LATE < WITHIN


def test_each_process_turns_its_own_line(tmp_path: Path) -> None:
    database = connections["default"].settings_dict
    address = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    with ExitStack() as stack:
        valkey = stack.enter_context(running_valkey())
        environment = os.environ | {"DATABASE_URL": address, "REDIS_URL": valkey.url()}
        commands = {
            "Worker": [*CELERY, "worker", "--concurrency", "1", "--without-mingle", "--without-gossip"],
            "Beat": [*CELERY, "beat", "--schedule", str(tmp_path / "schedule"), "--pidfile", ""],
            "Watch": [sys.executable, "manage.py", "watch"],
        }
        running = {
            name: stack.enter_context(started(command, environment, tmp_path / f"{name}.log"))
            for name, command in commands.items()
        }
        alive = {"Worker", "Beat", "Watch"}
        sweeps = {"Last sweep by beat", "Last sweep by watch"}
        wait_until(lambda: all(states()[each] in ("healthy", "late") for each in alive | sweeps), "all to live", 40)
        for name in ("Worker", "Beat", "Watch"):
            stop(running[name])
            alive.discard(name)
            wait_until(lambda name=name: states()[name] == "down", f"the line of {name} to turn", 60)  # type: ignore[misc]
            assert all(states()[each] in ("healthy", "late") for each in alive), "the line of another turned too"
