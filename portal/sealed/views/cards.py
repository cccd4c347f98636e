"""Acts on offline cards: print one's own, drill, want new ones, declare a use."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from portal import offline_card
from portal.access_requests.rules import Asked
from portal.errors import WrongState
from portal.kept import confirming
from portal.people.signing_in import PersonRequest, signed_in
from portal.people.strength import need_fresh
from portal.policy.queries import in_force, rules_of
from portal.policy.rules import CRITERIA
from portal.reviews.offline.confirming import confirm_use
from portal.reviews.offline.declaring import declare_use
from portal.reviews.offline.queries import cards_of, review_for_act
from portal.sealed import cards, drilling, queries
from portal.sealed.card_paper import NotDrawn, pdf
from portal.sealed.forms import DrillForm, UseForm
from portal.sealed.models import CARDS
from portal.sealed.views.register import account_page, for_act

TRIAL = offline_card.make(account="trial", system="trial", login="trial", where="trial", number=1)[0]
"""A card of nothing, drawn first."""
HELD_BY_ONE = "On record. The pair counts once the other custodian has said the same."
HELD_BY_BOTH = "On record: both cards are with their custodians. Older cards become worthless as soon as the target takes the new password."
FAILED = "That is not the answer of these cards: on record, and a finding is opened. Another try gets another question."


@sensitive_variables("paper", "drawn")
@require_POST
@signed_in
@confirming
def card_print(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One's own card as a PDF, once, on a page that no browser keeps."""
    card = queries.card_for_act(pk)
    if card is None:
        raise Http404
    system = card.of_set.account.system.name
    try:
        pdf(TRIAL, system=system, custodian="")  # what cannot be drawn must not use the card up
    except NotDrawn as error:
        raise WrongState(str(error), about=card) from error
    paper = cards.print_card(by=request.actor, card=card)
    drawn = pdf(paper, system=system, custodian=card.custodian.name)
    answer = HttpResponse(drawn, content_type="application/pdf")
    answer.headers["Cache-Control"] = "no-store, private"
    answer.headers["Content-Disposition"] = f'inline; filename="offline-card-{paper.letter}-set-{paper.number}.pdf"'
    return answer


@require_POST
@signed_in
@confirming
def card_hold(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One's own card is printed whole, and in hand."""
    card = queries.card_for_act(pk)
    if card is None:
        raise Http404
    made = cards.hold(by=request.actor, card=card)
    messages.info(request, HELD_BY_BOTH if cards.is_held(made) else HELD_BY_ONE)
    return redirect("sealed_page", made.account_id)


@require_POST
@signed_in
@confirming
def use_confirm(request: PersonRequest, pk: UUID) -> HttpResponse:
    """A second person says that the cards were used."""
    review = review_for_act(pk)
    if review is None:
        raise Http404
    confirm_use(by=request.actor, review=review)
    messages.info(
        request,
        "On record. The account gets a new password at once; until both new cards are printed, no card opens it.",
    )
    return redirect("sealed_page", cards_of(review).account_id)


@require_POST
@signed_in
@confirming
def cards_drill_begin(request: PersonRequest, pk: UUID) -> HttpResponse:
    """What both cards are to answer."""
    account = for_act(pk)
    drilling.begin(by=request.actor, account=account)
    messages.info(request, "Put both cards together now: the command asks for the question that stands below.")
    return redirect("sealed_page", account.pk)


@require_POST
@signed_in
@confirming
def cards_drill(request: PersonRequest, pk: UUID) -> HttpResponse:
    """The answer."""
    account, form = for_act(pk), DrillForm(request.POST)
    form.is_valid()
    said = form.cleaned_data.get("answer", "")
    passed = form.carry_out(lambda: drilling.answer(by=request.actor, account=account, said=said))
    if form.errors:
        return account_page(request, account, form.status, drill=form)
    messages.info(request, "Both cards work." if passed else FAILED)
    return redirect("sealed_page", account.pk)


@require_POST
@signed_in
@confirming
def cards_renew(request: PersonRequest, pk: UUID) -> HttpResponse:
    """A new pair."""
    account = for_act(pk)
    cards.renew(by=request.actor, account=account)
    messages.info(
        request, "New cards are being made. What opened the account does so until both of you hold the new ones."
    )
    return redirect("sealed_page", account.pk)


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def offline_use(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Declare that the cards were used."""
    account = queries.account_to_declare(request.user, pk)
    if account is None:
        if request.method == "GET":
            raise Http404
        account = for_act(pk)
    if account.kept_by != CARDS:
        raise Http404
    need_fresh(request.actor)
    rules = rules_of(in_force(account.system))
    criteria = {name: CRITERIA[name] for name in rules.criteria}
    form = UseForm(criteria, rules.minutes_for("bypass"), request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        asked = Asked("bypass", said["criterion"], said["reason"], form.minutes, incident_ref=said["incident_ref"])
        made = form.carry_out(
            lambda: declare_use(
                by=request.actor, account=account, asked=asked, from_at=said["from_at"], to_at=said["to_at"]
            )
        )
        if made is not None:
            return redirect("request_page", pk=made.pk)
    return render(request, "sealed/used.html", {"form": form, "account": account}, status=form.status)
