"""The page of figures."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.charts.shown import figures
from portal.people.signing_in import PersonRequest, signed_in


@require_GET
@signed_in
def figures_page(request: PersonRequest) -> HttpResponse:
    """Twelve months of what the viewer may see, as charts and as tables."""
    return render(request, "charts/figures.html", {"figures": figures(request.user)})
