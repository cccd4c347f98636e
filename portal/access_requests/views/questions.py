"""Asking the responder something, and answering."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from portal.access_requests import questions
from portal.access_requests.forms import AnswerForm, QuestionForm
from portal.access_requests.queries import question_for_act
from portal.access_requests.views.page import answer
from portal.grants.life import request_for_act
from portal.people.signing_in import PersonRequest, signed_in


@require_POST
@signed_in
def request_question(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Ask the responder."""
    wanted, form = request_for_act(pk), QuestionForm(request.POST)
    if wanted is None:
        raise Http404
    if form.is_valid():
        form.carry_out(lambda: questions.question(by=request.actor, request=wanted, text=form.cleaned_data["question"]))
    return answer(request, pk, question=form)


@require_POST
@signed_in
def question_answer(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Answer."""
    asked = question_for_act(pk)
    if asked is None:
        raise Http404
    form = AnswerForm(request.POST, question=asked)
    if form.is_valid():
        form.carry_out(lambda: questions.answer(by=request.actor, question=asked, text=form.cleaned_data["answer"]))
    return answer(request, asked.request_id, answer=form)
