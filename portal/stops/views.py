"""Emergency stops: which there are, starting one, how far the ending is, and lifting by two people."""

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.rules import allows
from portal.clock import now
from portal.grants import still_known, stopping, sweep
from portal.grants.hurry import PATIENCE_S
from portal.grants.queries import on_stop_page, open_counts
from portal.grants.running import what_would_be_cut
from portal.hints import hint
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in
from portal.rows import again_after_deadlock
from portal.stops import actions, queries
from portal.stops.forms import AskLiftForm, KeepForm, StartForm
from portal.stops.history import lines_of
from portal.stops.models import Stop
from portal.stops.rules import ONLY_ADMINISTRATORS, may_confirm, may_lift
from portal.stops.states import IN_FORCE, LIFT_ASKED
from portal.systems.models import System
from portal.systems.queries import system_for_act

PER_PAGE = 50


@require_GET
@signed_in
def stops(request: PersonRequest) -> HttpResponse:
    """What is stopped, what was, and what the viewer may stop."""
    systems = queries.systems_to_stop(request.user)
    held = {stop.system_id: stop for stop in queries.concerning(request.user)}
    free = [system for system in systems if system.pk not in held]
    open_now = open_counts(systems)
    context = {
        "held": list(held.values()), "page": Paginator(queries.past(request.user), PER_PAGE).get_page(request.GET.get("page")),
        "systems": [(system, open_now.get(system.pk, 0)) for system in free],
        "may_stop_all": queries.may_stop_all(request.user) and None not in held, "total": queries.visible(request.user).count(),
    }  # fmt: skip
    return render(request, "stops/stops.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def stop_system(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Stop one system. Whoever may not finds no form; one that they send is refused, on record."""
    system = queries.system_to_stop(request.user, pk)
    if system is None and request.method == "POST" and (wanted := system_for_act(pk)) is not None:
        stopping.start(by=request.actor, system=wanted, reason="")
    if system is None:
        raise Http404
    return _start(request, system)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def stop_all(request: PersonRequest) -> HttpResponse:
    """Stop every system."""
    if not queries.may_stop_all(request.user):
        if request.method == "POST":
            stopping.start(by=request.actor, system=None, reason="")
        raise PermissionDenied(ONLY_ADMINISTRATORS)
    return _start(request, None)


def _start(request: PersonRequest, system: System | None) -> HttpResponse:
    held = queries.scope_in_force(system)
    if held is not None and request.method == "GET":
        return redirect("stop_page", held.pk)
    form = StartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data["reason"]
        stop = form.carry_out(
            lambda: again_after_deadlock(lambda: stopping.start(by=request.actor, system=system, reason=said))
        )
        if stop is not None:
            _end_all(stop)
            return redirect("stop_page", stop.pk)
    viewed_with(request, "what an emergency stop would end", system or "all systems")
    grants, count = stopping.would_end(system), stopping.would_end_count(system)
    context = {
        "form": form, "system": system, "count": count, "cuts": what_would_be_cut(grants), "more": count - len(grants),
        "waiting": stopping.waiting_on(system),
    }  # fmt: skip
    return render(request, "stops/start.html", context, status=form.status)


def _end_all(stop: Stop) -> None:
    """In this process and side by side, so that it works with broker and workers down; they and the sweep help where they live."""
    ids = stopping.closing_of(stop)
    sweep.end_soon(ids, PATIENCE_S)
    hint("portal.sweep")
    hint("portal.outbox")


@require_GET
@signed_in
def stop_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One stop: why, how far the ending is, whom to call, and lifting."""
    stop = _visible(request, pk)
    if not getattr(request, "htmx", False):
        looked_at(request)
    return _page(request, stop)


@require_POST
@signed_in
@confirming
def stop_ask_lift(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Ask to lift it."""
    row, form = _for_act(pk), AskLiftForm(request.POST)
    if not form.is_valid():
        may_lift(request.actor, row)  # who may not is refused, whatever they sent
    else:
        form.carry_out(lambda: actions.ask_lift(by=request.actor, stop=row, reason=form.cleaned_data["reason"]))
    return _answer(request, pk, ask_lift=form)


@require_POST
@signed_in
@confirming
def stop_keep(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Keep it in force."""
    row, form = _for_act(pk), KeepForm(request.POST)
    if not form.is_valid():
        may_lift(request.actor, row)
    else:
        form.carry_out(lambda: actions.keep(by=request.actor, stop=row, reason=form.cleaned_data["reason"]))
    return _answer(request, pk, keep=form)


@require_POST
@signed_in
@confirming
def stop_lift(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Confirm the lifting."""
    actions.lift(by=request.actor, stop=_for_act(pk))
    hint("portal.outbox")
    return redirect("stop_page", pk)


def _for_act(pk: UUID) -> Stop:
    row = queries.stop_for_act(pk)
    if row is None:
        raise Http404
    return row


def _answer(request: PersonRequest, pk: UUID, **forms: AskLiftForm | KeepForm) -> HttpResponse:
    (form,) = forms.values()
    if form.errors:
        return _page(request, _visible(request, pk), form.status, **forms)
    hint("portal.outbox")
    return redirect("stop_page", pk)


def _visible(request: PersonRequest, pk: UUID) -> Stop:
    found = queries.stop(request.user, pk)
    if found is None:
        raise Http404
    return found


def _page(request: PersonRequest, stop: Stop, status: int = 200, **typed: AskLiftForm | KeepForm) -> HttpResponse:
    (viewed_with if typed or getattr(request, "htmx", False) else viewed)(request, "the emergency stop", stop)
    lifts = allows(may_lift, request.actor, stop)
    shown = on_stop_page(request.user, stopping.met_by(stop))
    context: dict[str, Any] = {
        "stop": stop, "standing": stopping.standing(stop), "page": Paginator(shown, PER_PAGE).get_page(request.GET.get("page")),
        "known": still_known.listed(request.user, stop), "contacts": queries.whom_to_call(stop, stop.system, now()), "lines": lines_of(stop),
        "typed": list(typed.values()), "lifts": lifts,
        "confirms": stop.state == LIFT_ASKED and allows(may_confirm, request.actor, stop),
        "ask_lift": (typed.get("ask_lift") or AskLiftForm()) if lifts and stop.state == IN_FORCE else None,
        "keep": (typed.get("keep") or KeepForm()) if lifts and stop.state == LIFT_ASKED else None,
    }  # fmt: skip
    return render(request, "stops/stop.html", context, status=status)
