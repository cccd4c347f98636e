"""Error pages stand alone: no request, no person, no database. Django's own answers are pages of ours too."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.urls import path

from portal import urls

STATUSES = (400, 403, 404, 409, 422, 500, 503)


def _breaks(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault")


def _forbids(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [path("breaks/", _breaks), path("forbids/", _forbids), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.mark.parametrize("status", STATUSES)
def test_error_page_stands_without_context(status: int) -> None:
    page = render_to_string(f"errors/{status}.html")
    for part in ("sentence", "kept", "todo"):
        assert page.split(f"data-error-{part}>")[1].split("</p>")[0].endswith(".")


@pytest.mark.parametrize("status", STATUSES)
def test_error_page_says_what_it_is_told(status: int) -> None:
    told = {"sentence": "A < B.", "kept": "Kept C.", "todo": "Do D.", "reference": "r-1"}
    page = render_to_string(f"errors/{status}.html", told)
    assert "data-error-sentence>A &lt; B.</p>" in page
    assert "data-error-kept>Kept C.</p>" in page
    assert "data-error-todo>Do D.</p>" in page
    assert "<code>r-1</code>" in page


@pytest.mark.django_db
@pytest.mark.urls("tests.web.test_errors")
@pytest.mark.parametrize(
    ("address", "status", "headers"),
    [("/nothing/", 404, {}), ("/breaks/", 500, {}), ("/forbids/", 403, {}), ("/", 400, {"host": "elsewhere.example"})],
)
def test_answers_that_django_gives_are_pages_with_a_way_back(
    address: str, status: int, headers: dict[str, Any]
) -> None:
    answer = Client(raise_request_exception=False).get(address, headers=headers)
    said = answer.content.decode()
    assert answer.status_code == status
    assert 'class="brand-mark"' in said
    assert "Go to the first page" in said


@pytest.mark.django_db
def test_form_without_its_key_says_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"email": "ann@example.org"})
    said = answer.content.decode()
    assert answer.status_code == 403
    assert "sent without the key" in said
    assert "Load the page again" in said
