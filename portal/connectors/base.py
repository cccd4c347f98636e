"""What every kind of target can do, and the plain values that go in and out. No models, no Django.

Times are integers, milliseconds since 1970 UTC. Every method may be repeated after a crash at any step.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from portal.connectors.errors import (
    BadSettings,
    ConnectorError,
    ForeignMarker,
    Gone,
    PasswordUnreadable,
    TargetRefused,
    Unreachable,
)
from portal.connectors.secret import Secret

__all__ = [
    "BadSettings", "Check", "Closed", "Closing", "Connector", "ConnectorError", "ForeignMarker", "Gone", "Heartbeat",
    "Listing",
    "LoginOnTarget", "Opened", "Opening", "PasswordUnreadable", "ReadBack", "Remainder", "Running", "Secret", "Snapshot", "Step", "Target",
    "TargetRefused", "Unreachable", "no_step",
]  # fmt: skip

Step = Callable[[str], None]
"""Called with the name of each step right after it took effect; raising from it stops the work, as a crash would."""


def no_step(_name: str) -> None:
    """Nobody watches the steps."""


@dataclass(frozen=True)
class Target:
    """How a system is reached. `settings` holds no secret; `password` is the portal's own on that target."""

    system_id: str
    kind: str
    settings: Mapping[str, Any]
    password: Secret | None = None


@dataclass(frozen=True)
class Closing:
    """What closing and reading back need to know of one grant. `marker_ref` is empty where opening never told it."""

    grant_id: str
    number: int
    nonce: str
    privilege: str
    marker_ref: str = ""
    opened_at_ms: int = 0

    @property
    def login(self) -> str:
        """Name of the login on the target. Numbers are never used twice."""
        return f"bg_{self.number}"

    @property
    def comment(self) -> str:
        """What the target shows beside the login, by which it is known as ours. Not a secret."""
        return f"breakglass grant {self.grant_id} {self.nonce}"


@dataclass(frozen=True)
class Opening:
    """Everything needed to open, and to open again: the same input twice has the same result."""

    grant_id: str
    number: int
    nonce: str
    privilege: str
    verifier: Secret
    expires_at_ms: int
    max_sessions: int = 3

    def closing(self, *, marker_ref: str = "", opened_at_ms: int = 0) -> Closing:
        """The same grant, as closing sees it."""
        return Closing(self.grant_id, self.number, self.nonce, self.privilege, marker_ref, opened_at_ms)

    @property
    def login(self) -> str:
        """Name of the login on the target."""
        return self.closing().login

    @property
    def comment(self) -> str:
        """What the target shows beside the login."""
        return self.closing().comment


@dataclass(frozen=True)
class Opened:
    """What was opened. `marker` is the name in the target's log, `marker_ref` what names it for ever (an oid).

    `superuser`: by what the target itself says, whoever uses it can do anything there, and so turn off its own logging.
    """

    login: str
    marker: str
    marker_ref: str
    provisioned_at_ms: int
    host: str
    port: int
    database: str
    statement_logging: bool
    superuser: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remainder:
    """Something found on the target. `kind` is one of REMAINDER_KINDS of the connector, `detail` a sentence."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Closed:
    """What closing did. Nothing here says that access is gone: only a read-back does.

    `statement_logging` is what the login's setting was just before it was removed; None where it was gone already. Of an account that
    lasts: when it got a new password, when that was tried, and whether the target took it; None where it got none.
    """

    marker_ref: str
    sessions_ended: int
    removed: bool
    remainders: tuple[Remainder, ...] = ()
    statement_logging: bool | None = None
    rotated_at_ms: int | None = None
    tested_at_ms: int | None = None
    login_taken: bool | None = None


@dataclass(frozen=True)
class Snapshot:
    """The catalogue of a target at one time: section -> key -> short value. Can be kept as JSON."""

    at_ms: int
    sections: Mapping[str, Mapping[str, str]]
    unread: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain maps, strings and integers."""
        sections = {name: dict(rows) for name, rows in self.sections.items()}
        return {"at_ms": self.at_ms, "sections": sections, "unread": list(self.unread)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Snapshot":
        """The snapshot that `as_json` gave."""
        return cls(int(value["at_ms"]), value["sections"], tuple(value["unread"]))


@dataclass(frozen=True)
class ReadBack:
    """What the target shows now. `remainders` keep `clear` from being true; `drift` are findings, never cleaned."""

    at_ms: int
    clear: bool
    remainders: tuple[Remainder, ...]
    drift: tuple[Remainder, ...]
    sessions_seen: int


@dataclass(frozen=True)
class LoginOnTarget:
    """One login able to act as a privilege. `comment` tells whether it is a grant's; `via` is how it is able."""

    login: str
    ref: str
    privilege: str
    can_login: bool
    via: str
    comment: str = ""
    expires_at_ms: int | None = None


@dataclass(frozen=True)
class Listing:
    """Every login able to act as one of the privileges; `sha256` (hex) is over the canonical answer."""

    at_ms: int
    query: str
    sha256: str
    logins: tuple[LoginOnTarget, ...]


@dataclass(frozen=True)
class Check:
    """One line of the connection test. `ok` is None where it is only worth knowing."""

    name: str
    ok: bool | None
    sentence: str


@dataclass(frozen=True)
class Running:
    """One session of a grant. `statement` is empty where the target does not show it; the text is personal."""

    session: str
    state: str
    statement: str
    started_at_ms: int | None
    statement_at_ms: int | None


@dataclass(frozen=True)
class Heartbeat:
    """What a target said of itself in the heartbeat's own session; nothing where its kind cannot tell.

    `sessions_counted` is its own count of sessions since the beginning of `stats_epoch` (any text; another one where the count
    began anew), `settings_sha256` (hex) is over its logging settings as read back.
    """

    sessions_counted: int | None = None
    stats_epoch: str = ""
    settings_sha256: str = ""


class Held(Protocol):
    """A watchdog that runs on the target while this object lives; it fires even when this process dies."""

    def alive(self) -> bool:
        """Ask the connection that holds it; False means start another."""
        ...

    def stop(self) -> None:
        """End it; also safe when it is gone."""
        ...


class Connector(Protocol):
    """One kind of target. All methods raise ConnectorError kinds only."""

    kind: str
    reads_back: bool
    lists_access: bool
    open_steps: tuple[str, ...]
    close_steps: tuple[str, ...]

    def make_secret(self) -> Secret:
        """A new password of at least 128 random bits."""
        ...

    def verifier(self, target: Target, login: str, password: Secret) -> Secret:
        """What the target stores instead of the password; made here, without the network. Keep it for retries."""
        ...

    def prepare(self, target: Target) -> Snapshot:
        """The catalogue before opening."""
        ...

    def open(self, target: Target, opening: Opening, *, step: Step = no_step) -> Opened:
        """Open, or make sure it is open. The caller holds the grant's lock and has checked its state."""
        ...

    def extend(self, target: Target, closing: Closing, *, expires_at_ms: int) -> None:
        """Move the end. Raises Gone where the login is not there or can no longer log in."""
        ...

    def close(self, target: Target, closing: Closing, *, step: Step = no_step) -> Closed:
        """Take the access away and remove the login where nothing hangs on it."""
        ...

    def read_back(self, target: Target, closing: Closing, *, before: Snapshot | None) -> ReadBack:
        """Look whether anything is left, and what else changed since `before`."""
        ...

    def list_access(self, target: Target, privileges: Collection[str]) -> Listing:
        """Every login able to act as one of the privileges."""
        ...

    def running(self, target: Target, closing: Closing) -> tuple[Running, ...]:
        """Sessions of the grant and what they do now."""
        ...

    def test(self, target: Target) -> tuple[Check, ...]:
        """The connection test, in sentences. Does not raise when the target is down: says so."""
        ...

    def dry_run(self, target: Target, privilege: str, minutes: int) -> tuple[str, ...]:
        """What opening would do, in sentences. Changes nothing."""
        ...

    def watchdog(self, target: Target) -> Held | None:
        """Start the one watchdog of the target; None when another process holds it already."""
        ...

    def heartbeat(self, target: Target, nonce: str) -> Heartbeat:
        """A marked act that must come back through the target's own log, and what the target counted by then."""
        ...
