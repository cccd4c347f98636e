"""What judging a use comes to: answers kept, findings, what the log is told."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from audit.log.append import Actor
from portal.clock import ms
from portal.findings.actions import raise_finding
from portal.people.models import Person
from portal.reviews import rules
from portal.reviews.models import Review
from portal.reviews.questions import ANSWERS, SETS_UPHELD, YES, questions, statement_sha256
from portal.systems.models import System


def kept(answers: rules.Answers) -> dict[str, dict[str, str]]:
    """Answers as they are stored: nothing for a question that has neither answer nor comment."""
    stored = {
        key: {"answer": said["answer"], "comment": said.get("comment", "").strip()} for key, said in answers.items()
    }
    return {key: said for key, said in sorted(stored.items()) if said["answer"] or said["comment"]}


def version_of(stored: Mapping[str, Mapping[str, str]]) -> str:
    """Names what is kept, so that a page can say what it was made from: SHA-256 of its JSON, in hexadecimal."""
    return sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def raise_for(by: Actor, row: Review, system: System, owner: Person, due_at: datetime | None = None) -> None:
    """Open a finding for each adverse answer, within the action that judges."""
    for question in rules.adverse(row.answers):
        said = row.answers[question.id]
        raise_finding(
            by=by, kind="review_answer", title=f"{question.ask} {ANSWERS[said['answer']]}",
            about=str(row.pk), details=f"Question {question.number} of the review. {said['comment']}", case=row.log_case, system=system, owner=owner,
            due_at=due_at, test_id=question.tests[0] if question.tests else "",
        )  # fmt: skip


def judged(by: Actor, row: Review, involved: frozenset[str]) -> dict[str, Any]:
    """What the event of a judgement says of it."""
    upheld = next(each for each in questions() if each.sets == SETS_UPHELD)
    comments = [f"{key}: {said['comment']}" for key, said in row.answers.items() if said["comment"]]
    return {
        "reviewer_id": by.id, "due_at": ms(row.due_at), "answers": {key: said["answer"] for key, said in row.answers.items()},
        "answers_missing": len(rules.unanswered(row.answers)), "adverse_answers": len(rules.adverse(row.answers)),
        "emergency_upheld": row.answers[upheld.id]["answer"] == YES, "outcome": row.outcome, "statement_sha256": statement_sha256(),
        "comments": "\n".join(comments) or None, "involved": sorted(involved),
    }  # fmt: skip
