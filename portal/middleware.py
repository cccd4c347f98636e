"""One place turns refusals into answers; views have no ``except`` for them."""

import logging
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from portal.errors import (
    ChangedMeanwhile,
    LogUnavailable,
    NotAllowed,
    Refused,
    RefusedByPolicy,
    StepUpNeeded,
    WrongState,
)

logger = logging.getLogger("breakglass.web")
# By code, because audit has refusals of its own with the same codes. Anything else is 409.
ANSWERS = {NotAllowed.code: 403, ChangedMeanwhile.code: 409, WrongState.code: 409, RefusedByPolicy.code: 422}


class RefusalsMiddleware:
    """403, 409, 422 and 503, in HTML and for htmx alike, each with what happened, what was kept and what to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; pages of signed-in people are never kept by a browser."""
        response = self.get_response(request)
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer one of our errors; leave all others."""
        if isinstance(error, Refused) and error.code == StepUpNeeded.code:
            return _to_step_up(request, resistant=getattr(error, "resistant", False))
        if isinstance(error, Refused):
            status = ANSWERS.get(error.code, 409)
            return _page(request, status, error.sentence, **_back(error, status), typed=getattr(error, "typed", ()))
        if isinstance(error, PermissionDenied):
            return _page(request, 403, str(error) or "You do not hold the role that this needs.")
        if isinstance(error, LogUnavailable):
            return _page(
                request,
                503,
                "The log cannot be written, and nothing is done that it cannot record.",
                **_unsure(request),
            )
        if isinstance(error, OperationalError):
            logger.error("database out of reach: %s", type(error).__name__)
            return _page(request, 503, "The portal's database is out of reach.", **_unsure(request))
        return None


def _unsure(request: HttpRequest) -> dict[str, str]:
    """What can be said of something that broke off: it may have had several steps, and what was typed is not on this page."""
    if request.method in ("GET", "HEAD"):
        return {}
    return {
        "kept": "Nothing more was done, and what you typed is not on this page: go one step back, where your browser may still have it.",
        "todo": "Look how it stands before you repeat it: a step before this one may have been done. If it stays so, tell an operator.",
    }


def _to_step_up(request: HttpRequest, *, resistant: bool) -> HttpResponse:
    """Ask for a fresh second factor and come back; what was typed is typed again only if the browser lost it."""
    back = request.get_full_path() if request.method == "GET" else request.headers.get("Referer", "/")
    messages.info(request, "Please confirm that it is you. What you did was not carried out yet.")
    only = {"only": "passkey"} if resistant else {}  # audit's refusals know no such thing
    where = f"{reverse('step_up')}?{urlencode({'next': _local(request, back), **only})}"
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return redirect(where)


def _local(request: HttpRequest, address: str) -> str:
    prefix = f"{request.scheme}://{request.get_host()}"
    path = address.removeprefix(prefix)
    return path if path.startswith("/") and not path.startswith("//") else "/"


def _back(error: Refused, status: int) -> dict[str, str]:
    """Who came too late goes back to the page of the case; who may not is not told where it is."""
    case = str(getattr(error.about, "log_case", ""))
    return {"back_url": f"/requests/{case}/", "back_label": "See how it stands now"} if status == 409 and case else {}


def _page(request: HttpRequest, status: int, sentence: str, **more: object) -> HttpResponse:
    return render(request, f"errors/{status}.html", {"sentence": sentence, **more}, status=status)
