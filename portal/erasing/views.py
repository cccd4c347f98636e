"""Legal holds and erasures: which there are, asking, and deciding as the second administrator."""

from types import ModuleType
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.log.viewing import viewed
from portal.access_requests.models import AccessRequest
from portal.access_requests.rules import allows
from portal.erasing import actions, holding, lifting_by_log, queries
from portal.erasing.forms import ErasureForm, HoldForm, LiftForm
from portal.erasing.models import LegalHold
from portal.erasing.retention import gone_before, held
from portal.erasing.rules import ONLY_ADMINISTRATORS, may_ask, may_ask_lift, may_confirm, may_lift
from portal.erasing.said_holds import SaidHold, said_hold, said_hold_on, visible_said_holds
from portal.erasing.states import ASKED, CONFIRMED, HOLDS, LIFT_ASKED
from portal.hints import hint
from portal.kept import confirming
from portal.people.models import Person
from portal.people.queries import person as visible_person
from portal.people.queries import person_for_act
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.systems.views import found

PER_PAGE = 50


@require_GET
@signed_in
def erasing_list(request: PersonRequest) -> HttpResponse:
    """What is held, and what is or was erased."""
    if not queries.may_see(request.user):
        raise PermissionDenied(ONLY_ADMINISTRATORS)
    context = {
        "holds": [*visible_said_holds(request.user), *queries.visible_holds(request.user)[:PER_PAGE]],
        "page": Paginator(queries.visible_erasures(request.user), PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "erasing/list.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def erasure_new(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Ask to erase what is kept of somebody."""
    person = found(visible_person(request.user, pk) if request.method == "GET" else person_for_act(pk))
    if request.method == "GET":
        may_ask(request.actor, person)
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        said = form.cleaned_data if form.is_valid() else {"basis": "", "reason": ""}
        if form.errors:
            may_ask(request.actor, person)  # who may not is refused, whatever they sent
        elif made := form.carry_out(lambda: actions.ask(by=request.actor, person=person, **said)):
            return redirect("erasure_page", made.pk)
    return render(request, "erasing/erasure_new.html", {"form": form, "person": person}, status=form.status)


@require_GET
@signed_in
def erasure_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One erasure."""
    erasure = found(queries.erasure(request.user, pk))
    viewed(request, "an erasure", erasure)
    waits = erasure.state == ASKED
    context = {
        "erasure": erasure,
        "may_confirm": waits and allows(may_confirm, request.actor, erasure),
        "may_take_back": waits and str(erasure.asked_by_id) == request.actor.id,
        "held": _hold_on(erasure.person_id) if erasure.state in (ASKED, CONFIRMED) else None,
        "others_held": erasure.state == CONFIRMED and any(held()),
    }
    return render(request, "erasing/erasure.html", context)


@require_POST
@signed_in
@confirming
def erasure_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Confirm as the second administrator, decline, or take it back."""
    act = actions.confirm if request.POST.get("decision") == "confirm" else actions.decline
    act(by=request.actor, erasure=found(queries.erasure_for_act(pk)))
    hint("portal.erasures")
    return redirect("erasure_page", pk)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def hold_person(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Hold what is kept of a person."""
    person = found(visible_person(request.user, pk) if request.method == "GET" else person_for_act(pk))
    return _hold(request, person=person)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def hold_case(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Hold what is kept of a case."""
    may_look = request.method == "POST" or request.user.has_perm(ADMINISTER)
    return _hold(request, case=found(queries.case_for_act(pk) if may_look else None))


def _hold(request: PersonRequest, *, person: Person | None = None, case: AccessRequest | None = None) -> HttpResponse:
    form = HoldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        made = form.carry_out(lambda: holding.set_hold(by=request.actor, person=person, case=case, reason=reason))
        if made is not None:
            return redirect("hold_page", made.pk)
    return render(request, "erasing/hold_new.html", {"form": form, "person": person, "case": case}, status=form.status)


@require_GET
@signed_in
def hold_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One legal hold."""
    return _page(request, _visible(request, pk), LiftForm())


@require_POST
@signed_in
@confirming
def hold_ask_lift(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Ask to lift it."""
    form = LiftForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    hold = _for_act(pk)
    if form.carry_out(lambda: _lifting(hold).ask_lift(by=request.actor, hold=hold, reason=reason)) is None:
        return _page(request, _visible(request, pk), form)
    return redirect("hold_page", pk)


@require_POST
@signed_in
@confirming
def hold_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Lift it as the second administrator, or keep it."""
    hold = _for_act(pk)
    act = _lifting(hold).lift if request.POST.get("decision") == "lift" else _lifting(hold).keep
    act(by=request.actor, hold=hold)
    hint("portal.erasures")
    return redirect("hold_page", pk)


def _visible(request: PersonRequest, pk: UUID) -> LegalHold | SaidHold:
    said = {each.pk: each for each in visible_said_holds(request.user)}
    return queries.hold(request.user, pk) or found(said.get(str(pk)))


def _for_act(pk: UUID) -> LegalHold | SaidHold:
    return queries.hold_for_act(pk) or found(said_hold(pk))


def _hold_on(person_id: UUID) -> LegalHold | SaidHold | None:
    return queries.hold_on_person(person_id) or said_hold_on(person_id)


def _lifting(hold: LegalHold | SaidHold) -> ModuleType:
    """The acts on it, of the same names: on its row, or on what the log says."""
    return lifting_by_log if isinstance(hold, SaidHold) else holding


def _page(request: PersonRequest, hold: LegalHold | SaidHold, form: LiftForm) -> HttpResponse:
    viewed(request, "a legal hold", hold)
    administers, by_log_alone = request.user.has_perm(ADMINISTER), isinstance(hold, SaidHold)
    cut, nothing_left = gone_before(hold)
    context = {
        "hold": hold, "by_log_alone": by_log_alone, "cut": cut, "nothing_left": nothing_left,
        "form": form if hold.state == HOLDS and allows(may_ask_lift, request.actor, hold) else None,
        "may_keep": hold.state == LIFT_ASKED and administers,
        "may_lift": hold.state == LIFT_ASKED and allows(may_lift, request.actor, hold),
    }  # fmt: skip
    return render(request, "erasing/hold.html", context, status=form.status)
