"""Answers that Django gives by itself (no such page, a broken request, our own error, a form without its key), as pages of ours."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """400. What was wrong is not repeated: it came from outside."""
    return HttpResponse(render_to_string("errors/400.html"), status=400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """403, where no refusal of ours says more."""
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """404, the same for what is not there and for what is not this person's to see."""
    return render(request, "errors/404.html", status=404)


def broken(_request: HttpRequest) -> HttpResponse:
    """500. Drawn without the request, because what it needs may be what broke."""
    return HttpResponse(render_to_string("errors/500.html"), status=500)


def form_without_key(_request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django names it
    """403 for a form whose key (against forgery) is missing or old."""
    said = {
        "sentence": "This form was sent without the key that belongs to it: it is from an older sign-in, or the browser keeps no cookies.",
        "todo": "Load the page again and send it once more. If it stays so, let the browser keep cookies of the portal.",
    }
    return HttpResponse(render_to_string("errors/403.html", said), status=403)
