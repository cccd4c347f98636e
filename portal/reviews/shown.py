"""A review's facts in the words and the order of its page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.events.glossary import INCIDENT, INTENDED_ACTIONS, KIND_OF_TROUBLE, REASON, WHY_NOW
from portal.clock import minutes
from portal.policy.rules import CATEGORIES, CLASSES, CRITERIA
from portal.reviews.models import Review
from portal.reviews.queries import Evidence
from portal.reviews.questions import ANSWERS, Question, questions

NOT_SAID = "Not said"
BEGAN = {"bypass": "Broke the glass"}


def asked_of(review: Review) -> list[tuple[str, str]]:
    """What the responder said, for a list of facts."""
    asked = review.request
    if review.grant is None:  # declared afterwards, when nothing was meant to be opened any more
        return [
            (WHY_NOW, CRITERIA.get(asked.criterion, asked.criterion) or NOT_SAID),
            (REASON, asked.reason),
            (INCIDENT, asked.incident_ref or NOT_SAID),
        ]
    classes = ", ".join(CLASSES.get(each, each).lower() for each in asked.intended_classes)
    return [
        ("Way", asked.get_mode_display()),
        (WHY_NOW, CRITERIA.get(asked.criterion, asked.criterion) or NOT_SAID),
        (KIND_OF_TROUBLE, CATEGORIES.get(asked.category, asked.category) or NOT_SAID),
        (REASON, asked.reason),
        (INCIDENT, asked.incident_ref or NOT_SAID),
        (INTENDED_ACTIONS, classes or NOT_SAID),
        ("Asked for", minutes(asked.minutes)),
    ]


@dataclass(frozen=True)
class Step:
    """One line of the course of events."""

    title: str
    at: datetime
    text: str = ""
    by: str = ""
    icon: str = ""
    tone: str = ""


def course_of(review: Review, evidence: Evidence) -> list[Step]:
    """Who asked, decided, opened and ended, in order. Alerts have a table of their own."""
    grant, asked = review.grant, review.request
    first = "Said that the offline cards were used" if grant is None else BEGAN.get(asked.mode, "Asked")
    steps = [Step(first, asked.requested_at, by=asked.responder.name, icon="bell")]
    for each in evidence.approvals:
        word = "Approved" if each.decision == "approve" else "Declined"
        steps.append(Step(word, each.decided_at, each.comment, each.approver.name, "user-check"))
    for more in evidence.extensions:
        steps.append(
            Step(f"Asked for {minutes(more.minutes)} more", more.asked_at, more.reason, asked.responder.name, "clock")
        )
        if more.decided_at and more.decided_by:
            given = "given" if more.decision == "approve" else "not given"
            steps.append(Step(f"More time {given}", more.decided_at, by=more.decided_by.name, icon="clock"))
    told = grant and (
        ("Opened", grant.opened_at, "lock-open"),
        ("Secret last shown" if grant.account_id else "Password last shown", grant.revealed_at, "key"),
        (grant.get_end_cause_display(), grant.ended_at, "lock"),
        (
            "No session left; a secret that was shown works until it is replaced"
            if grant.account_id
            else "Gone: read back from the target",
            grant.confirmed_at,
            "circle-check",
        ),
    )
    steps += [Step(title, at, icon=icon) for title, at, icon in told or () if at is not None]
    return sorted(steps, key=lambda step: step.at)


@dataclass(frozen=True)
class Said:
    """One answer as it was submitted."""

    question: Question
    word: str
    comment: str
    adverse: bool


def said_of(review: Review) -> list[Said]:
    """The answers in the order of the questions."""
    return said_in(review.answers)


def said_in(given: Mapping[str, Mapping[str, str]]) -> list[Said]:
    """As `said_of`, of answers as they are stored."""
    rows = []
    for each in questions():
        answer = given.get(each.id, {})
        rows.append(
            Said(
                each,
                ANSWERS.get(answer.get("answer", ""), ""),
                answer.get("comment", ""),
                answer.get("answer") in each.adverse,
            )
        )
    return rows
