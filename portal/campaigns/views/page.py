"""Pages of campaigns: what is owed, and one campaign with its lines. What is decided there: ``lines.py``."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.log.viewing import viewed
from portal.access_requests.rules import allows
from portal.campaigns import actions, bulk, queries, starting
from portal.campaigns.cadence import LEAD
from portal.campaigns.figures import attestation_interval, limits
from portal.campaigns.forms import (
    DecisionForm,
    KeepManyForm,
    StartForm,
    Typed,
)
from portal.campaigns.lists import LISTS
from portal.campaigns.models import Campaign, Item
from portal.campaigns.rules import may_close
from portal.campaigns.showing import show_lines
from portal.campaigns.shown import grouped, shown, startable, viewing
from portal.campaigns.signals import sittings
from portal.campaigns.states import ITEM_STATES, KEPT, MODIFIED, OPEN, REVOKED, UNDECIDED
from portal.campaigns.weighing import HIGH, RISKS
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in

PER_PAGE = 20


@require_GET
@signed_in
def campaigns(request: PersonRequest) -> HttpResponse:
    """What is open, what is owed next, what was closed."""
    looked_at(request)
    viewer = request.user
    page = Paginator(queries.closed_ones(viewer), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "open": queries.open_ones(viewer), "duties": queries.duties_of(viewer), "startable": startable(queries.startable_by(viewer)),
        "page": page, "total": queries.visible(viewer).count(), "lists": [(each, attestation_interval(each.kind)) for each in LISTS.values()], "lead": LEAD,
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
    campaign = visible(request, pk)
    viewed(request, "the campaign", campaign)
    looked_at(request)
    return show(request, campaign)


@require_GET
@signed_in
def campaign_judging(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Figures on how a campaign was judged, for who manages its list and for auditors."""
    campaign = visible(request, pk)
    if not queries.sees_judging(request.user, campaign):
        raise Http404
    viewed(request, "how the campaign was judged", campaign)
    found = sittings(queries.judged_of(campaign), limits(), HIGH)
    names = queries.names_of(each.judge for each in found)
    rows = [{"name": names.get(each.judge, "Somebody"), "sitting": each} for each in found]
    return render(request, "campaigns/judging.html", {"campaign": campaign, "sittings": rows})


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


def show(
    request: PersonRequest, campaign: Campaign, forms: dict[UUID, DecisionForm] | None = None, status: int = 200,
    many: KeepManyForm | None = None, typed: Typed | None = None,
) -> HttpResponse:  # fmt: skip
    """The campaign's page. What came back stands first, wherever its line stands in the list: ``forms``, and what was ``typed`` at other lines."""
    typed = typed or {}
    given, counts = forms or {}, queries.counts_of(campaign, request.user)
    asked = {name: request.GET.get(name, "")[:100] for name in ("show", "risk", "words")}
    as_rows = many is not None or request.GET.get("view") == "rows"
    asked["show"] = "mine" if as_rows else asked["show"]
    per_page = bulk.MOST if as_rows else PER_PAGE
    page = Paginator(queries.items_of(campaign, request.user, **asked), per_page).get_page(request.GET.get("page"))
    listed = list(page)
    away = queries.chosen_of(request.user, campaign, [pk for pk in typed if pk not in listed and pk not in given])
    items = _with(queries.whole(campaign, [*(each.pk for each in away), *listed]), given)
    if status == 200:
        show_lines(by=request.actor, viewer=request.user, campaign=campaign, items=items)
    look = viewing(request.user, campaign, items)
    lines = [shown(each, look, given.get(each.pk), bare=as_rows, typed=typed.get(each.pk)) for each in items]
    total = sum(counts[state] for state in ITEM_STATES)
    context = {
        "campaign": campaign, "groups": grouped(lines), "counts": counts, "total": total, "decided": total - counts[UNDECIDED], "page": page,
        "asked": asked, "progress": queries.progress_of(campaign), "figures": _figures(counts),
        "errors": [*given.values(), *([many] if many is not None else [])],
        "statement": campaign.statement or actions.closing_statement(campaign), "risks": RISKS, "as_rows": as_rows,
        "many": many or KeepManyForm(), "ticked": _ticked(request, many, items), "sees_judging": queries.sees_judging(request.user, campaign),
        "may_close": campaign.state == OPEN and not counts[UNDECIDED] and allows(may_close, request.actor, campaign),
    }  # fmt: skip
    return render(request, "campaigns/campaign.html", context, status=status)


def _ticked(request: PersonRequest, many: KeepManyForm | None, items: list[Item]) -> set[UUID]:
    """Rows that are ticked: those that were sent and come back, or all of them, where that was asked."""
    if many is not None:
        return set(many.cleaned_data.get("lines", ()))
    return {item.pk for item in items} if request.GET.get("tick") == "all" else set()


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


def visible(request: HttpRequest, pk: UUID) -> Campaign:
    """One that the viewer may see. Raises Http404 where they may not, or there is none."""
    found = queries.campaign_for(request.user, pk)  # type: ignore[arg-type]  # somebody is signed in
    if found is None:
        raise Http404
    return found
