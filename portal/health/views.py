"""Two answers for machines and one page for operators."""

from contextlib import suppress

from django.core.exceptions import PermissionDenied
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from portal.clock import now
from portal.errors import LogUnavailable
from portal.health import queries
from portal.health.backup_rows import history
from portal.health.figures import figures
from portal.health.rows import LATE
from portal.notifications.seeing import looked_at
from portal.people.signing_in import PersonRequest, signed_in


@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"live": True})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Ready when the database answers. What is merely late is said and takes no web process out of service."""
    try:
        connection.ensure_connection()
        sealed = queries.log_row(now()).state
    except Error:
        return JsonResponse({"ready": False, "database": "down", "log": "unknown"}, status=503)
    return JsonResponse({"ready": True, "database": "ok", "log": "late" if sealed == LATE else "ok"})


@require_GET
@signed_in
def status_page(request: PersonRequest) -> HttpResponse:
    """How each process goes; looks again by itself every five seconds, save for the figures by day under it."""
    if not queries.may_see(request.user):
        raise PermissionDenied("Only administrators, auditors and owners of systems see the status.")
    again = bool(getattr(request, "htmx", False))
    if not again:
        with suppress(LogUnavailable):  # that the log is down is what somebody comes here to see
            looked_at(request)
    given = {**queries.status(), "history": history(), "figures": [] if again else figures()}
    return render(request, "health/status.html", given)
