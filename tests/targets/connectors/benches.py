"""One bench for each kind of target: what the promises need beside the connector itself."""

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psycopg

from portal.connectors.base import Closing, Connector, ConnectorError, Opening, Target
from portal.connectors.postgresql import PostgreSQL
from portal.connectors.simulated import Simulated, activity, controls
from tests.targets.connectors.postgresql_target import NUMBERS, PostgresTarget, now_ms


class Bench(Protocol):
    """A target and hands to use it as a responder, an outsider and fate would."""

    connector: Connector

    @property
    def target(self) -> Target: ...
    def opening(self, *, seconds: float = 600) -> Opening: ...
    def can_log_in(self, login: str) -> bool: ...
    def start_session(self, login: str) -> Callable[[], bool]:
        """Log in; the answer tells whether that session can still act."""
        ...

    def undo_close(self, closing: Closing) -> None:
        """The target tells a lie: what was closed is open again, or never was closed."""
        ...

    def add_foreign(self, login: str) -> None: ...
    def hanging(self) -> Target:
        """The same target, taking connections and answering nothing."""
        ...

    def down(self) -> Target: ...
    def end_watchdog(self) -> None:
        """End one that an opening left on the target."""
        ...


@dataclass
class PostgresBench:
    """A real server."""

    on: PostgresTarget
    listener: socket.socket
    connector: Connector = field(default_factory=PostgreSQL)
    sessions: list[psycopg.Connection[Any]] = field(default_factory=list)

    @property
    def target(self) -> Target:
        return self.on.target

    def opening(self, *, seconds: float = 600) -> Opening:
        return self.on.opening(seconds=seconds)

    def can_log_in(self, login: str) -> bool:
        return self.on.can_log_in(login)

    def start_session(self, login: str) -> Callable[[], bool]:
        session = self.on.login(login)
        self.sessions.append(session)

        def acts() -> bool:
            try:
                session.execute("SELECT 1 FROM billing")
            except psycopg.OperationalError:
                session.close()
                return False
            return True

        return acts

    def undo_close(self, closing: Closing) -> None:
        with self.on.superuser() as connection:
            password = self.on.passwords[closing.login].reveal()
            connection.execute(f"CREATE ROLE {closing.login} LOGIN PASSWORD '{password}'")
            connection.execute(f"COMMENT ON ROLE {closing.login} IS '{closing.comment}'")
            # What really undid the close gave the portal's right over the role along with it.
            connection.execute(f"GRANT {closing.login} TO bg_portal WITH ADMIN OPTION")

    def add_foreign(self, login: str) -> None:
        with self.on.superuser() as connection:
            connection.execute(f"CREATE ROLE {login} LOGIN")

    def hanging(self) -> Target:
        return self._at(self.listener.getsockname()[1])

    def down(self) -> Target:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            return self._at(closed.getsockname()[1])

    def end_watchdog(self) -> None:
        self.on.end_watchdog()

    def _at(self, port: int) -> Target:
        settings = {**self.target.settings, "port": port, "connect_timeout_s": 2}
        return Target(self.target.system_id, self.target.kind, settings, self.target.password)


@dataclass
class SimulatedBench:
    """A file."""

    folder: Path
    connector: Connector = field(default_factory=Simulated)

    @property
    def target(self) -> Target:
        return self._with()

    def _with(self, **settings: Any) -> Target:
        return Target("shop", "simulated", {"state_path": str(self.folder / "state.sqlite"), **settings})

    def opening(self, *, seconds: float = 600) -> Opening:
        number, password = next(NUMBERS), self.connector.make_secret()
        verifier = self.connector.verifier(self.target, f"bg_{number}", password)
        expires = now_ms() + int(seconds * 1000)
        return Opening(f"grant-{number}", number, secrets.token_hex(8), "billing_admin", verifier, expires)

    def can_log_in(self, login: str) -> bool:
        try:
            activity.act(self.target, login=login, statements=[])
        except ConnectorError:
            return False
        return True

    def start_session(self, login: str) -> Callable[[], bool]:
        session = activity.log_in(self.target, login=login)

        def acts() -> bool:
            try:
                activity.do(self.target, session, activity.Act("SELECT 1 FROM billing"))
            except ConnectorError:
                return False
            return True

        return acts

    def undo_close(self, closing: Closing) -> None:
        opening = Opening(
            closing.grant_id,
            closing.number,
            closing.nonce,
            closing.privilege,
            self.connector.make_secret(),
            now_ms() + 9999,
        )
        self.connector.open(self.target, opening)

    def add_foreign(self, login: str) -> None:
        other = Opening("other", int(login[3:]), "0", "billing_admin", self.connector.make_secret(), now_ms() + 9999)
        self.connector.open(self.target, other)

    def hanging(self) -> Target:
        place = self.folder / "hanging.json"
        target = self._with(controls_path=str(place), answer_within_ms=100)
        controls.write(target, hang_ms=60_000)
        return target

    def down(self) -> Target:
        target = self._with(controls_path=str(self.folder / "down.json"))
        controls.write(target, down=True)
        return target

    def end_watchdog(self) -> None:
        """Opening leaves none here: the target keeps its limits by itself."""


@contextmanager
def silent_listener() -> Iterator[socket.socket]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


__all__ = ["Bench", "PostgresBench", "SimulatedBench", "silent_listener"]
