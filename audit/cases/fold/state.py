"""A case while it is being folded."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from audit.cases.asked import Alert, Asked, Decision, Question, Refusal
from audit.cases.done import Activity, Session, Verdict
from audit.cases.judged import Finding, Review
from audit.cases.opened import Extension, Grant, ReadBack, Trouble
from audit.log.read import LoggedEvent


@dataclass
class Folding:
    """What is known so far."""

    id: str = ""
    asked: Asked | None = None
    decisions: list[Decision] = field(default_factory=list)
    seen: list[tuple[str, int]] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    ended_as: str = ""
    decided_at: int | None = None
    alerts: dict[str, Alert] = field(default_factory=dict)
    grant: Grant | None = None
    extensions: dict[str, Extension] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    read_backs: list[ReadBack] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    review: Review | None = None
    acceptances: dict[str, LoggedEvent] = field(default_factory=dict)
    accepted_at_once: frozenset[str] = frozenset()
    findings: dict[str, Finding] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    learned: dict[str, tuple[str, str]] = field(default_factory=dict)
    by_names: dict[str, str] = field(default_factory=dict)
    position: int | None = None

    def on_grant(self, event: LoggedEvent, **changes: Any) -> None:
        """Change what is known of the grant; an event may be the first to name it."""
        self.grant = replace(self.grant or Grant(event.fields["grant_id"]), **changes)

    def on_review(self, event: LoggedEvent, **changes: Any) -> None:
        """Change what is known of the review."""
        self.review = replace(self.review or Review(event.fields["review_id"]), **changes)


Handler = Callable[[Folding, LoggedEvent], None]


def words(event: LoggedEvent, name: str) -> tuple[str, ...]:
    """A list field as texts; nothing where it is not given."""
    return tuple(str(each) for each in event.fields.get(name, ()))
