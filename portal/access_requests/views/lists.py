"""The viewer's own requests, and what waits for their decision."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from portal.access_requests.queries import all_own_requests, visible, waiting_for
from portal.eligibility.lending import lends
from portal.grants.queries import endable_by, extensions_waiting_for
from portal.people.signing_in import PersonRequest, signed_in

PER_PAGE = 50


@require_GET
@signed_in
def requests(request: PersonRequest) -> HttpResponse:
    """Two lists: what one asked, and what waits for one."""
    waiting, extensions = waiting_for(request.user), extensions_waiting_for(request.user)
    chosen = request.GET.get("list") or ("waiting" if waiting or extensions else "mine")
    page = Paginator(all_own_requests(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "chosen": chosen, "waiting": waiting, "extensions": extensions, "page": page, "total": visible(request.user).count(), "open": endable_by(request.user),
        "lends": chosen == "waiting" and lends(request.user.pk),
        "tabs": [
            {"label": "My requests", "url": f"{reverse('requests')}?list=mine", "active": chosen != "waiting"},
            {"label": "Waiting for me", "url": f"{reverse('requests')}?list=waiting", "active": chosen == "waiting",
             "count": len(waiting) + len(extensions)},
        ],
    }  # fmt: skip
    return render(request, "access_requests/requests.html", context)
