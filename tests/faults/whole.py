"""The whole portal with every process real: the tree of `make demo` in a folder of its own, part by part in the test's hands.

Nothing is mended here: a part that is stopped or killed stays down until the test starts it again.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from threading import Event
from unittest import mock

import psycopg
import pytest

from portal.demo.personas import BY_KEY
from portal.embedded import demo, ports, processes, state, supervisor
from portal.embedded.databases import PORTAL_DATABASE, TARGET_DATABASE, role_name
from portal.embedded.mail_sink import StoredMail, mail_files, read_mail
from portal.embedded.postgres import PostgresServer
from portal.embedded.state import State
from portal.embedded.supervisor import Part, Running, Step
from tests.factories import code_from
from tests.faults.visiting import Visitor
from tests.servers import new_folder, wait_until

NAMES = (
    "portal database",
    "target database",
    "broker",
    "mail sink",
    "sealer",
    "web",
    "worker",
    "beat",
    "watch",
    "gather",
)
# All without which an emergency must still go on.
HELPERS = ("broker", "worker", "beat", "mail sink", "sealer")
_mail = cache(read_mail)  # one that was kept never changes, and who waits looks at all of them each time


@dataclass
class House:
    """One running portal, seeded as the demo. `port` is the web process's; `parts` are named as in `NAMES`."""

    folder: Path
    port: int
    running: dict[str, Running] = field(default_factory=dict)
    kept: State | None = None

    @property
    def url(self) -> str:
        """Of the first page, without a slash at its end."""
        return f"http://localhost:{self.port}"

    @property
    def state(self) -> State:
        """Passwords and ports of this portal."""
        assert self.kept
        return self.kept

    # --- parts

    def open(self) -> None:
        """Start everything in order; what takes no hand of a test (migrations, seed) runs as it does in the demo."""
        started: list[Running] = []
        try:
            supervisor.bring_up(self._stages(), started, Event(), lambda _: None, patience=90)
        finally:
            self.running = {one.part.name: one for one in started}
        self.kept = State(folder=self.folder, **json.loads((self.folder / "state.json").read_text()))

    def _stages(self) -> list[Part | Step]:
        """As in the demo; web is ready once people can sign in there."""
        return [
            replace(stage, ready=self._answers) if isinstance(stage, Part) and stage.name == "web" else stage
            for stage in demo.everything(self.folder, self.port)
        ]

    def _answers(self) -> bool:
        try:
            return Visitor(self.url, timeout_s=5).get("/sign-in/").status == 200
        except OSError:
            return False

    def close(self) -> None:
        """Stop everything in reverse order, whatever is still up."""
        supervisor.take_down(list(self.running.values()), lambda _: None)

    def pid(self, name: str) -> int:
        """Of the part's first process; its children share the group."""
        return self._process(name).pid

    def lives(self, name: str) -> bool:
        """Whether its first process runs."""
        process = self.running[name].process
        return process is not None and process.poll() is None

    def stop(self, *names: str) -> None:
        """Ask each to end, as an operator would, and wait."""
        for name in names:
            one = self.running[name]
            processes.stop(self._process(name), one.part.stop_signal, patience=one.part.patience)

    def kill(self, *names: str) -> None:
        """As `kill -9` of the part and all its children."""
        for name in names:
            process = self._process(name)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def start(self, *names: str, environment: dict[str, str] | None = None) -> None:
        """Start each again, and wait until it answers. `environment` is added to its own."""
        for name in names:
            one = self.running[name]
            if self.lives(name):
                continue
            with _added(environment or {}):
                one.process = one.part.start()
            process, part = one.process, one.part
            wait_until(lambda: _ready(process, part), f"{name} to answer", seconds=60)  # noqa: B023 - used before the next turn

    @contextlib.contextmanager
    def without(self, *names: str) -> Iterator[None]:
        """With these parts stopped, and started again afterwards."""
        self.stop(*names)
        try:
            yield
        finally:
            self.start(*names)

    def log(self, name: str) -> str:
        """What the part has written so far."""
        return self.running[name].part.log.read_text(errors="replace")

    # --- what stands around it

    def mails(self, to: str = "") -> list[StoredMail]:
        """Newest first; those to one address where one is given."""
        kept = map(_mail, mail_files(self.state.mail_folder))
        return [mail for mail in kept if not to or to in mail.recipients]

    def _server(self, name: str) -> PostgresServer:
        place = state.postgres_folder(self.folder) / name
        return PostgresServer(name, place, self.state.ports[name], self.state.passwords[name], self.state.mark)

    @property
    def target(self) -> str:
        """Address of the shop, the demo's real target, as its own superuser."""
        return self._server("target").url(database=TARGET_DATABASE)

    def target_url(self, login: str, password: str) -> str:
        """Address of the shop for a login."""
        return self._server("target").url(login, password, TARGET_DATABASE)

    def database(self, role: str = "") -> str:
        """Address of the portal's database for one of its roles; as superuser where none is named."""
        server = self._server("portal")
        if not role:
            return server.url(database=PORTAL_DATABASE)
        return server.url(role_name(role), self.state.passwords[role], PORTAL_DATABASE)

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Ask the portal's database, as one who may see everything."""
        with psycopg.connect(self.database(), autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def on_target(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Ask the target as its superuser."""
        with psycopg.connect(self.target, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def code(self, persona: str) -> str:
        """The code that a persona's authenticator shows. That it was used before is forgotten: tests are faster than 30 s."""
        forgotten = "last_t = -1, throttling_failure_count = 0, throttling_failure_timestamp = NULL"
        person = "(SELECT id FROM portal_person WHERE email = %s)"
        query = f"UPDATE otp_totp_totpdevice SET {forgotten} WHERE user_id = {person} RETURNING key"
        return code_from(str(self.rows(query, [BY_KEY[persona].email])[0][0]))

    def visitor(self, persona: str) -> Visitor:
        """A browser without script in which the persona signed in, with a fresh second factor."""
        visitor = Visitor(self.url)
        visitor.sign_in(BY_KEY[persona].email, BY_KEY[persona].password, lambda: self.code(persona))
        return visitor

    def _process(self, name: str) -> subprocess.Popen[bytes]:
        process = self.running[name].process
        assert process, f"{name} was never started"
        return process


def _ready(process: subprocess.Popen[bytes], part: Part) -> bool:
    assert process.poll() is None, f"{part.name} ended at its start: {part.log.read_text(errors='replace')[-2000:]}"
    return part.ready()


@contextlib.contextmanager
def _added(environment: dict[str, str]) -> Iterator[None]:
    """Let processes that are started meanwhile have more in their environment."""
    start = processes.start

    def with_more(command: list[str], **given: object) -> subprocess.Popen[bytes]:
        given["environment"] = {**given["environment"], **environment}  # type: ignore[dict-item]  # a mapping of texts
        return start(command, **given)  # type: ignore[arg-type]  # passed on as they came

    with mock.patch.object(processes, "start", with_more):
        yield


@contextlib.contextmanager
def running_house() -> Iterator[House]:
    """A seeded portal of one's own."""
    folder = new_folder("house")
    house = House(folder, ports.free_port())
    try:
        house.open()
        yield house
    finally:
        house.close()
        shutil.rmtree(state.postgres_folder(folder), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _house() -> Iterator[House]:
    with running_house() as running:
        yield running


@pytest.fixture
def house(_house: House) -> House:
    """The worker's portal, with every part up; what earlier tests did there is still in it."""
    _house.start(*NAMES)
    return _house
