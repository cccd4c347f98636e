"""Changes and privacy after a use: one page, three acts."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.log.read import size
from audit.log.viewing import viewed, viewed_with
from portal.access_requests.rules import allows
from portal.kept import KeptForm
from portal.people.signing_in import PersonRequest, signed_in
from portal.reviews import aftermath, queries
from portal.reviews.aftermath_forms import ChangeForm, NoticeForm, PrivacyForm
from portal.reviews.models import PrivacyDecision, Review

CHANGE, PRIVACY, NOTICE = "change", "privacy", "notice"


@require_GET
@signed_in
def review_after(request: PersonRequest, pk: UUID) -> HttpResponse:
    """What is on record, and what the viewer may add."""
    review = queries.opened_for(request.user, pk)
    if review is None:
        raise Http404
    viewed(request, "the review", review)
    return _page(request, review, {})


@require_POST
@signed_in
def review_change(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Name a change record."""
    review = _for_act(pk)
    form = ChangeForm(request.POST, approvers=queries.change_approvers(review))

    def act() -> object:
        return aftermath.record_change(by=request.actor, review=review, upto=max(0, size() - 1), **form.cleaned_data)

    return _acted(request, review, CHANGE, form, act, "The change record is on record.")


@require_POST
@signed_in
def review_privacy(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Decide on privacy."""
    review, form = _for_act(pk), PrivacyForm(request.POST)
    return _acted(
        request, review, PRIVACY, form, lambda: aftermath.decide_privacy(by=request.actor, review=review, **form.arguments()),
        "The privacy decision is on record.",
    )  # fmt: skip


@require_POST
@signed_in
def review_notice(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Say that the breach was notified."""
    review, form = _for_act(pk), NoticeForm(request.POST)
    return _acted(
        request, review, NOTICE, form, lambda: aftermath.record_notice(by=request.actor, review=review, **form.cleaned_data),
        "The notice is on record.",
    )  # fmt: skip


def _acted(request: PersonRequest, review: Review, name: str, form: KeptForm, act: Any, says: str) -> HttpResponse:
    if not form.is_valid():
        aftermath.may_say(request.actor, review)  # who may not is refused, whatever they sent
    elif form.carry_out(act) is not None:
        messages.info(request, says)
        return redirect("review_after", pk=review.pk)
    found = queries.opened_for(request.user, review.pk)
    if found is None:
        raise Http404
    viewed_with(request, "the review", found)
    return _page(request, found, {name: form})


def _page(request: PersonRequest, review: Review, sent: dict[str, KeptForm]) -> HttpResponse:
    privacy = queries.privacy_of(review)
    forms: dict[str, KeptForm] = {}
    if allows(aftermath.may_say, request.actor, review):
        forms = _offered(review, privacy) | sent
    form = next(iter(sent.values()), None)
    context = {
        "review": review, "grant": review.grant, "changes": queries.changes_of(review), "privacy": privacy, "forms": forms, "sent": form,
        "change_due": aftermath.change_due(review), "decision_due": aftermath.decision_due(review),
    }  # fmt: skip
    return render(request, "reviews/after.html", context, status=form.status if form else 200)


def _offered(review: Review, privacy: PrivacyDecision | None) -> dict[str, KeptForm]:
    forms: dict[str, KeptForm] = {CHANGE: ChangeForm(approvers=queries.change_approvers(review))}
    if privacy is None or privacy.notified_at is None:
        forms[PRIVACY] = PrivacyForm()
    if privacy is not None and privacy.breach and privacy.notified_at is None:
        forms[NOTICE] = NoticeForm()
    return forms


def _for_act(pk: UUID) -> Review:
    found = queries.opened_for_act(pk)
    if found is None:
        raise Http404
    return found
