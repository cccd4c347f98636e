"""What must be remembered of a log between two readings.

Plain structs, so that they can be stored as JSON with the position.
"""

import msgspec


class Asked(msgspec.Struct):
    """A change of what is logged that a statement asked for; an error may still come that says it was refused."""

    at: int
    number: int
    setting: str
    value: str
    weakens: bool


class Session(msgspec.Struct):
    """A process of the server whose lines are being counted."""

    session: str
    epoch: str = ""
    backend: str = ""
    last: int = 0
    last_at: int = 0
    missing: list[tuple[int, int]] = msgspec.field(default_factory=list)
    login: str = ""
    database: str = ""
    remote: str = ""
    authorized: bool = False
    started_at: int = 0
    trial: bool = False
    """It asked for the database of a login test, and nothing is told of it until it is known whether it got further."""
    counted: bool = False
    watched: bool = False
    statements: int = 0
    pending: int = 0
    """Number of the action that an error of the same text would belong to; 0 for none."""
    pending_text: bytes = b""
    """BLAKE2b of that text under ``key``."""
    key: bytes = b""
    asked: list[Asked] = msgspec.field(default_factory=list)
    """Changes that its last statement asked for, as long as its refusal may still be read."""

    @property
    def is_client(self) -> bool:
        """Whether it is a connection, and not a process of the server itself."""
        return self.backend in ("client backend", "not initialized", "walsender", "")


class Head(msgspec.Struct):
    """What is remembered of the log as a whole."""

    joined_at: int = 0
    """Time of the first line that was ever read; what began before it was not numbered for us."""
    epoch: str = ""
    epoch_closed: bool = False
    last_at: int = 0
    authorized: int = 0
    lines: int = 0
