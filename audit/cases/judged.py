"""The look at a use afterwards: review, second look, findings. Times are milliseconds since 1970 UTC, people are pseudonyms."""

from dataclasses import dataclass


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
