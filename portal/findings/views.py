"""Findings: the list, one of them, and what is done with it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.rules import allows
from portal.findings import actions, queries, rules
from portal.findings.forms import AnswerForm, AssignForm, CloseForm, DueForm, FindingForm, RaiseForm, RetestForm
from portal.findings.history import lines_of
from portal.findings.models import Finding
from portal.findings.retests import last_retest
from portal.findings.states import ASSIGNED, CLOSED, MOVES
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in

PER_PAGE = 50
# act -> form, action, who may, and in which states it is offered
ACTS: Mapping[str, tuple[type[FindingForm], Callable[..., Finding], Callable[..., None], frozenset[str]]] = {
    "assign": (AssignForm, actions.assign, rules.may_assign, MOVES["assign"].sources),
    "answer": (AnswerForm, actions.answer, rules.may_answer, MOVES["answer"].sources),
    "due": (DueForm, actions.move_due, rules.may_move_due, frozenset({ASSIGNED, *MOVES["close"].sources})),
    "retest": (RetestForm, actions.ask_retest, rules.may_ask_retest, MOVES["close"].sources),
    "close": (CloseForm, actions.close, rules.may_close, MOVES["close"].sources),
}


@require_GET
@signed_in
def findings(request: PersonRequest) -> HttpResponse:
    """The list: open, overdue, one's own, closed."""
    shown = request.GET.get("show", queries.OPEN)
    if shown not in queries.SHOWN:
        raise Http404
    page = Paginator(queries.listed(request.user, shown), PER_PAGE).get_page(request.GET.get("page"))
    tabs = [{"label": label, "url": f"?show={word}", "active": word == shown} for word, label in queries.SHOWN.items()]
    may_raise = queries.systems_to_raise_on(request.user).exists()
    return render(
        request,
        "findings/findings.html",
        {
            "page": page,
            "total": queries.findings(request.user).count(),
            "tabs": tabs,
            "shown": shown,
            "may_raise": may_raise,
        },
    )


@require_http_methods(["GET", "POST"])
@signed_in
def finding_raise(request: PersonRequest) -> HttpResponse:
    """Raise one by hand."""
    systems = queries.systems_to_raise_on(request.user)
    if not systems.exists():
        raise PermissionDenied(rules.ONLY_THESE_RAISE)
    form = RaiseForm(systems, request.POST or None)
    if request.method == "POST" and form.is_valid():
        said, system = form.cleaned_data, form.cleaned_data["system"]
        row = form.carry_out(lambda: actions.raise_finding(
            by=request.actor, kind="by hand", title=said["title"], details=said["details"], about=str(system.pk), system=system,
        ))  # fmt: skip
        if row is not None:
            return redirect("finding_page", row.pk)
    return render(request, "findings/raise.html", {"form": form}, status=form.status)


@require_GET
@signed_in
def finding_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One finding, what happened to it, and what the viewer may do."""
    row = _found(request, pk)
    viewed(request, "the finding", row)
    looked_at(request)
    return _page(request, row)


@require_POST
@signed_in
@confirming
def finding_act(request: PersonRequest, pk: UUID, act: str) -> HttpResponse:
    """Assign, answer, move the date or close."""
    row = queries.finding_for_act(pk)
    if row is None:
        raise Http404
    make_form, do, may, _ = ACTS[act]
    form = make_form(row, request.POST)
    if not form.is_valid():
        may(request.actor, row)  # who may not is refused, whatever they sent
        return _back(request, row, act, form)
    if form.carry_out(lambda: do(by=request.actor, finding=row, **form.cleaned_data)) is None:
        return _back(request, _found(request, pk), act, form)  # whose right to see it was not asked about yet
    return redirect("finding_page", pk)


def _found(request: PersonRequest, pk: UUID) -> Finding:
    row = queries.finding(request.user, pk)
    if row is None:
        raise Http404
    return row


def _back(request: PersonRequest, row: Finding, act: str, form: FindingForm) -> HttpResponse:
    """The page again, with the form as it was sent."""
    viewed_with(request, "the finding", row)
    return _page(request, row, act, form)


def _page(request: PersonRequest, row: Finding, sent: str = "", form: FindingForm | None = None) -> HttpResponse:
    forms: dict[str, Any] = {
        act: form if act == sent else make_form(row, initial=_initial(row))
        for act, (make_form, _, may, states) in ACTS.items()
        if act == sent or (row.state in states and allows(may, request.actor, row) and (act != "retest" or row.test_id))
    }
    context = {
        "finding": row,
        "forms": forms,
        "sent": form,
        "closed": row.state == CLOSED,
        "lines": lines_of(row),
        "retest": last_retest(row) if row.test_id else None,
    }
    return render(request, "findings/finding.html", context, status=form.status if form else 200)


def _initial(row: Finding) -> dict[str, object]:
    return {"cause": row.cause, "response": row.response, "proof": row.proof, "owner": row.owner_id}
