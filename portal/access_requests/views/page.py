"""One page for the whole life of a request, and the acts on it until it is decided."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.actions import decline, see, supplement, withdraw
from portal.access_requests.forms import AnswerForm, DecisionForm, QuestionForm, SupplementForm
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import Asked
from portal.grants import authorising, opening
from portal.grants.forms import ExtensionDecisionForm, ExtensionForm, RevocationForm
from portal.grants.hurry import hurry
from portal.grants.life import Life, life_of, request_for_act
from portal.grants.told import awaited, told
from portal.grants.way_in import way_in
from portal.hints import hint
from portal.kept import KeptForm, confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy.rules import CATEGORIES, CLASSES, CRITERIA
from portal.policy.strength import has_factor
from portal.stops.queries import whom_to_call


@require_GET
@signed_in
def request_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The page of one request. Who looks is logged first."""
    life = _life(request, pk)
    viewed(request, "the request", life.request)
    looked_at(request)
    return render(request, "access_requests/page.html", _context(request, life, {}))


@require_GET
def request_live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part that is asked for again and again: what changed since, or nothing. No view is logged."""
    if getattr(request, "actor", None) is None:
        back = urlencode({"next": reverse("request_page", args=[pk])})
        return HttpResponse(status=204, headers={"HX-Redirect": f"{reverse('sign_in')}?{back}"})
    life = _life(request, pk)  # type: ignore[arg-type]  # signed in, as was just seen
    viewed_with(request, "the request", life.request)
    context = _context(request, life, {})  # type: ignore[arg-type]  # likewise
    context["swap_stage"] = request.GET.get("shape") != life.shape
    if not context["swap_stage"] and request.GET.get("news") == context["news"]:
        return HttpResponse(status=204)
    return render(request, "access_requests/polled.html", context)


@require_POST
@signed_in
def request_seen(request: PersonRequest, pk: UUID) -> HttpResponse:
    """ "I have seen it"."""
    see(by=request.actor, request=_for_act(pk))
    return redirect("request_page", pk=pk)


@require_POST
@signed_in
@confirming
def request_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve or decline. The last approval opens, in this process."""
    wanted, form = _for_act(pk), DecisionForm(request.POST)
    if form.is_valid():
        comment = form.cleaned_data["comment"]
        if form.cleaned_data["decision"] == "approve":
            grant = form.carry_out(lambda: authorising.approve(by=request.actor, request=wanted, comment=comment))
            if grant is not None:
                hurry(opening.run, grant.pk)
                hint("portal.grants.open", str(grant.pk))
        else:
            form.carry_out(lambda: decline(by=request.actor, request=wanted, comment=comment))
    return answer(request, pk, decision=form)


@require_POST
@signed_in
def request_withdraw(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take a waiting request back."""
    withdraw(by=request.actor, request=_for_act(pk))
    return redirect("request_page", pk=pk)


@require_http_methods(["GET", "POST"])
@signed_in
def request_supplement(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Give what a bypass owes."""
    life = life_of(request.user, request.actor, pk)
    if life is None or not life.mine:
        if request.method == "GET":
            raise Http404
        supplement(by=request.actor, request=_for_act(pk), asked=Asked("bypass", "", "", 1))
    elif life.still_owed or (life.left_out and request.method == "POST"):
        form = SupplementForm(request.POST or None, still_owed=life.left_out)
        if request.method == "POST" and form.is_valid():
            form.carry_out(lambda: supplement(by=request.actor, request=life.request, asked=form.asked(life.request)))
            if form.status == 200:
                messages.info(request, "Kept, with the time of now, beside what you said then.")
                return redirect("request_page", pk=pk)
        return render(request, "access_requests/supplement.html", {"form": form, "life": life}, status=form.status)
    return redirect("request_page", pk=pk)


def answer(request: PersonRequest, pk: UUID, **forms: KeptForm) -> HttpResponse:
    """Back to the page after an act; with the form as it was typed where the act was refused."""
    form = next(iter(forms.values()))
    if form.errors:
        return show(request, pk, status=form.status, **forms)
    hint("portal.outbox")
    return redirect("request_page", pk=pk)


def show(request: PersonRequest, pk: UUID, *, status: int = 200, **forms: KeptForm) -> HttpResponse:
    """Draw the page, with the forms as they were typed."""
    life = _life(request, pk)
    if status != 503:  # the log is away: whoever acted just now gets back what they typed
        viewed_with(request, "the request", life.request)
    return render(request, "access_requests/page.html", _context(request, life, forms), status=status)


def _life(request: PersonRequest, pk: UUID) -> Life:
    life = life_of(request.user, request.actor, pk)
    if life is None:
        raise Http404
    return life


def _for_act(pk: UUID) -> AccessRequest:
    found = request_for_act(pk)
    if found is None:
        raise Http404
    return found


def _context(request: PersonRequest, life: Life, typed: dict[str, KeptForm]) -> dict[str, Any]:
    longest = life.rules.minutes_for(life.request.mode)
    context: dict[str, Any] = {
        "life": life, "access": life.request, "grant": life.grant, "rules": life.rules, "may": life.may, "stage": life.stage,
        "words": _words(life.request), "steps": steps(life), "fresh": has_factor(request.actor, life.rules),
        "way": way_in(life.grant) if life.grant and life.stage == "open" else None, "review": getattr(life.grant, "review", None),
        "decision": typed.get("decision") or DecisionForm(), "extension": typed.get("extension") or ExtensionForm(longest=longest),
        "more": typed.get("more") or ExtensionDecisionForm(), "revocation": typed.get("revocation") or RevocationForm(), "typed": list(typed.values()),
    }  # fmt: skip
    if life.held_up:
        context["contacts"] = whom_to_call(life.held_up, life.request.system, life.at)
    context |= {"told": told(life), "awaited": awaited(life), "question": typed.get("question") or QuestionForm()}
    context["questions"] = _questions(life, typed.get("answer"))
    context["live"] = render_to_string("access_requests/live.html", context)
    context["news"] = hashlib.sha256(context["live"].encode()).hexdigest()[:12]
    return context


def _questions(life: Life, typed: KeptForm | None) -> list[dict[str, Any]]:
    """Each question, with a form where the viewer may answer it; with what was typed where that was refused."""
    may = life.mine and life.may_ask_more
    given = typed if isinstance(typed, AnswerForm) else None
    return [
        {"row": each, "form": None if each.answered_at or not may else given if given and given.question == each else AnswerForm(question=each)}
        for each in life.questions
    ]  # fmt: skip


def _words(request: AccessRequest) -> dict[str, Any]:
    return {
        "criterion": CRITERIA.get(request.criterion, request.criterion), "category": CATEGORIES.get(request.category, request.category),
        "classes": [CLASSES.get(each, each) for each in request.intended_classes],
    }  # fmt: skip


def steps(life: Life) -> list[dict[str, str]]:
    """Where the request stands on its way."""
    names = ["Bypass" if life.bypass else "Asked", "Approval", "Open", "End", "Review"]
    if life.bypass:
        names.remove("Approval")
    now_at = {"waiting": "Approval", "opening": "Open", "open": "Open", "closing": "End", "ended": "Review"}.get(
        life.stage, ""
    )
    if not now_at:
        return []
    at = names.index(now_at)
    states = ["done" if place < at else "now" if place == at else "next" for place in range(len(names))]
    if life.stage == "open":
        states[at] = "glass"
    return [{"label": name, "state": state} for name, state in zip(names, states, strict=True)]
