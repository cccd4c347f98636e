"""Pages of sealed accounts: the register, one account, its custodian's duties. The secret is shown on the page of a grant alone."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.access_requests.rules import allows
from portal.kept import KeptForm, confirming
from portal.notifications.seeing import looked_at
from portal.people.rights import ADMINISTER, MANAGE
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.reviews.offline.confirming import may_confirm, unconfirmed
from portal.sealed import actions, probing, queries, rotations
from portal.sealed.cards import is_holder
from portal.sealed.drilling import ASKED_FOR, is_asked
from portal.sealed.forms import DrillForm, HandOverForm, ProposeForm, SecretForm, TriedForm
from portal.sealed.models import CARDS, CONNECTOR, CUSTODIAN, SealedAccount
from portal.sealed.rules import is_custodian, missing_of
from portal.sealed.states import COMING, HELD, IN_USE, OUT, OWED, PROPOSED, ROTATED, SEALED, TO_PRINT


@require_GET
@signed_in
def register(request: PersonRequest) -> HttpResponse:
    """Accounts that the viewer has a part in, and what waits for them."""
    accounts, proposes = queries.register(request.user), queries.systems_to_propose_on(request.user).exists()
    duties = queries.duties_of(request.user)
    if not accounts and not queries.has_register(request.user):
        raise PermissionDenied("Sealed accounts are looked after by custodians, owners and administrators.")
    waiting = queries.waiting_for_second(request.user)
    context = {
        "accounts": accounts,
        "duties": duties,
        "waiting": waiting,
        "proposes": proposes,
        "owed": OWED,
        "cards": queries.cards_of(request.user),
    }
    return render(request, "sealed/register.html", context)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def sealed_new(request: PersonRequest) -> HttpResponse:
    """Propose an account."""
    systems = queries.systems_to_propose_on(request.user)
    if not systems.exists():
        raise PermissionDenied(actions.ONLY_MANAGERS)
    need_fresh(request.actor)
    form = ProposeForm(request.POST or None, systems=systems, people=queries.custodians())
    if request.method == "POST" and form.is_valid():
        row = form.carry_out(lambda: actions.propose(by=request.actor, **form.cleaned_data))
        if row is not None:
            messages.info(request, "It waits for a second administrator.")
            return redirect("sealed_page", row.pk)
    return render(request, "sealed/new.html", {"form": form}, status=form.status)


@require_GET
@signed_in
def sealed_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One account: who keeps it, who holds it, which secrets are owed."""
    account = queries.account_of(request.user, pk)
    if account is None:
        raise Http404
    looked_at(request)
    return account_page(request, account)


def account_page(request: PersonRequest, account: SealedAccount, status: int = 200, **typed: KeptForm) -> HttpResponse:
    given = queries.rotations_of(account)
    states, in_use = {each.state for each in given}, account.state in IN_USE
    mine = allows(is_custodian, request.actor, account)
    manages = request.user.has_perm(MANAGE, account.system)
    context: dict[str, Any] = {
        "account": account, "missing": missing_of(account) if in_use else [], "rotations": given, "in_use": in_use, "held": account.state == HELD, "mine": mine,
        "by_portal": account.kept_by == CONNECTOR, "has_secret": account.secret is not None, "typed": next(iter(typed.values()), None),
        "secret": typed.get("secret") or SecretForm() if mine and in_use and account.kept_by == CUSTODIAN else None,
        "tried": typed.get("tried") or TriedForm() if mine and in_use and ROTATED in states and account.kept_by == CUSTODIAN else None,
        "reached": probing.is_reached(account), "by_cards": account.kept_by == CARDS,
        "hand_over": typed.get("hand_over") or HandOverForm(account) if manages and in_use else None,
        "may_retire": manages and account.state == SEALED, "may_decline": manages and account.state == PROPOSED,
        "may_approve": account.state == PROPOSED and request.user.has_perm(ADMINISTER, account.system) and account.proposed_by_id != request.user.pk,
    }  # fmt: skip
    return render(request, "sealed/account.html", context | _cards(request, account, typed), status=status)


def _cards(request: PersonRequest, account: SealedAccount, typed: dict[str, KeptForm]) -> dict[str, Any]:
    """What the page of an account with offline cards shows besides."""
    if account.kept_by != CARDS:
        return {}
    holds, sets = allows(is_holder, request.actor, account), queries.sets_of(account)
    mine = [
        card
        for each in sets
        for card in each.cards.all()
        if each.state in TO_PRINT and card.custodian_id == request.user.pk and card.held_at is None
    ]
    changing = any(each.state == COMING and each.begun_at for each in sets)
    opens = next((each for each in sets if each.state == OUT), None)
    out = opens if holds and not changing else None
    asked = out if out and is_asked(out) else None
    said = unconfirmed(account.pk)
    return {
        "sets": sets, "holds_card": holds, "my_cards": mine if holds else [], "drills": out, "asked": asked, "changing": changing,
        "opens": None if changing else opens, "no_way_in": account.state in IN_USE and opens is None, "waiting": any(each.state in TO_PRINT for each in sets),
        "said": [(each, allows(may_confirm, request.actor, each)) for each in said],
        "asks_until": asked.asked_at + ASKED_FOR if asked and asked.asked_at else None,
        "drill": typed.get("drill") or DrillForm() if asked else None,
        "declares": queries.account_to_declare(request.user, account.pk) is not None,
    }  # fmt: skip


@require_POST
@signed_in
@confirming
def sealed_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve or decline a proposal."""
    act = actions.approve if request.POST.get("decision") == "approve" else actions.decline
    account = act(by=request.actor, account=for_act(pk))
    return redirect("sealed_page", account.pk)


@sensitive_variables("form", "secret")
@require_POST
@signed_in
@confirming
def sealed_lay_in(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The custodian lays a new secret in."""
    account, form = for_act(pk), SecretForm(request.POST)
    if not form.is_valid():
        is_custodian(request.actor, account)  # who may not is refused, whatever they sent
    else:
        secret = str(form.cleaned_data["password"])
        form.carry_out(lambda: rotations.lay_in(by=request.actor, account=account, secret=secret))
    return _after(request, account, "The new secret lies here. Try now whether the target takes it.", secret=form)


@require_POST
@signed_in
@confirming
def sealed_test(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Try the new secret: by the portal where it reaches the target, else as the custodian says."""
    account = for_act(pk)
    if probing.is_reached(account):
        form = KeptForm(request.POST)
        form.is_valid()
        form.carry_out(lambda: probing.try_secret(by=request.actor, account=account))
    else:
        form = TriedForm(request.POST)
        if form.is_valid():
            form.carry_out(
                lambda: rotations.note_test(by=request.actor, account=account, taken=form.cleaned_data["taken"])
            )
        else:
            is_custodian(request.actor, account)
    return _after(request, account, "Kept. What came of it stands below.", tried=form)


@require_POST
@signed_in
@confirming
def sealed_hand_over(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Name another custodian."""
    account = for_act(pk)
    form = HandOverForm(account, request.POST)
    if form.is_valid():
        said = form.cleaned_data
        form.carry_out(
            lambda: actions.hand_over(
                by=request.actor, account=account, custodian=said["custodian"], second=said.get("which", False)
            )
        )
    elif not request.user.has_perm(MANAGE, account.system):
        actions.hand_over(by=request.actor, account=account, custodian=account.custodian)  # refuses, on record
    return _after(request, account, "It has a new custodian. A new secret is owed.", hand_over=form)


@require_POST
@signed_in
@confirming
def sealed_retire(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take an account out of use."""
    account = actions.retire(by=request.actor, account=for_act(pk))
    return redirect("sealed_page", account.pk)


def _after(request: PersonRequest, account: SealedAccount, done: str, **form: KeptForm) -> HttpResponse:
    """Back to the page; with the form where the act was refused."""
    sent = next(iter(form.values()))
    if sent.errors:
        seen = queries.account_of(request.user, account.pk)
        if seen is None:
            raise Http404
        return account_page(request, seen, sent.status, **form)
    messages.info(request, done)
    return redirect("sealed_page", account.pk)


def for_act(pk: UUID) -> SealedAccount:
    found = queries.account_for_act(pk)
    if found is None:
        raise Http404
    return found
