"""A case: everything about one access request, as it was written. Times are milliseconds since 1970 UTC, people are pseudonyms."""

from dataclasses import dataclass, field
from functools import cached_property

ALWAYS_IN = frozenset({"session", "catalogue_read"})
"""Classes that belong to every intent."""
FAILED = frozenset({"failed", "denied"})
PENDING = "pending"
# The weakest verdict of several sources stands for all.
WEAKEST_FIRST = ("gap", "unknown", "not covered", PENDING, "reconciled", "complete")


@dataclass(frozen=True)
class Asked:
    """What the responder asked for. ``owed`` is what a bypass left out; ``given_later`` says when it was supplemented."""

    by: str
    at: int
    system_id: str
    system: str
    privilege_id: str
    privilege: str
    mode: str
    minutes: int
    policy_id: str
    policy_number: int
    policy_sha256: str
    category: str = ""
    criterion: str = ""
    reason: str = ""
    incident: str = ""
    classes: tuple[str, ...] = ()
    needed: int = 0
    asked: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    owed: tuple[str, ...] = ()
    more: tuple[tuple[int, str], ...] = ()
    lapses_at: int | None = None
    ends_about: int | None = None


@dataclass(frozen=True)
class Decision:
    """One approver's answer."""

    by: str
    at: int
    approved: bool
    comment: str = ""


@dataclass(frozen=True)
class Question:
    """What somebody asked the responder, and the answer."""

    id: str
    by: str
    at: int
    text: str
    answered_at: int | None = None
    answer: str = ""


@dataclass(frozen=True)
class Alert:
    """One person, or one address, that was to be told."""

    id: str
    recipient: str
    channel: str
    kind: str
    queued_at: int | None = None
    sent_at: int | None = None
    failures: int = 0
    seen_at: int | None = None
    delivered_at: int | None = None
    seen_over: str = ""
    looked_at: int | None = None


@dataclass(frozen=True)
class Extension:
    """More time: asked, and what became of it."""

    id: str
    minutes: int
    asked_at: int | None = None
    reason: str = ""
    decided_at: int | None = None
    decided_by: str = ""
    given: bool = False
    expires_at: int | None = None
    applied_at: int | None = None


@dataclass(frozen=True)
class Trouble:
    """An attempt on the target that did not work; ``act`` is ``open`` or ``close``."""

    act: str
    at: int
    attempt: int
    sentence: str


@dataclass(frozen=True)
class ReadBack:
    """What the target showed after closing."""

    at: int
    clear: bool
    remainders: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    details: str = ""
    drift_details: str = ""
    sessions_ended: int = 0


@dataclass(frozen=True)
class Grant:
    """The opening that followed."""

    id: str
    authorised_at: int | None = None
    attempts: int = 0
    login: str = ""
    opened_at: int | None = None
    first_expires_at: int | None = None
    expires_at: int | None = None
    statement_logging: bool | None = None
    unsealed: bool = False
    witnessed: bool = False
    warnings: tuple[str, ...] = ()
    revealed: tuple[int, ...] = ()
    over: str = ""
    over_by: str = ""
    over_reason: str = ""
    ended_at: int | None = None
    over_at: int | None = None
    removed_at: int | None = None
    confirmed_at: int | None = None
    failed: str = ""
    closing: bool = False
    account_id: str = ""
    replace_owed_at: int | None = None
    replace_due_at: int | None = None
    replaced_at: int | None = None
    replacement_tried_at: int | None = None

    @property
    def sealed(self) -> bool:
        """It opened a sealed account: the account and its secret outlive the access."""
        return bool(self.account_id)

    @property
    def secret_known(self) -> bool:
        """The secret of a sealed account was shown and not replaced since: it works, whatever the read-back found."""
        return self.sealed and bool(self.revealed) and self.replaced_at is None


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


@dataclass(frozen=True)
class SecondLook:
    """What a second reviewer was asked, and says of the first one's judgement."""

    asked_at: int
    due_at: int
    questions: tuple[str, ...] = ()
    pool: tuple[str, ...] = ()
    reviewer: str = ""
    claimed_at: int | None = None
    submitted_at: int | None = None
    agrees: bool | None = None
    words: str = ""


@dataclass(frozen=True)
class Review:
    """The look at the use afterwards."""

    id: str
    due_at: int | None = None
    pool: tuple[str, ...] = ()
    reviewer: str = ""
    claimed_at: int | None = None
    submitted_at: int | None = None
    outcome: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    missing: int = 0
    adverse: int = 0
    upheld: bool | None = None
    comments: str = ""
    second: SecondLook | None = None

    @property
    def done_at(self) -> int | None:
        """When it was done: by the second reviewer where one was asked."""
        return self.second.submitted_at if self.second else self.submitted_at


@dataclass(frozen=True)
class Finding:
    """Something to put right, as far as it has come."""

    id: str
    title: str
    kind: str
    raised_at: int
    state: str = "raised"
    owner: str = ""
    due_at: int | None = None
    details: str = ""
    cause: str = ""
    response: str = ""
    closed_at: int | None = None
    retest_ok: bool | None = None


@dataclass(frozen=True)
class Refusal:
    """An act on this case that was not done."""

    by: str
    at: int
    act: str
    sentence: str


@dataclass(frozen=True)
class Case:
    """Everything about one access request."""

    id: str
    asked: Asked | None
    decisions: tuple[Decision, ...] = ()
    seen: tuple[tuple[str, int], ...] = ()
    questions: tuple[Question, ...] = ()
    ended_as: str = ""
    decided_at: int | None = None
    alerts: tuple[Alert, ...] = ()
    grant: Grant | None = None
    extensions: tuple[Extension, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    read_backs: tuple[ReadBack, ...] = ()
    sessions: tuple[Session, ...] = ()
    activities: tuple[Activity, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    review: Review | None = None
    accepted: Accepted = field(default_factory=Accepted)
    findings: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    position: int | None = None
    by_names: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def verdict(self) -> str:
        """The weakest verdict of its sources; pending until one was given; nothing where nothing was opened."""
        if self.grant is None or self.grant.opened_at is None:
            return ""
        kinds = {each.kind for each in self.verdicts}
        return next((kind for kind in WEAKEST_FIRST if kind in kinds), PENDING)

    @cached_property
    def failed_count(self) -> int:
        """Actions that failed or were denied."""
        return sum(each.failed for each in self.activities)

    @cached_property
    def outside_count(self) -> int:
        """Actions of a class that was not asked for."""
        return sum(each.outside for each in self.activities)

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of the target: it never opened, or it ended and was judged."""
        over = self.ended_as != "" or (self.grant is not None and (self.grant.confirmed_at or self.grant.failed))
        return bool(over) and self.verdict != PENDING
