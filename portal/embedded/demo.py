"""The demo: all servers and all processes of the portal on this machine, started and stopped as one."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import IO

from portal.embedded import ports, processes, state, supervisor, tether
from portal.embedded.databases import PORTAL_SETTINGS, TARGET_SETTINGS, prepare_portal, prepare_target
from portal.embedded.environment import DEMO_LOG_NAME, Environments, for_a_shell
from portal.embedded.postgres import PostgresServer, stop_leftover
from portal.embedded.processes import CouldNotStart
from portal.embedded.state import CHECKOUT, State
from portal.embedded.supervisor import Part, Running, Step, Stopped
from portal.embedded.valkey import ValkeyServer

MANAGE = [sys.executable, str(CHECKOUT / "manage.py")]


class Busy(Exception):
    """The demo cannot start because something else stands in its place; one line."""


def say(line: str) -> None:
    """Tell whoever started us; nobody may be listening any more."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)  # noqa: T201 - the voice of `make demo`


def make_log_key() -> tuple[str, str]:
    """The sealer's key pair as texts, secret half first."""
    from audit.log.keys import generate  # noqa: PLC0415 - the one place of the portal that ever holds this key: the demo's

    return generate(DEMO_LOG_NAME)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder. The lock goes with this process, however it ends. Raises Busy."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(_who_holds(lock, folder)) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _who_holds(lock: IO[str], folder: Path) -> str:
    lock.seek(0)
    return f"The demo in {folder} is running already (process {lock.read() or 'unknown'}). Stop it first."


def run(port: int, folder: Path, make_stages: Callable[[Path, int], list[Part | Step]]) -> int:
    """Run the stages until told to stop; the exit status. Raises Busy."""
    stop = Event()
    supervisor.listen_for_stop(stop)
    with only_one(folder):
        clear_leftovers(folder)
        if not ports.is_free(port):
            raise Busy(
                f"Port {port} is in use on this machine. Nothing was started. Choose another: make demo PORT={port + 1}"
            )
        running: list[Running] = []
        try:
            return _run(make_stages(folder, port), running, stop, lambda: greet(port, folder))
        finally:
            if running:
                say("Stopping ...")
            supervisor.take_down(running, say)
            if running:
                say("Stopped. Nothing is left running.")


def _run(stages: list[Part | Step], running: list[Running], stop: Event, greet: Callable[[], None]) -> int:
    say("Starting the demo ...")
    try:
        supervisor.bring_up(stages, running, stop, say)
    except Stopped:
        return 0
    except CouldNotStart as error:
        say(str(error))
        return 1
    greet()
    supervisor.keep_up(running, stop, say)
    return 0


def greet(port: int, folder: Path) -> None:
    """The address, and what the seed has to say about who can sign in."""
    say(f"\n  http://localhost:{port}/\n")
    with contextlib.suppress(OSError):
        say((folder / "log" / "seed.txt").read_text())
    say("Ctrl-C stops everything. The next start keeps the data; make demo-reset empties it.")


def clear_leftovers(folder: Path) -> None:
    """End what an earlier run left, if it could not stop its processes itself: users of the servers first."""
    left = [process for process in processes.leftovers(str(folder)) if process.name() != "postgres"]
    processes.end_all(left, patience=5)
    for name in ("portal", "target"):
        stop_leftover(state.postgres_folder(folder) / name / "data")


def reset(folder: Path) -> None:
    """Empty the demo: data, mails, keys, logs. Raises Busy while it runs."""
    with only_one(folder):
        clear_leftovers(folder)
        shutil.rmtree(state.postgres_folder(folder), ignore_errors=True)
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()
    say(f"The demo in {folder} is empty.")


def everything(home: Path, web_port: int) -> list[Part | Step]:
    """The stages of the demo, in the order of their start."""
    kept = state.load(home, make_log_key=make_log_key)
    folder = state.postgres_folder(home)
    portal = PostgresServer(
        "portal database", folder / "portal", kept.ports["portal"], kept.passwords["portal"], kept.mark, PORTAL_SETTINGS
    )
    target = PostgresServer(
        "target database", folder / "target", kept.ports["target"], kept.passwords["target"], kept.mark, TARGET_SETTINGS
    )
    valkey = ValkeyServer(kept.folder / "valkey", kept.ports["valkey"], kept.passwords["valkey"], kept.mark)
    environments = Environments(kept, portal=portal, valkey=valkey, web_port=web_port)
    programs = Programs(kept, environments)
    state.write_private(home / state.ENVIRONMENT, for_a_shell(environments.work()))
    return [
        _postgres_part(portal),
        Step("roles", lambda: prepare_portal(portal.url(), kept.passwords)),
        _postgres_part(target),
        Step("shop", lambda: prepare_target(target.url())),
        Part("broker", valkey.start, valkey.folder / "output.log", valkey.ready, is_server=True),
        programs.mail_sink(),
        programs.step("migrate", [*MANAGE, "migrate", "--no-input", "--verbosity", "0"], environments.owner()),
        programs.backup_keys(),
        # Before the seed: its grants open only once their intent is sealed.
        programs.part("sealer", [*MANAGE, "sealer"], environments.sealer()),
        programs.step("seed", [*MANAGE, "demo_seed"], environments.seed(target), answer="seed.txt"),
        programs.web(web_port),
        programs.celery("worker", "--concurrency", "2", "--loglevel", "INFO", "--without-mingle", "--without-gossip"),
        programs.celery("beat", "--schedule", str(kept.folder / "beat-schedule"), "--pidfile", ""),
        programs.part("watch", [*MANAGE, "watch"], environments.work()),
        programs.part("gather", [*MANAGE, "gather"], environments.work()),
    ]


def _postgres_part(server: PostgresServer) -> Part:
    return Part(server.name, server.start, server.output, server.ready, signal.SIGINT, patience=20, is_server=True)


class Programs:
    """The portal's own processes, each with its environment and a log of this run."""

    def __init__(self, kept: State, environments: Environments) -> None:
        self.kept, self.environments = kept, environments
        self.logs = kept.folder / "log"
        self.logs.mkdir(mode=0o700, exist_ok=True)

    def _start(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        death: signal.Signals,
        answer: Path | None = None,
    ) -> Callable[[], subprocess.Popen[bytes]]:
        log = self.logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        return lambda: processes.start(
            command, environment=environment, folder=CHECKOUT, log=log, death_signal=death, answer=answer
        )

    def step(self, name: str, command: list[str], environment: dict[str, str], answer: str | None = None) -> Step:
        where = self.logs / answer if answer else None
        return Step(name, self._start(name, command, environment, signal.SIGKILL, where), self.logs / f"{name}.log")

    def part(self, name: str, command: list[str], environment: dict[str, str]) -> Part:
        return Part(name, self._start(name, command, environment, signal.SIGKILL), self.logs / f"{name}.log")

    def backup_keys(self) -> Step:
        """Made once."""
        keys = ["--out", str(self.kept.backup_keys), "--name", f"{DEMO_LOG_NAME}-backup", "--if-missing"]
        return self.step("backup keys", [*MANAGE, "backup_keys", *keys], self.environments.common)

    def mail_sink(self) -> Part:
        port = self.kept.ports["mail"]
        command = [sys.executable, "-m", "portal.embedded.mail_sink", str(self.kept.mail_folder), str(port)]
        # It needs no secret at all.
        start = self._start("mail", command, self.environments.bare(), signal.SIGKILL)
        return Part("mail sink", start, self.logs / "mail.log", lambda: ports.answers(port), is_server=True)

    def web(self, port: int) -> Part:
        """gunicorn on the loopback interface; SIGQUIT, so that its own workers go with it."""
        command = [sys.executable, "-m", "gunicorn", "portal.wsgi", "--bind", f"127.0.0.1:{port}"]
        command += ["--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--no-control-socket"]
        start = self._start("web", command, self.environments.web(), signal.SIGQUIT)
        return Part("web", start, self.logs / "web.log", lambda: web_answers(port))

    def celery(self, kind: str, *options: str) -> Part:
        """SIGQUIT, so that the pool goes with the worker."""
        command = [sys.executable, "-m", "celery", "--app", "portal", kind, *options]
        environment = self.environments.worker() if kind == "worker" else self.environments.work()
        start = self._start(kind, command, environment, signal.SIGQUIT)
        return Part(kind, start, self.logs / f"{kind}.log")


def web_answers(port: int) -> bool:
    """Whether the web process says that it lives."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def end_with_caller() -> None:
    """Stop when `make` is killed, so that nothing of ours outlives it."""
    tether.end_with_parent(signal.SIGTERM, os.getppid())
