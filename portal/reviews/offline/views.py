"""Pages of a use of offline cards: what was declared, and its review."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.rules import allows
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in
from portal.reviews.offline import queries
from portal.reviews.offline.actions import submit
from portal.reviews.offline.forms import OfflineReviewForm
from portal.reviews.offline.models import OfflineReview
from portal.reviews.offline.rules import involved_in, may_review
from portal.reviews.questions import OUTCOMES, statement
from portal.reviews.shown import said_in


@require_GET
@signed_in
def offline_review(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One use: who, when, why, which sessions, and what was judged."""
    review = _visible(request, pk)
    viewed(request, "the review", review)
    looked_at(request)
    answers = review.submitted_at is None and allows(may_review, request.actor, review)
    return _show(request, review, OfflineReviewForm() if answers else None)


@require_POST
@signed_in
@confirming
def offline_review_submit(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Judge it."""
    review, form = queries.review_for_act(pk), OfflineReviewForm(request.POST)
    if review is None:
        raise Http404
    if form.is_valid() or not allows(may_review, request.actor, review):  # who may not is refused, whatever they sent
        outcome = form.cleaned_data.get("outcome", "")
        if form.carry_out(lambda: submit(by=request.actor, review=review, answers=form.answers(), outcome=outcome)):
            messages.info(request, "The review is on record.")
            return redirect("offline_review", pk=pk)
    seen = _visible(request, pk)
    viewed_with(request, "the review", seen)
    return _show(request, seen, form, form.status)


def _show(
    request: PersonRequest, review: OfflineReview, form: OfflineReviewForm | None, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "review": review, "asked": review.request, "account": review.of_set.account, "declared": queries.declared_in(review), "form": form,
        "involved": str(request.user.pk) in involved_in(review), "answers": said_in(review.answers) if review.submitted_at else [],
        "outcome": OUTCOMES.get(review.outcome, ""), "statement": statement(),
    }  # fmt: skip
    return render(request, "reviews/offline.html", context, status=status)


def _visible(request: PersonRequest, pk: UUID) -> OfflineReview:
    found = queries.review_for(request.user, pk)
    if found is None:
        raise Http404
    return found
