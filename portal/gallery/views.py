"""The gallery's pages; they read no table and change nothing."""

from datetime import timedelta

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.gallery import samples
from portal.gallery.forms import GalleryForm, SignInForm

ERRORS = (403, 404, 409, 422, 500, 503)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Every component."""
    now = timezone.now()
    context = samples.SHELL | {
        "samples": samples,
        "until": now + timedelta(minutes=42),
        "until_near": now + timedelta(seconds=95),
        "until_past": now - timedelta(minutes=1),
        "numbers": ["Statements"],
        "page": Paginator(range(1_204), 25).get_page(request.GET.get("page", "2")),
        "form": GalleryForm(auto_id="plain_%s"),
    }
    return render(request, "gallery/components.html", context)


@require_safe
def faulty_form(request: HttpRequest) -> HttpResponse:
    """A form that was sent with everything to put right."""
    form = GalleryForm({"minutes": "500", "reason": "Stuck.", "mail": "ada", "starts_at": "soon"})
    form.full_clean()
    form.add_error(None, "The policy changed while you wrote. Read its sentences again; what you typed is kept.")
    return render(request, "gallery/form.html", samples.SHELL | {"form": form})


@require_safe
def plain(request: HttpRequest) -> HttpResponse:
    """A page with one thing to do."""
    return render(request, "gallery/plain.html", {"form": SignInForm(), "demo": True})


@require_safe
def error(request: HttpRequest, status: int) -> HttpResponse:
    """An error page, answered with 200 so that it can be looked at."""
    if status not in ERRORS:
        raise Http404
    return render(request, f"errors/{status}.html", {"reference": "7f3a-19c2"})
