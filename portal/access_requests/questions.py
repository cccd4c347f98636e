"""A question to the responder and its answer. Both stay on the case; neither decides anything."""

from audit.log.append import Actor, action, append
from portal.access_requests.facts import who_where_what
from portal.access_requests.models import AccessRequest, Question
from portal.access_requests.queries import was_reviewed
from portal.access_requests.rules import may_question
from portal.access_requests.states import APPROVED, AWAITING
from portal.clock import now
from portal.errors import ChangedMeanwhile, NotAllowed, RefusedByPolicy, WrongState
from portal.notifications.outbox import tell

MOST_UNANSWERED = 10
OVER = "This request is over and judged, or was never opened: nothing can be asked or answered any more."


def goes_on(request: AccessRequest) -> None:
    """It waits, or it was approved and the use was not reviewed.

    Raises:
        WrongState: it is over.
    """
    if request.state not in (AWAITING, APPROVED) or was_reviewed(request):
        raise WrongState(OVER, about=request)


def _locked(request: AccessRequest) -> AccessRequest:
    rows = AccessRequest.objects.select_for_update(of=("self",)).select_related("system", "responder", "privilege")
    return rows.get(pk=request.pk)


@action(event="request.questioned", refused="request.act_refused")
def question(*, by: Actor, request: AccessRequest, text: str) -> Question:
    """Ask the responder, who is told."""
    row = _locked(request)
    may_question(by, row)
    goes_on(row)
    if not text.strip():
        raise RefusedByPolicy("Type your question.", about=row)
    if row.questions.filter(answered_at__isnull=True).count() >= MOST_UNANSWERED:
        raise RefusedByPolicy(
            f"{MOST_UNANSWERED} questions wait for an answer already.", about=row, kind="too many at once"
        )
    asked = Question.objects.create(request=row, asked_by_id=by.id, text=text.strip(), asked_at=now())
    tell(
        by=by, people=[row.responder], kind="request.questioned", case=str(row.pk), about=row.log_subject, path=f"/requests/{row.pk}/",
        facts={**who_where_what(row), "by": by.name, "question": asked.text},
    )  # fmt: skip
    append("request.questioned", by=by, case=row.pk, subject=row.log_subject, question_id=asked.pk, text=asked.text)
    return asked


@action(event="request.answered", refused="request.act_refused")
def answer(*, by: Actor, question: Question, text: str) -> Question:
    """Answer a question, once; who asked it is told."""
    row = _locked(question.request)
    asked = Question.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=question.pk)
    if str(row.responder_id) != by.id:
        raise NotAllowed("Only the responder answers.", about=row)
    if asked.answered_at is not None:
        raise ChangedMeanwhile("You have answered this already.", about=row)
    goes_on(row)
    if not text.strip():
        raise RefusedByPolicy("Type your answer.", about=row)
    asked.answer, asked.answered_at = text.strip(), now()
    asked.save(update_fields=["answer", "answered_at"])
    tell(
        by=by, people=[asked.asked_by], kind="request.answered", case=str(row.pk), about=row.log_subject, path=f"/requests/{row.pk}/",
        facts={**who_where_what(row), "question": asked.text, "answer": asked.answer},
    )  # fmt: skip
    append("request.answered", by=by, case=row.pk, subject=row.log_subject, question_id=asked.pk, text=asked.answer)
    return asked
