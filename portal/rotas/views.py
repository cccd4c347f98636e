"""Rotas: who is on call and who will be, changed by administrators, swapped and left by members."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access_requests.rules import allows
from portal.clock import now
from portal.eligibility.seen import administered_systems
from portal.hints import hint
from portal.kept import KeptForm, confirming
from portal.notifications.seeing import looked_at
from portal.people.models import Person
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.policy.retiring import retire_rota
from portal.rotas import absences, actions, queries
from portal.rotas.forms import AwayForm, RotaForm, SwapForm, first_values, soon
from portal.rotas.models import Rota, Swap
from portal.rotas.rules import may_change, may_swap, need_in_use
from portal.rotas.schedule import WEEK, Plan, on_call, spells
from portal.systems.models import System
from portal.systems.queries import system_for_act
from portal.systems.views import found

WEEKS_SHOWN = 8
NOTHING: dict[str, Any] = {"name": "", "members": (), "weekday": 0, "hour": 0, "zone": "UTC"}


@require_GET
@signed_in
def rotas(request: PersonRequest) -> HttpResponse:
    """Each rota that the viewer may see, and who is on call now."""
    seen = list(queries.visible(request.user))
    rows, at = [each for each in seen if each.retired_at is None], now()
    plans, people = queries.plans_ahead(rows, at), queries.members_of(rows)
    lines = [
        {"rota": each, "handed_over": actions.handed_over(each), "person": people.get(on_call(plans[str(each.pk)], at) or "")}
        for each in rows
    ]  # fmt: skip
    context = {
        "lines": lines, "systems": administered_systems(request.user), "retired": [each for each in seen if each.retired_at is not None],
        "total": len(seen),
    }  # fmt: skip
    return render(request, "rotas/rotas.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def rota_new(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Set one up for a system."""
    system = found(system_for_act(pk))
    if not _may_fill_in(request, system):
        actions.set_up(by=request.actor, system=system, **NOTHING)  # refused, and that is on record
    form = RotaForm(request.POST or None, people=queries.may_be_on(system))
    if request.method == "POST" and form.is_valid():
        rota = form.carry_out(lambda: actions.set_up(by=request.actor, system=system, **form.said()))
        if rota is not None:
            hint("portal.outbox")
            return redirect("rota_page", rota.pk)
    return render(request, "rotas/form.html", {"form": form, "system": system}, status=form.status)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def rota_change(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Another order or hand-over."""
    rota = found(queries.rota_for_act(pk))
    system = rota.system
    if not _may_fill_in(request, system):
        actions.change(by=request.actor, rota=rota, **NOTHING)
    need_in_use(rota)
    people = queries.may_be_on(system)
    form = RotaForm(request.POST or None, people=people, initial=first_values(rota, people))
    if request.method == "POST" and form.is_valid():
        changed = form.carry_out(lambda: actions.change(by=request.actor, rota=rota, **form.said()))
        if changed is not None:
            hint("portal.outbox")
            return redirect("rota_page", rota.pk)
    return render(request, "rotas/form.html", {"form": form, "system": system, "rota": rota}, status=form.status)


@require_POST
@signed_in
@confirming
def rota_retire(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take it out of use."""
    retired = retire_rota(by=request.actor, rota=found(queries.rota_for_act(pk)))
    messages.info(request, f"Nobody is woken by the rota {retired.name} any more.")
    hint("portal.outbox")
    return redirect("rota_page", retired.pk)


@require_GET
@signed_in
def rota_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The next weeks, offers of swaps, absences."""
    rota = found(queries.visible_rota(request.user, pk))
    looked_at(request)
    return _page(request, rota)


@require_POST
@signed_in
def rota_swap(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Offer a swap."""
    rota = found(queries.rota_for_act(pk))
    if not allows(may_swap, request.actor, rota):
        actions.offer_swap(by=request.actor, rota=rota, week=rota.begins, other_week=rota.begins)  # refused, on record
    form = _swap_form(request, queries.plan_of(rota), queries.members_of([rota]), request.POST)
    if form.is_valid():
        form.carry_out(lambda: actions.offer_swap(by=request.actor, rota=rota, **form.cleaned_data))
    return _answer(request, rota.pk, swap=form)


@require_POST
@signed_in
def swap_answer(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take an offered swap, decline it, or take the offer back."""
    swap, wanted = found(queries.swap_for_act(pk)), request.POST.get("decision")
    act = {"take": actions.take_swap, "decline": actions.decline_swap, "withdraw": actions.withdraw_swap}.get(
        str(wanted)
    )
    if act is None:
        raise BadRequest("A swap is taken, declined or taken back. Nothing was changed.")
    act(by=request.actor, swap=swap)
    hint("portal.outbox")
    return redirect("rota_page", swap.rota_id)


@require_POST
@signed_in
def rota_away(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Say that somebody is away."""
    rota = found(queries.rota_for_act(pk))
    people = _may_be_away(request, rota, list(queries.members_of([rota]).values()))
    if not people:
        absences.say_away(by=request.actor, rota=rota, person=request.user, from_at=now(), to_at=now())
    form = AwayForm(request.POST, people=people)
    if form.is_valid():
        said = form.cleaned_data
        form.carry_out(
            lambda: absences.say_away(
                by=request.actor, rota=rota, person=form.people[said["person"]], from_at=said["from_at"], to_at=said["to_at"]
            )
        )  # fmt: skip
    return _answer(request, rota.pk, away=form)


@require_POST
@signed_in
def absence_end(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Back earlier, or not away after all."""
    absence = found(queries.absence_for_act(pk))
    absences.come_back(by=request.actor, absence=absence)
    back = queries.rota_of(request.user, absence.person_id)
    return redirect("rota_page", back.pk) if back else redirect("rotas")


def _may_fill_in(request: PersonRequest, system: System) -> bool:
    """Whether the viewer may change rotas there, freshly confirmed. Others find no form, and what they send is refused."""
    may = allows(may_change, request.actor, system)
    if not may and request.method == "GET":
        raise Http404
    if may:
        need_fresh(request.actor, about=system)
    return may


def _may_be_away(request: PersonRequest, rota: Rota, members: list[Person]) -> list[Person]:
    """Whose absence the viewer may say, or end."""
    theirs = queries.only_on_rotas_of(administered_systems(request.user), rota)
    return [each for each in members if each == request.user or str(each.pk) in theirs]


def _swap_form(request: PersonRequest, plan: Plan, people: Mapping[str, Person], typed: Any = None) -> SwapForm:
    return SwapForm(typed, plan=plan, viewer=request.user, people=people, at=now())


def _answer(request: PersonRequest, pk: UUID, **forms: KeptForm) -> HttpResponse:
    (form,) = forms.values()
    if form.errors:
        return _page(request, found(queries.visible_rota(request.user, pk)), form.status, **forms)
    hint("portal.outbox")
    return redirect("rota_page", pk)


def _page(request: PersonRequest, rota: Rota, status: int = 200, **typed: KeptForm) -> HttpResponse:
    at = now()
    if rota.retired_at is not None:
        return render(request, "rotas/retired.html", _of_any(rota, queries.members_of([rota])), status=status)
    plan, people = queries.plans_ahead([rota], at)[str(rota.pk)], queries.members_of([rota])
    changes = allows(may_change, request.actor, rota.system)
    mine = str(request.user.pk) in rota.members
    swap = typed.get("swap") or (_swap_form(request, plan, people) if mine else None)
    away = _may_be_away(request, rota, [people[each] for each in rota.members if each in people])
    context: dict[str, Any] = _of_any(rota, people, plan.gone) | {
        "spells": [
            {"from_at": each.from_at, "to_at": each.to_at, "person": people.get(each.person or ""), "now": each.from_at <= at < each.to_at,
             "covers": people.get(each.holder) if each.person != each.holder else None, "gone": each.holder in plan.gone}
            for each in spells(plan, at, at + WEEKS_SHOWN * WEEK)
        ],
        "changes": changes, "offers": [_offer(each, request.user) for each in queries.offers_of(rota)], "typed": list(typed.values()),
        "swap": swap if isinstance(swap, SwapForm) and swap.possible else None,
        "away": typed.get("away") or (AwayForm(people=away, initial=soon(at)) if away else None),
        "absences": [{"row": each, "may_end": each.person in away} for each in queries.absences_of(rota, at)],
    }  # fmt: skip
    return render(request, "rotas/rota.html", context, status=status)


def _of_any(rota: Rota, people: Mapping[str, Person], gone: Collection[str] = ()) -> dict[str, Any]:
    """What a page says of a rota whether it is in use or not."""
    order = [{"person": people.get(each), "gone": each in gone} for each in rota.members]
    return {"rota": rota, "handed_over": actions.handed_over(rota), "order": order}


def _offer(swap: Swap, viewer: Person) -> dict[str, Any]:
    return {"row": swap, "mine": swap.offered_by_id == viewer.pk, "for_me": swap.to_id == viewer.pk}
