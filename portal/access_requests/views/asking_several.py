"""Asking for several privileges at once, under one incident."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from portal.access_requests import together
from portal.access_requests.forms import AskForm
from portal.access_requests.options import Option, options_of, privilege_for_act
from portal.access_requests.rules import Asked
from portal.access_requests.several import strictest
from portal.hints import hint
from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def request_several(request: PersonRequest) -> HttpResponse:
    """Which ones, then one form for all of them; each becomes a request of its own."""
    options = [each for each in options_of(request.user) if each.allows("approved")]
    keys = _keys(request.GET.getlist("privilege"))
    chosen = [each for each in options if each.privilege.pk in keys]
    if len(chosen) < len(keys):
        _refuse(request, keys)
    rules = strictest([each.rules for each in chosen if each.rules])
    if len(chosen) < 2 or rules is None:
        return render(request, "access_requests/choose_several.html", _choice(request, options, chosen))
    form = AskForm(request.POST or None, rules=rules, initial={"incident_ref": request.GET.get("incident", "")[:80]})
    form.order_fields(["incident_ref"])  # as they stand on the page: what is wrong is listed in this order
    if request.method == "POST" and form.is_valid():
        privileges = [each.privilege for each in chosen]
        made = form.carry_out(
            lambda: together.ask_several(by=request.actor, privileges=privileges, asked=form.asked()), stays=True
        )
        if made is not None:
            hint("portal.outbox")
            messages.success(
                request, f"{len(made)} requests were made. Each is answered by the approvers of its system."
            )
            return redirect(f"{reverse('incident_page')}?{urlencode({'ref': made[0].incident_ref})}")
    context = {"form": form, "chosen": chosen, "rules": rules, "query": request.GET.urlencode()}
    return render(request, "access_requests/ask_several.html", context, status=form.status)


def _choice(request: PersonRequest, options: list[Option], chosen: list[Option]) -> dict[str, object]:
    return {
        "options": options, "chosen": {each.privilege.pk for each in chosen}, "incident": request.GET.get("incident", "")[:80],
        "sent": "sent" in request.GET, "apart": len(chosen) >= 2,
    }  # fmt: skip


def _keys(said: list[str]) -> set[UUID]:
    try:
        return {UUID(each) for each in said}
    except ValueError:
        raise Http404 from None


def _refuse(request: PersonRequest, keys: set[UUID]) -> None:
    """One is not on the viewer's list: no such page; a form that was sent all the same is refused by its act, on record."""
    known = (
        [each for each in map(privilege_for_act, sorted(keys)) if each is not None] if request.method == "POST" else []
    )
    if len(known) < max(2, len(keys)):
        raise Http404
    together.ask_several(
        by=request.actor, privileges=known, asked=Asked("approved", "", "(not eligible)", 1, incident_ref="-")
    )
