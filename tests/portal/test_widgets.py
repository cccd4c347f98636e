"""Widgets of our own draw what Django's draw."""

import pytest
from django.forms import Select
from django.test.html import parse_html

from portal.widgets import QuickSelect

CHOICES = [("", "Choose"), ("a", "Ann <b>Berg</b>"), ("b", 'Ben "the" Okafor'), (3, "Three")]


@pytest.mark.parametrize("value", ["", "a", 'x"y', None, 3, "3"])
def test_quick_select_draws_what_its_parent_draws(value: object) -> None:
    attributes = {"id": "id_to", "required": True, "aria-describedby": "a-hint"}
    ours, theirs = (
        kind(attrs={"class": "form-select"}, choices=CHOICES).render("to", value, attributes)
        for kind in (QuickSelect, Select)
    )
    assert parse_html(ours) == parse_html(theirs)
