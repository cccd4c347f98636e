"""Pages of the reset of a lost second factor: propose, decide as the second person, cancel."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access_requests.rules import allows
from portal.eligibility import resetting
from portal.eligibility.reset_queries import reset_for_act, visible_reset
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people import queries, resets
from portal.people.forms import ResetForm
from portal.people.reset_states import OPEN, PROPOSED
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.systems.views import found


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def new(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Propose a reset."""
    if request.method == "GET":
        person = found(queries.person(request.user, pk))
        need_fresh(request.actor)
    else:
        person = found(queries.person_for_act(pk))
    form = ResetForm(request.POST or None)
    if request.method == "POST":
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        made = form.carry_out(lambda: resetting.propose(by=request.actor, person=person, reason=reason))
        if made is not None:
            messages.info(request, "It waits for a second person. Everybody concerned is told.")
            return redirect("reset_page", made.pk)
    return render(request, "people/reset_new.html", {"form": form, "person": person}, status=form.status)


@require_GET
@signed_in
def page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One reset."""
    reset = found(visible_reset(request.user, pk))
    looked_at(request)
    is_open = reset.state in OPEN
    mine = reset.person_id == request.user.pk
    context = {
        "reset": reset, "mine": mine, "ready": resets.is_ready(reset.person),
        "may_decide": reset.state == PROPOSED and allows(resetting.may_decide, request.actor, reset),
        "may_take_back": reset.state == PROPOSED and reset.proposed_by_id == request.user.pk,
        "may_cancel": is_open and (mine or request.user.has_perm(ADMINISTER)),
    }  # fmt: skip
    return render(request, "people/reset.html", context)


@require_POST
@signed_in
@confirming
def decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve, decline or take back."""
    act = resetting.approve if request.POST.get("decision") == "approve" else resetting.decline
    act(by=request.actor, reset=found(reset_for_act(pk)))
    return redirect("reset_page", pk)


@require_POST
@signed_in
@confirming
def cancel(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Cancel it, as the person or an administrator."""
    resetting.cancel(by=request.actor, reset=found(reset_for_act(pk)))
    return redirect("reset_page", pk)
