"""What was asked, what was answered, what was refused."""

from dataclasses import replace

from audit.cases.asked import Asked, Decision, Later, Question, Refusal
from audit.cases.fold.state import Folding, Handler, words
from audit.log.read import LoggedEvent


def _made(to: Folding, event: LoggedEvent) -> None:
    given = event.fields
    to.asked = Asked(
        given["responder_id"], event.at, given["system_id"], given["system_name"], given["privilege_id"], given["privilege_name"],
        given["mode"], given["minutes"], given["policy_id"], given["policy_number"], given["policy_sha256"],
        given.get("category", ""), given.get("criterion", ""), event.says("reason"), given.get("incident_ref", ""),
        words(event, "intended_classes"), given["approvals_needed"], words(event, "asked"), words(event, "told"),
        words(event, "skipped"), words(event, "owed"), (), given.get("lapses_at"), given["ends_about"],
    )  # fmt: skip


def _supplemented(to: Folding, event: LoggedEvent) -> None:
    """What a bypass owed. It is owed until the review: an intent given later changes nothing."""
    if to.asked is None:
        return
    given = event.fields
    said = given.get("category", ""), words(event, "intended_classes"), given.get("incident_ref", "")
    more = (*to.asked.more, Later(event.at, event.says("reason"), *said))
    if to.review and to.review.submitted_at is not None:
        to.asked = replace(to.asked, more=more)
        return
    to.asked = replace(
        to.asked, more=more, category=given.get("category", to.asked.category), incident=given.get("incident_ref", to.asked.incident),
        classes=words(event, "intended_classes") or to.asked.classes,
    )  # fmt: skip


def _approved(to: Folding, event: LoggedEvent) -> None:
    to.decisions.append(Decision(event.by, event.at, True, event.says("comment")))
    if event.fields["approvals"] >= event.fields["approvals_needed"]:
        to.decided_at = event.at


def _declined(to: Folding, event: LoggedEvent) -> None:
    to.decisions.append(Decision(event.by, event.at, False, event.says("comment")))
    to.ended_as, to.decided_at = "declined", event.at


def _closed_request(to: Folding, event: LoggedEvent) -> None:
    to.ended_as, to.decided_at = event.name.removeprefix("request."), event.at


def _seen(to: Folding, event: LoggedEvent) -> None:
    to.seen.append((event.fields["person_id"], event.at))


def _questioned(to: Folding, event: LoggedEvent) -> None:
    key = event.fields["question_id"]
    to.questions[key] = Question(key, event.by, event.at, event.says("text"))


def _answered(to: Folding, event: LoggedEvent) -> None:
    known = to.questions.get(event.fields["question_id"])
    if known is not None:
        to.questions[known.id] = replace(known, answered_at=event.at, answer=event.says("text"))


def refused(to: Folding, event: LoggedEvent) -> None:
    """An act on the case that was not done."""
    if "sentence" in event.fields:
        to.refusals.append(Refusal(event.by, event.at, event.fields["act"], event.fields["sentence"]))


HANDLERS: dict[str, Handler] = {
    "request.made": _made,
    "request.supplemented": _supplemented,
    "request.approved": _approved,
    "request.declined": _declined,
    "request.withdrawn": _closed_request,
    "request.lapsed": _closed_request,
    "request.seen": _seen,
    "request.questioned": _questioned,
    "request.answered": _answered,
}
