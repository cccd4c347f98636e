"""What people said of the use afterwards."""

from dataclasses import replace
from typing import Any

from audit.cases.done import Accepted
from audit.cases.fold.state import Folding, Handler, words
from audit.cases.judged import Finding, SecondLook
from audit.log.read import LoggedEvent


def _review_due(to: Folding, event: LoggedEvent) -> None:
    to.on_review(event, due_at=event.fields["due_at"], pool=words(event, "pool"))


def _claimed(to: Folding, event: LoggedEvent) -> None:
    to.on_review(event, reviewer=event.fields["reviewer_id"], claimed_at=event.at)


def _handed_over(to: Folding, event: LoggedEvent) -> None:
    to.on_review(
        event, reviewer=event.fields.get("to_id", ""), claimed_at=event.at if event.fields.get("to_id") else None
    )


def _accepted(to: Folding, event: LoggedEvent) -> None:
    to.acceptances[event.fields["acceptance_id"]] = event


def _taken_back(to: Folding, event: LoggedEvent) -> None:
    to.acceptances.pop(event.fields["acceptance_id"], None)


def accepted(done: Folding) -> Accepted:
    """What stands of the acceptances; a review without any named all of them when it was submitted."""
    ids = set(done.accepted_at_once).union(*(each.fields["activities"] for each in done.acceptances.values()))
    groups = [each.fields for each in done.acceptances.values() if "class" in each.fields]
    return Accepted(frozenset(ids), tuple((each.get("session_id", ""), each["class"], each["upto"]) for each in groups))


def _submitted(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.accepted_at_once = frozenset(given["accepted_activities"])
    to.on_review(
        event, reviewer=given["reviewer_id"], submitted_at=event.at, due_at=given["due_at"], outcome=given["outcome"],
        answers=tuple(sorted((str(key), str(value)) for key, value in given["answers"].items())), missing=given["answers_missing"],
        adverse=given["adverse_answers"], upheld=bool(given["emergency_upheld"]), comments=event.says("comments"),
    )  # fmt: skip


def _second_asked(to: Folding, event: LoggedEvent) -> None:
    asked = SecondLook(event.at, event.fields["due_at"], words(event, "questions"), words(event, "pool"))
    to.on_review(event, second=asked)


def _second(to: Folding, event: LoggedEvent) -> None:
    known = to.review.second if to.review else None
    if known is None:
        return
    given, at = event.fields, event.at
    changes: dict[str, dict[str, Any]] = {
        "review.second_claimed": {"reviewer": given.get("reviewer_id", ""), "claimed_at": at},
        "review.second_handed_over": {"reviewer": given.get("to_id", ""), "claimed_at": at if given.get("to_id") else None},
        "review.second_given_next": {"reviewer": given.get("to_id", ""), "claimed_at": at},
        "review.second_submitted": {
            "reviewer": given.get("reviewer_id", ""), "submitted_at": at, "agrees": bool(given.get("agrees")), "words": event.says("words"),
        },
    }  # fmt: skip
    to.on_review(event, second=replace(known, **changes[event.name]))


def _finding(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    if event.name == "finding.raised":
        to.findings[given["finding_id"]] = Finding(
            given["finding_id"], given["title"], given["kind"], event.at, "assigned" if given.get("owner_id") else "raised",
            given.get("owner_id", ""), given.get("due_at"), event.says("details"),
        )  # fmt: skip
        return
    known = to.findings.get(given["finding_id"])
    if known is None:
        return
    changes: dict[str, dict[str, Any]] = {
        "finding.assigned": {"state": "assigned", "owner": given.get("owner_id", ""), "due_at": given.get("due_at")},
        "finding.answered": {"state": "answered", "cause": event.says("cause"), "response": event.says("response")},
        "finding.due_moved": {"due_at": given.get("due_at")},
        "finding.closed": {"state": "closed", "closed_at": event.at, "retest_ok": bool(given.get("retest_ok"))},
    }
    to.findings[known.id] = replace(known, **changes[event.name])


HANDLERS: dict[str, Handler] = {
    "review.due": _review_due,
    "review.claimed": _claimed,
    "review.handed_over": _handed_over,
    "review.given_next": _handed_over,
    "review.acts_accepted": _accepted,
    "review.acceptance_taken_back": _taken_back,
    "review.submitted": _submitted,
    "review.second_asked": _second_asked,
    **dict.fromkeys(
        ("review.second_claimed", "review.second_handed_over", "review.second_given_next", "review.second_submitted"),
        _second,
    ),
    **dict.fromkeys(
        ("finding.raised", "finding.assigned", "finding.answered", "finding.due_moved", "finding.closed"), _finding
    ),
}
