"""Error pages stand alone: no request, no person, no database."""

import pytest
from django.template.loader import render_to_string

STATUSES = (403, 404, 409, 422, 500, 503)


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
