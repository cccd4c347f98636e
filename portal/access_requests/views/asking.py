"""Asking for access, with approval or by bypass: first what, then one form under the policy's sentences."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from portal.access_requests.asking import ask
from portal.access_requests.forms import AskForm, BypassForm, prefilled
from portal.access_requests.models import AccessRequest
from portal.access_requests.options import Option, options_of, own_request, privilege_for_act
from portal.access_requests.queries import audience_of, would_end
from portal.access_requests.rules import Asked
from portal.access_requests.states import AWAITING
from portal.access_requests.views.weaker import NONE, WEAKER, factor_for_bypass, goes_on_weaker
from portal.clock import now
from portal.grants import authorising, opening
from portal.grants.hurry import hurry
from portal.hints import hint
from portal.kept import confirming, to_step_up
from portal.people.signing_in import PersonRequest, signed_in
from portal.policy.rules import Policy, sentences
from portal.policy.strength import has_factor
from portal.sealed.queries import sealed_in
from portal.stops.queries import whom_to_call


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def request_new(request: PersonRequest) -> HttpResponse:
    """Ask for access; others decide."""
    chosen, options, earlier = _chosen(request, "approved")
    if chosen is None or chosen.rules is None:
        return _choose(request, options, "approved", earlier)
    form = AskForm(
        request.POST or None,
        rules=chosen.rules,
        initial=_incident(request) | _first(prefilled(earlier), chosen.rules, "approved"),
    )
    if request.method == "POST" and form.is_valid():
        made = form.carry_out(lambda: ask(by=request.actor, privilege=chosen.privilege, asked=form.asked()), stays=True)
        if made is not None:
            hint("portal.outbox")
            return redirect("request_page", pk=made.pk)
    return render(
        request, "access_requests/ask.html", _form_page(request, chosen, options, form, "approved"), status=form.status
    )


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def request_bypass(request: PersonRequest) -> HttpResponse:
    """Break the glass. It opens in this process, whatever else is down."""
    chosen, options, earlier = _chosen(request, "bypass")
    rules = chosen.rules if chosen is not None and chosen.rules is not None else _strictest(options)
    factor = factor_for_bypass(request, rules)
    if request.method == "GET" and factor == NONE:
        return to_step_up(request, resistant=bool(rules.phishing_resistant) and not goes_on_weaker(request))
    if chosen is None or chosen.rules is None:
        return _choose(request, options, "bypass", earlier)
    form = BypassForm(
        request.POST or None,
        rules=chosen.rules,
        initial=_incident(request) | _first(prefilled(earlier), chosen.rules, "bypass"),
    )
    if request.method == "POST" and form.is_valid():
        waits = earlier if earlier is not None and earlier.state == AWAITING else None
        grant = form.carry_out(
            lambda: authorising.bypass(
                by=request.actor,
                privilege=chosen.privilege,
                asked=form.asked(),
                instead_of=waits,
                weaker=goes_on_weaker(request),
            ),
            stays=True,
        )
        if grant is not None:
            hurry(opening.run, grant.pk)
            hint("portal.grants.open", str(grant.pk))
            hint("portal.outbox")
            if waits is not None:
                messages.info(request, "Your earlier request is withdrawn: the glass is broken instead.")
            return redirect("request_page", pk=grant.request_id)
    page = _form_page(request, chosen, options, form, "bypass") | {"weaker": factor == WEAKER}
    return render(request, "access_requests/bypass.html", page, status=form.status)


@require_GET
@signed_in
def request_ends(request: PersonRequest) -> HttpResponse:
    """The end that so many minutes of a privilege would have, for the form's own line."""
    said = request.GET.get("minutes", "")
    minutes = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else 0
    named = _key(request.GET.get("privilege"))
    privilege = privilege_for_act(named) if named and minutes else None
    ends = would_end(request.user.pk, privilege, minutes) if privilege else None
    return render(request, "access_requests/ends.html", {"ends": ends})


def _chosen(request: PersonRequest, mode: str) -> tuple[Option | None, list[Option], AccessRequest | None]:
    """What is asked for: named in the address, taken from an earlier request, or the only one there is."""
    options, earlier = options_of(request.user), _earlier(request)
    named = _key(request.GET.get("privilege")) or (earlier.privilege_id if earlier else None)
    possible = [each for each in options if each.allows(mode)]
    if named is None:
        return (possible[0] if len(options) == len(possible) == 1 else None), options, earlier
    found = next((each for each in options if each.privilege.pk == named), None)
    if found is None:
        _refuse(request, named, mode)
    return (found if found in possible else None), options, earlier


def _refuse(request: PersonRequest, privilege_pk: UUID, mode: str) -> None:
    """Not on the viewer's list: no such page; a form that was sent all the same is refused by its act, on record."""
    privilege = privilege_for_act(privilege_pk) if request.method == "POST" else None
    if privilege is None:
        raise Http404
    asked = Asked(mode, "", "(not eligible)", 1)
    if mode == "bypass":
        authorising.bypass(by=request.actor, privilege=privilege, asked=asked)
    ask(by=request.actor, privilege=privilege, asked=asked)


def _earlier(request: PersonRequest) -> AccessRequest | None:
    named = _key(request.GET.get("from"))
    found = own_request(request.user, named) if named else None
    if named and found is None:
        raise Http404
    return found


def _key(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _strictest(options: list[Option]) -> Policy:
    """Before one is chosen: as fresh as any of them asks for; which factor, the chosen one says."""
    return Policy(step_up_minutes=min((each.rules.step_up_minutes for each in options if each.rules), default=15))


def _first(said: dict[str, Any], rules: Policy, mode: str) -> dict[str, Any]:
    """What the form begins with: an earlier request's words, within the policy of now."""
    if "minutes" in said:
        said["minutes"] = min(said["minutes"], rules.minutes_for(mode))
    return said


def _incident(request: PersonRequest) -> dict[str, str]:
    """The incident that the page was opened for."""
    return {"incident_ref": request.GET["incident"][:80]} if request.GET.get("incident") else {}


def _choose(request: PersonRequest, options: list[Option], mode: str, earlier: AccessRequest | None) -> HttpResponse:
    cards = [
        {
            "privilege": each.privilege,
            "rules": each.rules,
            "allowed": each.allows(mode),
            "stop": each.stop,
            "minutes": each.rules.minutes_for(mode) if each.rules else 0,
        }
        for each in options
    ]
    context = {
        "cards": cards,
        "mode": mode,
        "earlier": earlier,
        "can_bypass": any(each.allows("bypass") for each in options),
        "several": sum(each.allows("approved") for each in options) > 1,
        "incident": request.GET.get("incident", "")[:80],
    }
    return render(request, "access_requests/choose.html", context)


def _form_page(
    request: PersonRequest, chosen: Option, options: list[Option], form: AskForm | BypassForm, mode: str
) -> dict[str, Any]:
    rules, privilege = chosen.rules, chosen.privilege
    if rules is None:
        raise Http404
    audience = audience_of(privilege.system, request.user.pk)
    minutes = form["minutes"].value()
    given = (
        int(minutes)
        if str(minutes).isascii() and str(minutes).isdigit() and len(str(minutes)) < 5
        else rules.minutes_for(mode)
    )
    return {
        "form": form, "privilege": privilege, "system": privilege.system, "rules": rules, "audience": audience,
        "sentences": sentences(rules, mode=mode, approvers=len(audience.approvers)), "several": len(options) > 1,
        "ends": would_end(request.user.pk, privilege, given), "enough": len(audience.approvers) >= rules.min_approvals,
        "stop": chosen.stop, "contacts": whom_to_call(chosen.stop, privilege.system, now()) if chosen.stop else [],
        "can_bypass": chosen.allows("bypass"), "account": sealed_in(privilege), "fresh": has_factor(request.actor, rules), "query": request.GET.urlencode(),
    }  # fmt: skip
