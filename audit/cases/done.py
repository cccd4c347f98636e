"""What was done on the target, as its sources report it, and how complete that is. Times are milliseconds since 1970 UTC."""

from dataclasses import dataclass

ALWAYS_IN = frozenset({"session", "catalogue_read"})
"""Classes that belong to every intent."""
FAILED = frozenset({"failed", "denied"})
PENDING = "pending"
# The weakest verdict of several sources stands for all.
WEAKEST_FIRST = ("gap", "unknown", "not covered", PENDING, "reconciled", "complete")


@dataclass(frozen=True)
class Session:
    """One connection on the target; ``refused`` is the outcome of a login that was not let in."""

    id: str
    name: str
    login: str = ""
    database: str = ""
    remote: str = ""
    started_at: int | None = None
    ended_at: int | None = None
    state: str = ""
    missing: int = 0
    ranges: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True)
class Activity:
    """One action on the target, its outcome as learned last. ``outside``: of a class that was not asked for."""

    id: str
    event_id: str
    index: int | None
    session_id: str
    class_: str
    at_least: bool
    outcome: str
    state_code: str
    at: int
    number: int
    statement: str = ""
    object: str = ""
    length: int | None = None
    outside: bool = False
    accepted: bool = False

    @property
    def failed(self) -> bool:
        """Whether the target refused it or it broke off."""
        return self.outcome in FAILED


@dataclass(frozen=True)
class Accepted:
    """What the reviewer accepts of what was outside the intent: actions by id, and groups up to an entry of the log."""

    ids: frozenset[str] = frozenset()
    groups: tuple[tuple[str, str, int], ...] = ()  # session, or "" for all of them; class; last entry

    def holds(self, activity_id: str, session_id: str, kind: str, index: int | None) -> bool:
        """Whether an action is among it. What is not sealed yet was in no group."""
        return activity_id in self.ids or any(
            kind == each and session in ("", session_id) and index is not None and index <= upto
            for session, each, upto in self.groups
        )


@dataclass(frozen=True)
class Verdict:
    """What completeness said last of one source and window."""

    source_id: str
    at: int
    kind: str
    from_at: int
    to_at: int
    reasons: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
