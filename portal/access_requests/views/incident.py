"""One incident: who is on it, joining them, and deciding on several of its requests at once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from audit.log.viewing import viewed_cases
from portal.access_requests import together
from portal.access_requests.incident_forms import DecideSeveralForm, JoinForm
from portal.access_requests.incidents import Joinable, joinable, of_incident
from portal.access_requests.models import AccessRequest
from portal.access_requests.options import Option, options_of, privilege_for_act
from portal.access_requests.queries import waiting_for
from portal.errors import Refused, StepUpNeeded
from portal.grants import opening
from portal.grants.hurry import hurry
from portal.grants.life import request_for_act, requests_for_act
from portal.grants.several import approve_several
from portal.hints import hint
from portal.kept import confirming
from portal.kept_form import raise_with
from portal.people.signing_in import PersonRequest, signed_in
from portal.plain_text import LONGEST, faults
from portal.policy.rules import CATEGORIES, CLASSES, CRITERIA


@require_GET
@signed_in
def incident_page(request: PersonRequest) -> HttpResponse:
    """Everything under one incident that the viewer may see or join. A look at each case is logged first."""
    return _show(request, request.GET.get("ref", ""))


@require_POST
@signed_in
@confirming
def incident_join(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Work on it too."""
    joined, options = request_for_act(pk), options_of(request.user)
    if joined is None:
        raise Http404
    found = next((each for each in joinable(request.user, options) if each.request.pk == pk), None)
    if found is None:
        return _join_anyway(request, joined)
    form = _join_form(found, options, request.POST)
    if form.is_valid():
        privilege = next(each for each in found.privileges if str(each.pk) == form.cleaned_data["privilege"])
        reason = form.cleaned_data["reason"]
        made = form.carry_out(
            lambda: together.join(by=request.actor, request=joined, privilege=privilege, reason=reason)
        )
        if made is not None:
            hint("portal.outbox")
            return redirect("request_page", pk=made.pk)
    return _show(request, joined.incident_ref, joins={pk: form}, status=form.status)


def _join_anyway(request: PersonRequest, joined: AccessRequest) -> HttpResponse:
    """Not offered to the viewer: the act says why not, on record, and what was typed is said again."""
    named = request.POST.get("privilege", "")
    privilege = privilege_for_act(UUID(named)) if _is_key(named) else None
    typed = request.POST.get("reason", "")[:LONGEST].strip()
    reason = "" if any(faults(typed, lines=True)) else typed
    try:
        made = together.join(by=request.actor, request=joined, privilege=privilege or joined.privilege, reason=reason)
    except StepUpNeeded:
        raise  # it is asked for on a page that keeps the form
    except Refused as refusal:
        raise_with(refusal, [reason])
    return redirect("request_page", pk=made.pk)


@require_POST
@signed_in
@confirming
def incident_approve(request: PersonRequest) -> HttpResponse:
    """Approve those that are ticked, each in an act of its own; what did not work is said one by one."""
    ref, keys = request.POST.get("ref", ""), [UUID(each) for each in request.POST.getlist("requests") if _is_key(each)]
    wanted = requests_for_act(keys)
    form = DecideSeveralForm(request.POST, waiting=wanted)
    if not form.is_valid():
        return _show(request, ref, decided=request.POST, status=form.status)
    done = approve_several(by=request.actor, requests=wanted, comment=form.cleaned_data["comment"])
    for each in done:
        say = messages.warning if each.refusal else messages.success
        say(request, each.sentence)
        if each.grant is not None:
            hurry(opening.run, each.grant.pk, 0.2)  # the page of the incident shows how far each is
            hint("portal.grants.open", str(each.grant.pk))
    hint("portal.outbox")
    return redirect(f"{reverse('incident_page')}?{urlencode({'ref': ref})}")


def _show(
    request: PersonRequest, ref: str, *, joins: dict[UUID, JoinForm] | None = None, decided: Any = None, status: int = 200
) -> HttpResponse:  # fmt: skip
    options = options_of(request.user)
    seen = list(of_incident(request.user, ref))
    offered = [each for each in joinable(request.user, options) if each.request.incident_ref == ref]
    if not seen and not offered:
        raise Http404
    if seen:
        viewed_cases(request, "the incident", [str(each.pk) for each in seen])
    waiting = [each for each in waiting_for(request.user) if each.incident_ref == ref]
    decide = DecideSeveralForm(decided, waiting=waiting)  # of those that wait for the viewer, whatever was sent
    typed = [*(joins or {}).values(), decide]
    context: dict[str, Any] = {
        "ref": ref, "seen": seen, "waiting": waiting, "typed": [each for each in typed if each.errors],
        "decide": decide, "can_ask": any(each.allows("approved") for each in options),
        "joins": [_offer(each, (joins or {}).get(each.request.pk) or _join_form(each, options)) for each in offered],
    }  # fmt: skip
    return render(request, "access_requests/incident.html", context, status=status)


def _join_form(found: Joinable, options: list[Option], data: Any = None) -> JoinForm:
    rules = next(each.rules for each in options if each.privilege.pk == found.privileges[0].pk)
    if rules is None:  # the policy went out of force between two questions
        raise Http404
    return JoinForm(data, privileges=found.privileges, rules=rules, prefix_id=found.request.pk)


def _offer(found: Joinable, form: JoinForm) -> dict[str, Any]:
    """What would be taken over of another's request, in words."""
    asked = together.as_joined(found.request, found.privileges[0], "")
    return {
        "request": found.request, "privileges": found.privileges, "form": form, "minutes": asked.minutes,
        "criterion": CRITERIA.get(asked.criterion, asked.criterion), "category": CATEGORIES.get(asked.category, asked.category),
        "classes": [CLASSES.get(each, each) for each in asked.intended_classes],
    }  # fmt: skip


def _is_key(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
