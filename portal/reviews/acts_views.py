"""What was done in a use, read group by group, and what of it the reviewer accepts. The lists themselves are audit's, set in here."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from audit.log.viewing import viewed, viewed_with
from portal.access_requests.rules import allows
from portal.people.signing_in import PersonRequest, signed_in
from portal.reviews import accepting, drafts, queries, sittings
from portal.reviews.forms import AcceptForm
from portal.reviews.models import Acceptance, Review
from portal.reviews.part import set_in
from portal.reviews.rules import is_its_reviewer
from portal.reviews.states import CLAIMED, TAKEN_STATES
from portal.reviews.views import review_save

NARROWED = ("session", "kind", "only", "after")


@require_GET
@signed_in
def review_acts(request: PersonRequest, pk: UUID) -> HttpResponse:
    """All groups, or the actions of one, or what is to be looked at first."""
    review = queries.opened_for(request.user, pk)
    if review is None:
        raise Http404
    viewed(request, "the review", review)
    opened = _note(request, review)
    if request.GET.get(
        "part"
    ):  # as it stands on the page of the review: it is noted here, since audit knows no reviewers
        said = urlencode({"review": str(review.pk), **opened})
        return redirect(f"{reverse('case_acts', args=[review.request_id])}?{said}")
    return _page(request, review, AcceptForm() if _may_accept(request, review) else None, opened)


def _note(request: PersonRequest, review: Review) -> dict[str, str]:
    """Keep what its reviewer opened; how many groups that are by now, for audit's part of the page."""
    if review.state not in TAKEN_STATES or review.holder != request.user:
        return {}
    session, kind = request.GET.get("session", ""), request.GET.get("kind", "")
    group = [sittings.group(session, kind)] if session and kind else []
    row = sittings.note(review=review, person=request.user, opened=[sittings.ACTS, *group])
    return {"opened": str(sittings.groups_opened(row))}


@require_POST
@signed_in
def review_accept(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Accept what was ticked, or the group that stands on the page."""
    review = queries.opened_for_act(pk)
    if review is None:
        raise Http404
    form = AcceptForm(request.POST)
    if form.is_valid() or not _may_accept(request, review):
        kept = form.carry_out(lambda: _accept(request, review, form.cleaned_data))
        if kept is not None:
            many = "1 action" if kept.count == 1 else f"{kept.count} actions"
            messages.info(request, f"Accepted: {many}. You can take it back until you submit.")
            return redirect(f"{_address(review)}?{_query(request.POST)}")
    found = queries.opened_for(request.user, pk)
    if found is None:
        raise Http404
    viewed_with(request, "the review", found)
    return _page(request, found, form)


@require_POST
@signed_in
def review_take_back(request: PersonRequest, pk: UUID, acceptance: UUID) -> HttpResponseBase:
    """No longer accept it."""
    review = queries.opened_for_act(pk)
    known = queries.acceptance_for_act(review, acceptance) if review else None
    if known is None:
        raise Http404
    if review is not None and not drafts.keep(request, review):
        return review_save(request, pk=pk)  # which says what cannot be kept
    accepting.take_back(by=request.actor, acceptance=known)
    messages.info(request, "Taken back.")
    return redirect("review_page", pk=pk)


def _accept(request: PersonRequest, review: Review, said: dict[str, Any]) -> Acceptance:
    if said.get("whole"):
        return accepting.accept_group(
            by=request.actor, review=review, kind=said["kind"], upto=said["upto"], note=said["note"], session=said["session"]
        )  # fmt: skip
    ticked = list(dict.fromkeys(request.POST.getlist("accepted")))
    return accepting.accept(by=request.actor, review=review, activities=ticked, note=said.get("note", ""))


def _page(
    request: PersonRequest, review: Review, form: AcceptForm | None, opened: dict[str, str] | None = None
) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    chosen = {name: given.get(name, "") for name in NARROWED}
    asked: dict[str, str | list[str]] = {name: value for name, value in (chosen | (opened or {})).items() if value}
    rows = bool(chosen["session"] or chosen["kind"] or chosen["only"])
    if form and rows:
        asked |= {"tick": "1", "accepted": given.getlist("accepted")}
    part = set_in(request, "case_act_rows" if rows else "case_acts", review.request_id, review=str(review.pk), **asked)
    context = {
        "review": review, "grant": review.grant, "part": part, "chosen": chosen, "form": form if rows else None,
        "whole": bool(chosen["kind"]) and chosen["kind"] not in accepting.meant(review.request),
    }  # fmt: skip
    return render(request, "reviews/acts.html", context, status=form.status if form else 200)


def _may_accept(request: PersonRequest, review: Review) -> bool:
    return review.state == CLAIMED and allows(is_its_reviewer, request.actor, review)


def _address(review: Review) -> str:
    return f"/reviews/{review.pk}/acts/"


def _query(given: Any) -> str:
    return urlencode({name: given[name] for name in NARROWED if given.get(name)})
