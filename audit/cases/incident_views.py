"""Pages of an incident: all of its cases that somebody may see. Who looks is logged before anything is shown."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.cases import incident, queries
from audit.log.viewing import ViewerRequest, signed_in, viewed_cases


@require_GET
@signed_in
def incident_cases(request: ViewerRequest) -> HttpResponse:
    """All cases of one incident that the viewer may see, together and with one timeline."""
    return render(request, "audit/cases/incident.html", _incident(request))


@require_GET
@signed_in
def incident_timeline(request: ViewerRequest) -> HttpResponse:
    """The same as a part of another page."""
    return render(request, "audit/cases/incident_record.html", _incident(request))


def _incident(request: ViewerRequest) -> dict[str, Any]:
    """A look at each of the cases is logged first."""
    rows = list(queries.of_incident(request.user, request.GET.get("ref", ""))[: incident.MOST_CASES + 1])
    if not rows:
        raise Http404
    viewed_cases(request, "the incident", [row.case for row in rows])
    return incident.context(rows)
