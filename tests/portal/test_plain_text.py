"""Hostile text is refused with a sentence; the rest is kept as it was typed."""

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from portal.plain_text import REORDERING, PlainCharField


class OneLine(forms.Form):
    text = PlainCharField(max_length=50)


class Lines(forms.Form):
    text = PlainCharField(max_length=50, widget=forms.Textarea())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\x00b", "control characters"),
        ("a\ud800b", "half a character"),
        ("pay\u202etxt.exe", "turn the reading order"),
        ("a\x07b", "control characters"),
        ("x" * 51, "at most 50"),
        ("x" * 1_000_001, "1,000,001 characters long; at most 50"),
        ("\ud800" * 2_000, "2,000 characters long"),
        ("   ", "Please fill this in."),
    ],
)
@pytest.mark.parametrize("form_class", [OneLine, Lines])
def test_refused_with_a_sentence(form_class: type[forms.Form], text: str, says: str) -> None:
    form = form_class({"text": text})
    assert not form.is_valid()
    assert says in form.errors["text"].as_text()


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE x; --", "=HYPERLINK(1)", "Zoë 日本語 👩‍🚒", "שלום"]
)
def test_odd_but_honest_text_is_kept(text: str) -> None:
    form = OneLine({"text": text})
    assert form.is_valid()
    assert form.cleaned_data["text"] == text


def test_lines_are_kept_where_there_may_be_lines() -> None:
    assert Lines({"text": "one\ntwo\tthree"}).is_valid()
    assert not OneLine({"text": "one\ntwo"}).is_valid()


@given(st.text(alphabet=st.characters(), max_size=60))
def test_what_is_taken_can_be_stored_and_reads_as_it_is_stored(text: str) -> None:
    form = Lines({"text": text})
    if form.is_valid():
        kept = form.cleaned_data["text"]
        assert "\x00" not in kept
        assert not set(kept) & REORDERING
        assert kept.encode("utf-8").decode() == kept
