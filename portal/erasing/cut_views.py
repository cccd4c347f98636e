"""How long what is kept, and cutting what has been kept for its time."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from audit.log.cuts import last_cut
from portal.access_requests.rules import allows
from portal.erasing import cutting, queries
from portal.erasing import retention as kept
from portal.erasing.forms import CutForm
from portal.erasing.rules import ONLY_ADMINISTRATORS, may_administer, may_approve_cut
from portal.erasing.states import APPROVED, PROPOSED
from portal.hints import hint
from portal.kept import confirming
from portal.people.rights import ADMINISTER
from portal.people.signing_in import PersonRequest, signed_in
from portal.systems.views import found

PER_PAGE = 20


@require_http_methods(["GET", "POST"])
@signed_in
@confirming
def retention(request: PersonRequest) -> HttpResponse:
    """The classes and their terms, what could be cut, what is in the way; and proposing to cut it."""
    if request.method == "POST":
        form = CutForm(request.POST)
        said = form.cleaned_data if form.is_valid() else {}
        if form.errors:
            may_administer(request.actor)  # who may not is refused, whatever they sent
        elif form.carry_out(lambda: cutting.propose(by=request.actor, **said)) is not None:
            return redirect("retention")
        return _page(request, form)
    return _page(request, None)


def _page(request: PersonRequest, form: CutForm | None) -> HttpResponse:
    if not queries.may_see(request.user):
        raise PermissionDenied(ONLY_ADMINISTRATORS)
    most, administers = kept.could_go(), request.user.has_perm(ADMINISTER)
    holds, cases = kept.in_the_way(most)
    page = Paginator(kept.visible_cuts(request.user), PER_PAGE).get_page(request.GET.get("page"))
    under_way = [each for each in page if each.state in (PROPOSED, APPROVED)]
    if form is None and administers and most.entries and not under_way:
        form = CutForm(initial={"minimum": most.minimum})
    context = {
        "classes": kept.kept_classes(), "entries_days": kept.terms()["entries"], "most": most, "holds": holds, "open_cases": cases,
        "last": last_cut(), "published": kept.still_published(), "page": page, "form": form,
        "rows": [(each, each.state == PROPOSED and allows(may_approve_cut, request.actor, each), administers and each in under_way) for each in page],
    }  # fmt: skip
    return render(request, "erasing/retention.html", context, status=form.status if form else 200)


@require_POST
@signed_in
@confirming
def cut_decide(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Approve as the second administrator, decline, or take it back."""
    act = cutting.approve if request.POST.get("decision") == "approve" else cutting.decline
    act(by=request.actor, cut=found(kept.cut_for_act(pk)))
    hint("portal.cuts")
    return redirect("retention")
