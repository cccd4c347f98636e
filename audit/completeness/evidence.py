"""What a verdict rests on, as plain facts. Times are milliseconds since 1970 UTC, bounds of windows inclusive."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scheme:
    """How a source declared that it counts. ``lateness_ms``: how much later than its time a record may come."""

    counting: str
    lateness_ms: int = 2_000
    patience_ms: int = 3_600_000
    """How long a missing heartbeat is waited for before silence is called unknown."""
    compared: frozenset[str] = frozenset()
    """Settings of which each heartbeat brings a hash."""


@dataclass(frozen=True)
class Window:
    """A grant, or one UTC day of a source. ``settled_at`` is when nothing more could be written: the read-back, or the day's end."""

    id: str
    source_id: str
    system_id: str
    kind: str
    from_at: int
    to_at: int
    settled_at: int
    grant_id: str = ""
    case: str = ""
    statement_logging: bool = True
    logged_at_end: bool = True
    """False where closing found that the login's statements were no longer logged."""
    superuser: bool = False


@dataclass(frozen=True)
class Beat:
    """A heartbeat: ``sent_at`` by the portal's clock, ``seen_at`` by the target's.

    ``sent_at`` is None where the portal's word of it is missing, ``seen_at`` where it did not come back; ``counted`` is the target's own
    count of sessions.
    """

    nonce: str
    sent_at: int | None
    seen_at: int | None
    authorized: int | None = None
    counted: int | None = None
    stats_epoch: str = ""
    settings_sha256: str = ""

    def before(self, at: int) -> bool:
        """Whether it came back and was made until then, by either clock: a window is of the portal's, whatever the target's shows."""
        return self.sent_at is not None and self.seen_at is not None and max(self.sent_at, self.seen_at) <= at

    def behind(self, at: int) -> bool:
        """Whether it came back and was made later than that, by either clock."""
        return self.sent_at is not None and self.seen_at is not None and min(self.sent_at, self.seen_at) > at


@dataclass(frozen=True)
class SessionSeen:
    """A session of the grant. ``ended_at`` is None while no end was read."""

    name: str
    started_at: int
    ended_at: int | None = None
    state: str = "open"
    last_number: int | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """Something that was lost; ``grant_id`` where it is of a grant's session."""

    kind: str
    from_at: int
    to_at: int
    says: str
    grant_id: str = ""
    session: str = ""
    numbers: str = ""


@dataclass(frozen=True)
class SettingChange:
    """A logging setting changed, by the target's clock; without a session it holds for the whole server until it is changed again."""

    at: int
    setting: str
    value: str
    weakens: bool
    session: str = ""


@dataclass(frozen=True)
class Unmatched:
    """A session that no grant and no declared account explains."""

    name: str
    started_at: int
    why: str


@dataclass(frozen=True)
class Evidence:
    """Everything that was read of a source around a window. ``counts``: (counted by the target, read), for a source without numbers."""

    beats: tuple[Beat, ...] = ()
    sessions: tuple[SessionSeen, ...] = ()
    losses: tuple[Loss, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    counts: tuple[int, int] | None = None
    unread: tuple[str, ...] = ()
    """What there was too much of to read it all."""


@dataclass(frozen=True)
class Gap:
    """Where something is missing, and why that is said."""

    range: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What can be said: complete, reconciled, gap, pending, unknown or not covered."""

    kind: str
    ranges: tuple[str, ...] = ()
    reasons: tuple[str, ...] = field(default=())
