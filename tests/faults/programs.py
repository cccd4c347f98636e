"""The portal's own processes on the database of the running test, each really a process."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from portal.embedded import processes
from portal.embedded.state import CHECKOUT
from tests.servers import role_url

MANAGE = [sys.executable, str(CHECKOUT / "manage.py")]
CELERY = [sys.executable, "-m", "celery", "--app", "portal"]


@dataclass
class Program:
    """One of them, with what it has written."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def lives(self) -> bool:
        """Whether it runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """As `kill -9`, of all its children too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        processes.stop(self.process, signal.SIGTERM, patience=15)


def environment_of(role: str = "web") -> dict[str, str]:
    """That of a process of the portal: this run's servers, the test's database, the login of its own role."""
    url = role_url(role, str(connection.settings_dict["NAME"]))
    own = {"DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
    return dict(os.environ) | own | ({"SEALER_DATABASE_URL": url} if role == "sealer" else {})


def start(*command: str, role: str = "web", environment: Mapping[str, str] | None = None) -> Program:
    """Start `manage.py COMMAND`, or another program where the first word names one; the caller stops it."""
    words = [*command] if command[0].startswith("/") else [*MANAGE, *command]
    handle, name = tempfile.mkstemp(prefix=f"breakglass-{command[0].replace('/', '_')[-40:]}-", suffix=".log")
    os.close(handle)
    given = environment_of(role) | dict(environment or {})
    return Program(processes.start(words, environment=given, folder=CHECKOUT, log=Path(name)), Path(name))


@contextlib.contextmanager
def running(*command: str, role: str = "web", environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """It runs meanwhile; killed at the end, if it still lives."""
    program = start(*command, role=role, environment=environment)
    try:
        yield program
    finally:
        program.kill()
        program.log.unlink(missing_ok=True)


def web(port: int, **environment: str) -> contextlib.AbstractContextManager[Program]:
    """gunicorn as the demo runs it."""
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "portal.wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "2",
        "--threads",
        "4",
    ]
    return running(*command, "--graceful-timeout", "5", "--no-control-socket", environment=environment)
