"""The lines of a campaign: one with its evidence, deciding on one, keeping many."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.log.viewing import viewed
from portal.campaigns import actions, bulk, queries, removal
from portal.campaigns.forms import (
    KEEP,
    MODIFY,
    REVOKE,
    TRANSFER,
    DecisionForm,
    KeepManyForm,
    typed_beside,
    unless_given,
)
from portal.campaigns.models import Campaign, Item
from portal.campaigns.rules import free_for, may_transfer
from portal.campaigns.showing import show_evidence
from portal.campaigns.shown import shown, viewing
from portal.campaigns.states import MODIFIED, REVOKED
from portal.campaigns.views.page import PER_PAGE, show, visible
from portal.campaigns.weighing import HIGH, RISKS
from portal.grants.hurry import hurry
from portal.hints import hint
from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in

WHOLE = {"HX-Retarget": "body", "HX-Reswap": "innerHTML"}


@require_GET
@signed_in
def campaign_line(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One line with its evidence. That who judges it looked is noted."""
    item = queries.item_for(request.user, pk)
    if item is None:
        raise Http404
    viewed(request, "the line of a campaign", item)
    show_evidence(by=request.actor, viewer=request.user, item=item)
    line = shown(item, viewing(request.user, item.campaign, [item]))
    context = {"campaign": item.campaign, "line": line, "uses": queries.uses_of(item), "before": queries.before(item)}
    return render(request, "campaigns/evidence.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
def item_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Decide on one line; answered with the line alone where htmx asks. Links of the page that stands here after a decision lead to the campaign."""
    if request.method == "GET":
        return _back(request, pk)
    answer = _decide(request, pk)
    if request.headers.get("HX-Request") and "X-Line" not in answer.headers and answer.status_code in (200, 422):
        for name, value in WHOLE.items():  # the second factor is asked on a page of its own
            answer.headers[name] = value
    return answer


def _back(request: PersonRequest, pk: UUID) -> HttpResponse:
    item = queries.item_for(request.user, pk)
    if item is None:
        raise Http404
    return _to_lines(request, item)


def _to_lines(request: PersonRequest, item: Item) -> HttpResponse:
    """The campaign's page at its lines, as it was asked for."""
    asked = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{reverse('campaign_page', args=[item.campaign_id])}{asked}#lines")


@confirming
def _decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    item = queries.item_for_act(pk)
    if item is None:
        raise Http404
    sent = typed_beside(request.POST.dict(), pk)
    beside = unless_given(sent, queries.asked_ends(sent))
    form = DecisionForm(request.POST, item=item, others=free_for(item), beside=beside)
    if not form.is_valid():
        may_transfer(request.actor, item)  # who may do nothing with the line is refused, whatever they sent
    done = form.carry_out(lambda: _carry_out(request, item, form.cleaned_data)) if form.is_valid() else None
    if done is not None and done.state in (REVOKED, MODIFIED):
        hurry(removal.run, done.pk)
        hint("portal.campaigns.remove", str(done.pk))
    if done is not None and not request.headers.get("HX-Request"):
        if not beside:
            return _to_lines(request, done)
        messages.info(
            request, f"Decided: {done.label}. What you wrote at other lines stands there still, and is not sent."
        )
        return show(request, visible(request, done.campaign_id), typed=beside)
    return _answer(request, pk, form, form.status)


def _carry_out(request: PersonRequest, item: Item, said: dict[str, Any]) -> Item:
    by, reason = request.actor, said["reason"]
    acts = {
        KEEP: lambda: actions.keep(by=by, item=item, reason=reason),
        MODIFY: lambda: actions.modify(by=by, item=item, to_at=said["to_at"], reason=reason),
        REVOKE: lambda: actions.revoke(by=by, item=item, reason=reason),
        TRANSFER: lambda: actions.transfer(by=by, item=item, to=said["to"], reason=reason),
    }
    return acts[said["decision"]]()


def _answer(request: PersonRequest, pk: UUID, form: DecisionForm, status: int) -> HttpResponse:
    """The line as it stands now, or the page with the line's form as it was sent."""
    item = queries.item_for_act(pk)
    if item is None:
        raise Http404
    if status != 200:  # nobody's right to this line was asked about yet
        visible(request, item.campaign_id)
    kept = form if status != 200 else None
    if not request.headers.get("HX-Request"):
        return show(request, visible(request, item.campaign_id), {item.pk: form}, status, typed=form.beside)
    line = shown(item, viewing(request.user, item.campaign, [item]), kept)
    answer = render(request, "campaigns/line.html", {"line": line, "swapped": True}, status=status)
    answer.headers["X-Line"] = str(item.pk)
    return answer


@require_POST
@signed_in
@confirming
def campaign_keep(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Keep what was ticked; where that is of mixed risk, ask a second time first."""
    campaign = queries.campaign_for_act(pk)
    if campaign is None:
        raise Http404
    form = KeepManyForm(request.POST)
    if form.is_valid():
        chosen = queries.chosen_of(request.user, campaign, form.cleaned_data["lines"])
        if len(bulk.risks_of(chosen)) > 1 and not form.cleaned_data["mixed"]:
            return _ask_again(request, campaign, chosen, form.cleaned_data["reason"])
        done = form.carry_out(lambda: _keep_many(request, campaign, form.cleaned_data))
        if done is not None:
            left = f" {done.decided_before} had been decided before." if done.decided_before else ""
            messages.info(request, f"Lines kept: {done.kept}.{left}")
            return redirect(f"{reverse('campaign_page', args=[pk])}?show=mine#lines")
    return show(request, visible(request, pk), status=form.status, many=form)


def _keep_many(request: PersonRequest, campaign: Campaign, said: dict[str, Any]) -> bulk.KeptTogether:
    return bulk.keep_many(
        by=request.actor, campaign=campaign, items=said["lines"], reason=said["reason"], mixed_confirmed=said["mixed"]
    )


def _ask_again(request: PersonRequest, campaign: Campaign, chosen: list[Item], reason: str) -> HttpResponse:
    counted, high = bulk.risks_of(chosen), [item for item in chosen if item.facts.get("risk") == HIGH]
    figures = [
        {"label": f"{word} risk", "value": counted[risk], "tone": "attention" if risk == HIGH else ""}
        for risk, word in RISKS.items()
        if counted[risk]
    ]
    context = {
        "campaign": campaign, "total": len(chosen), "chosen": [item.pk for item in chosen], "reason": reason, "figures": figures,
        "high": high[:PER_PAGE], "more": max(0, len(high) - PER_PAGE),
    }  # fmt: skip
    return render(request, "campaigns/mixed.html", context)
