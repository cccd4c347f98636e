"""Widgets that know how they are drawn: `component` names the template that `{% field %}` renders them with."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class ChoiceCards(forms.RadioSelect):
    """One of few choices, each a card that may carry a sentence: hints maps a choice's value to that sentence."""

    def __init__(self, *, hints: Mapping[str, str] | None = None, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.hints = hints or {}


class CheckCards(forms.CheckboxSelectMultiple):
    """Several of few choices, drawn as ChoiceCards are."""

    def __init__(self, *, hints: Mapping[str, str] | None = None, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.hints = hints or {}


class Minutes(forms.NumberInput):
    """A whole number of minutes; the script adds buttons that move it by `step`."""

    unit = "minutes"

    def __init__(self, *, lowest: int = 1, highest: int | None = None, step: int = 15) -> None:
        attrs: dict[str, Any] = {"min": lowest, "step": 1, "inputmode": "numeric", "data-step": step}
        if highest is not None:
            attrs["max"] = highest
        super().__init__(attrs)


class UtcMoment(forms.DateTimeInput):
    """Date and time in UTC, in the browser's own picker (HTML, "local date and time string")."""

    input_type = "datetime-local"
    unit = "UTC"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class OneTimeCode(forms.TextInput):
    """Six digits of an authenticator; phones offer the digits and the code."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        told = {"inputmode": "numeric", "autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
        super().__init__(told | (attrs or {}))


class QuickSelect(forms.Select):
    """The same as its parent, written in one go: a page with many of them would fill in two templates for each option. No groups of options."""

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,  # noqa: ARG002 - drawn without one
    ) -> SafeString:
        """As Django's own templates draw it."""
        chosen = set(self.format_value(value))
        options = format_html_join(
            "", "<option value=\"{}\"{}>{}</option>",
            ((key, SafeString(" selected") if str(key) in chosen else "", label) for key, label in self.choices),
        )  # fmt: skip
        return format_html(
            "<select{}>{}</select>", flatatt({"name": name, **self.build_attrs(self.attrs, attrs)}), options
        )
