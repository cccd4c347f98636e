"""A case: everything about one access request, as it was written. Times are milliseconds since 1970 UTC, people are pseudonyms."""

from dataclasses import dataclass, field
from functools import cached_property

from audit.cases.asked import Alert, Asked, Decision, Question, Refusal
from audit.cases.done import PENDING, WEAKEST_FIRST, Accepted, Activity, Session, Verdict
from audit.cases.judged import Finding, Review
from audit.cases.opened import Extension, Grant, ReadBack, Trouble


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
        """Actions of a class that was not asked for; none where nobody named an intent that they could be outside of."""
        return 0 if self.unnamed else sum(each.outside for each in self.activities)

    @property
    def unnamed(self) -> str:
        """What is said instead where no intent was named: until the review it may be given. Empty where there is one."""
        if self.asked is None or self.asked.classes:
            return ""
        reviewed = self.review is not None and self.review.submitted_at is not None
        return "no intent was named" if reviewed else "no intent named yet"

    @property
    def outside_says(self) -> str:
        """How many actions were outside the intent, or that there is none."""
        return self.unnamed or f"{self.outside_count} out of intent"

    @property
    def settled(self) -> bool:
        """Whether nothing more is expected of the target: it never opened, or it ended and was judged."""
        over = self.ended_as != "" or (self.grant is not None and (self.grant.confirmed_at or self.grant.failed))
        return bool(over) and self.verdict != PENDING
