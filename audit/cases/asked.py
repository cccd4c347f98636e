"""What was asked for and decided, and who was told of it. Times are milliseconds since 1970 UTC, people are pseudonyms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Later:
    """What a bypass had left out, and its responder gave afterwards."""

    at: int
    reason: str = ""
    category: str = ""
    classes: tuple[str, ...] = ()
    incident: str = ""


@dataclass(frozen=True)
class Asked:
    """What the responder asked for. ``owed`` is what a bypass left out; ``more`` says what of it was given later, and when.

    What was given before the review stands in the fields of what was asked as well.
    """

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
    more: tuple[Later, ...] = ()
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
class Refusal:
    """An act on this case that was not done."""

    by: str
    at: int
    act: str
    sentence: str
