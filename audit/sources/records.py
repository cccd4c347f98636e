"""What a reader finds in a target's log, whatever the kind of target. Times are milliseconds since 1970 UTC.

Nothing here knows grants or the portal: `session` is the name that the target's own log gives to a connection.
"""

import uuid
from dataclasses import dataclass
from typing import TypeAlias

CLASSES = (
    "session", "catalogue_read", "data_read", "other", "data_change", "schema_change", "config_change", "permission_change",
)  # fmt: skip
"""Classes of activity from the lightest to the heaviest; where one line does several things the heaviest counts."""

OUTCOMES = ("ok", "no_error_seen", "denied", "failed", "unknown")

_NAMESPACE = uuid.UUID("5c1b1ad5-5c3e-5b0a-9d53-2f6f0a8c7e11")


def session_uuid(source_id: str, session: str) -> str:
    """The identity of one connection; the same for every reading of the same line."""
    return str(uuid.uuid5(_NAMESPACE, f"{source_id}/{session}"))


def activity_uuid(session_id: str, number: int) -> str:
    """The identity of one action: its session's identity and its number there."""
    return str(uuid.uuid5(_NAMESPACE, f"{session_id}/{number}"))


@dataclass(frozen=True)
class EpochStarted:
    """The target's server started. ``after`` says how the time before it ended: first, shut down, unknown."""

    epoch: str
    at: int
    after: str
    last_seen_at: int | None = None


@dataclass(frozen=True)
class HeartbeatSeen:
    """The portal's marked act came back. ``authorized`` counts the logins read until then."""

    nonce: str
    at: int
    epoch: str
    session: str
    number: int
    authorized: int


@dataclass(frozen=True)
class LossFound:
    """Something that was written cannot be read any more. ``kind`` is one of `LOSSES`."""

    kind: str
    from_at: int
    to_at: int
    says: str
    session: str = ""
    from_number: int | None = None
    to_number: int | None = None

    @property
    def count(self) -> int | None:
        """How many numbers are missing, where that is known."""
        if self.from_number is None or self.to_number is None:
            return None
        return self.to_number - self.from_number + 1


LOSSES = (
    "numbers_missing", "numbers_repeated", "session_cut", "file_vanished", "file_cut", "line_unreadable", "epoch_not_chained",
)  # fmt: skip


NOT_SHOWN = "(not shown)"
"""Stands for the name of a setting, where a statement may have changed one and does not show which."""


@dataclass(frozen=True)
class SettingsChanged:
    """A setting that decides what the target logs changed; ``weakens`` where less is logged from then on, or may be."""

    at: int
    setting: str
    value: str
    weakens: bool
    session: str = ""
    number: int | None = None


@dataclass(frozen=True)
class SessionStarted:
    """A connection was let in."""

    session: str
    login: str
    database: str
    remote: str
    at: int


@dataclass(frozen=True)
class SessionEnded:
    """A connection is over. ``state``: complete, gap, or cut (its end is not in the log). ``missing`` are inclusive ranges."""

    session: str
    at: int
    last_number: int
    state: str
    missing: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class SessionRefused:
    """A login was refused."""

    session: str
    login: str
    database: str
    remote: str
    at: int
    outcome: str
    state_code: str
    number: int


@dataclass(frozen=True)
class Activity:
    """One action. ``statement`` is masked already; ``raw_sha256`` is SHA-256(salt + raw lines joined by a newline)."""

    session: str
    number: int
    last_number: int
    at: int
    zone_known: bool
    class_: str
    at_least: bool
    outcome: str
    state_code: str
    statement: str
    statement_length: int
    object: str
    raw_sha256: str
    raw_salt: str


@dataclass(frozen=True)
class OutcomeLearned:
    """An error that was read in a later reading than the action it belongs to, which has number ``of_number``."""

    session: str
    of_number: int
    number: int
    at: int
    outcome: str
    state_code: str
    raw_sha256: str
    raw_salt: str


Found: TypeAlias = (
    EpochStarted
    | HeartbeatSeen
    | LossFound
    | SettingsChanged
    | SessionStarted
    | SessionEnded
    | SessionRefused
    | Activity
    | OutcomeLearned
)
