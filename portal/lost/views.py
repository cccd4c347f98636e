"""What the log has lost: which ranges were signed, saying one, and deciding on it as the second administrator."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.log.viewing import viewed
from portal.access_requests.rules import allows
from portal.kept import confirming
from portal.lost import actions, queries
from portal.lost.forms import LossForm
from portal.lost.rules import ONLY_ADMINISTRATORS, may_report, may_sign
from portal.lost.states import REPORTED
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.systems.views import found

PER_PAGE = 50


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def lost_ranges(request: PersonRequest) -> HttpResponse:
    """All of them, and saying that there is another."""
    if not queries.may_see(request.user):
        raise PermissionDenied(ONLY_ADMINISTRATORS)
    form = LossForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        may_report(request.actor)
        if form.is_valid() and (made := form.carry_out(lambda: actions.report(by=request.actor, **form.cleaned_data))):
            return redirect("lost_range_page", made.pk)
    context = {
        "form": form if request.user.has_perm(ADMINISTER) else None,
        "page": Paginator(queries.visible_ranges(request.user), PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "lost/list.html", context, status=form.status)


@require_GET
@signed_in
def lost_range_page(request: PersonRequest, pk: UUID) -> HttpResponse:
    """One of them."""
    lost = found(queries.lost_range(request.user, pk))
    viewed(request, "a lost range of the log", lost)
    waits = lost.state == REPORTED
    context = {
        "lost": lost, "may_sign": waits and allows(may_sign, request.actor, lost),
        "may_take_back": waits and str(lost.reported_by_id) == request.actor.id,
    }  # fmt: skip
    return render(request, "lost/range.html", context)


@require_POST
@signed_in
@confirming
def lost_range_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Sign it as the second administrator, decline it, or take it back."""
    act = actions.sign if request.POST.get("decision") == "sign" else actions.decline
    act(by=request.actor, lost=found(queries.range_for_act(pk)))
    return redirect("lost_range_page", pk)
