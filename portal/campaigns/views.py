"""Pages of campaigns: what is owed, and one campaign with its lines."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from audit.log.viewing import viewed
from portal.access_requests.rules import allows
from portal.campaigns import actions, queries, removal, starting
from portal.campaigns.figures import LEAD, attestation_interval
from portal.campaigns.forms import KEEP, MODIFY, REVOKE, TRANSFER, DecisionForm, StartForm
from portal.campaigns.lists import LISTS
from portal.campaigns.models import Campaign, Item
from portal.campaigns.rules import free_for, may_close, may_transfer
from portal.campaigns.showing import show_lines
from portal.campaigns.shown import grouped, shown, startable, viewing
from portal.campaigns.states import ITEM_STATES, KEPT, MODIFIED, OPEN, REVOKED, UNDECIDED
from portal.campaigns.weighing import RISKS
from portal.grants.hurry import hurry
from portal.hints import hint
from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in

PER_PAGE = 25
WHOLE = {"HX-Retarget": "body", "HX-Reswap": "innerHTML"}


@require_GET
@signed_in
def campaigns(request: PersonRequest) -> HttpResponse:
    """What is open, what is owed next, what was closed."""
    viewer = request.user
    page = Paginator(queries.closed_ones(viewer), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "open": queries.open_ones(viewer), "duties": queries.duties_of(viewer), "startable": startable(queries.startable_by(viewer)),
        "page": page, "lists": [(each, attestation_interval(each.kind)) for each in LISTS.values()], "lead": LEAD,
    }  # fmt: skip
    return render(request, "campaigns/campaigns.html", context)


@require_POST
@signed_in
@confirming
def campaign_start(request: PersonRequest) -> HttpResponse:
    """Begin the campaign of one list before its time, or of all lists of a kind."""
    form = StartForm(request.POST, systems=queries.systems_for_act())
    if not form.is_valid():
        raise Http404
    kind, system = form.cleaned_data["kind"], form.cleaned_data["system"]
    if form.cleaned_data["every"]:
        return _start_all(request, kind)
    campaign = starting.run_now(by=request.actor, system=system, kind=kind)
    messages.info(request, "It has begun. Everybody with lines to decide is told.")
    return redirect("campaign_page", pk=campaign.pk)


def _start_all(request: PersonRequest, kind: str) -> HttpResponse:
    begun, refused = starting.run_all(by=request.actor, kind=kind)
    messages.info(request, f"Campaigns that have begun: {len(begun)}. Everybody with lines to decide is told.")
    for sentence in dict.fromkeys(each.sentence for each in refused):
        messages.warning(request, sentence)
    return redirect("campaigns")


@require_GET
@signed_in
def campaign_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One campaign. That the viewer's lines stand before them is noted."""
    campaign = _visible(request, pk)
    viewed(request, "the campaign", campaign)
    return _show(request, campaign)


@require_POST
@signed_in
def item_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Decide on one line; answered with the line alone where htmx asks."""
    answer = _decide(request, pk)
    if request.headers.get("HX-Request") and "X-Line" not in answer.headers and answer.status_code in (200, 422):
        for name, value in WHOLE.items():  # the second factor is asked on a page of its own
            answer.headers[name] = value
    return answer


@confirming
def _decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    item = queries.item_for_act(pk)
    if item is None:
        raise Http404
    form = DecisionForm(request.POST, item=item, others=free_for(item))
    if not form.is_valid():
        may_transfer(request.actor, item)  # who may do nothing with the line is refused, whatever they sent
    done = form.carry_out(lambda: _carry_out(request, item, form.cleaned_data)) if form.is_valid() else None
    if done is not None and done.state in (REVOKED, MODIFIED):
        hurry(removal.run, done.pk)
        hint("portal.campaigns.remove", str(done.pk))
    if done is not None and not request.headers.get("HX-Request"):
        return redirect(f"{reverse('campaign_page', args=[done.campaign_id])}#lines")
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
        _visible(request, item.campaign_id)
    kept = form if status != 200 else None
    if not request.headers.get("HX-Request"):
        return _show(request, _visible(request, item.campaign_id), {item.pk: form}, status)
    line = shown(item, viewing(request.user, item.campaign, [item]), kept)
    answer = render(request, "campaigns/line.html", {"line": line, "swapped": True}, status=status)
    answer.headers["X-Line"] = str(item.pk)
    return answer


@require_POST
@signed_in
@confirming
def campaign_close(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Close it with its statement."""
    campaign = queries.campaign_for_act(pk)
    if campaign is None:
        raise Http404
    actions.close(by=request.actor, campaign=campaign)
    messages.info(request, "This campaign is closed, with your statement.")
    return redirect("campaign_page", pk=pk)


def _show(
    request: PersonRequest, campaign: Campaign, forms: dict[UUID, DecisionForm] | None = None, status: int = 200
) -> HttpResponse:
    given, counts = forms or {}, queries.counts_of(campaign, request.user)
    asked = {name: request.GET.get(name, "")[:100] for name in ("show", "risk", "words")}
    page = Paginator(queries.items_of(campaign, request.user, **asked), PER_PAGE).get_page(request.GET.get("page"))
    items = _with(list(page), given)
    if request.method == "GET":
        show_lines(by=request.actor, viewer=request.user, campaign=campaign, items=items)
    look = viewing(request.user, campaign, items)
    lines = [shown(each, look, given.get(each.pk)) for each in items]
    total = sum(counts[state] for state in ITEM_STATES)
    context = {
        "campaign": campaign, "groups": grouped(lines), "counts": counts, "total": total, "decided": total - counts[UNDECIDED], "page": page,
        "asked": asked, "progress": queries.progress_of(campaign), "figures": _figures(counts), "errors": list(given.values()),
        "statement": campaign.statement or actions.closing_statement(campaign), "risks": RISKS,
        "may_close": campaign.state == OPEN and not counts[UNDECIDED] and allows(may_close, request.actor, campaign),
    }  # fmt: skip
    return render(request, "campaigns/campaign.html", context, status=status)


def _with(items: list[Item], forms: dict[UUID, DecisionForm]) -> list[Item]:
    """A form that comes back stands first, wherever its line stands in the list."""
    missing = [form.item for pk, form in forms.items() if pk not in {item.pk for item in items}]
    return [*missing, *items]


def _figures(counts: dict[str, int]) -> list[dict[str, object]]:
    words = {KEPT: "Kept", MODIFIED: "Narrowed", REVOKED: "Revoked", UNDECIDED: "To be decided"}
    return [
        {
            "label": words[state],
            "value": counts[state],
            "tone": "attention" if state == UNDECIDED and counts[state] else "",
        }
        for state in words
    ]


def _visible(request: HttpRequest, pk: UUID) -> Campaign:
    found = queries.campaign_for(request.user, pk)  # type: ignore[arg-type]  # somebody is signed in
    if found is None:
        raise Http404
    return found
