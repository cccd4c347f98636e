"""The first page: what a person can do now, and what waits for them."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.people.signing_in import PersonRequest, signed_in


@require_GET
@signed_in
def home(request: PersonRequest) -> HttpResponse:
    """Landing by role."""
    return render(request, "people/home.html", {})
