"""While a reviewer is away: who stands in, and taking that back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.clock import now
from portal.eligibility.models import REVIEWER
from portal.eligibility.queries import holds_for_all, systems_where
from portal.kept import confirming
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in
from portal.reviews import delegating, leave
from portal.reviews.forms import DelegateForm


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def review_away(request: PersonRequest) -> HttpResponse:
    """What is named, and naming somebody."""
    reviewer = request.user.pk, (REVIEWER,)
    systems, everywhere = systems_where(*reviewer), holds_for_all(*reviewer)
    if not everywhere and not systems.exists():
        raise PermissionDenied(delegating.ONLY_REVIEWERS)
    if request.method == "GET":
        looked_at(request)
    form = DelegateForm(request.POST or None, viewer=request.user, systems=systems, everywhere=everywhere)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        made = form.carry_out(
            lambda: delegating.delegate(
                by=request.actor, to=said["person"], system=said["system"], from_at=said["from_at"] or now(), to_at=said["to_at"]
            )
        )  # fmt: skip
        if made is not None:
            messages.info(
                request, f"{made.to.name} stands in for you. What is yours in these days goes over by itself."
            )
            return redirect("review_away")
    context = {"form": form, "named": leave.of_person(request.user), "person": request.user}
    return render(request, "reviews/away.html", context, status=form.status)


@require_POST
@signed_in
def review_back(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Take it back."""
    found = leave.for_act(pk)
    if found is None:
        raise Http404
    delegating.take_back(by=request.actor, delegation=found)
    messages.info(request, "It is over. What went over stays where it is.")
    return redirect("reviews")
