"""Widgets that know how they are drawn: `component` names the template that `{% field %}` renders them with."""

from collections.abc import Mapping
from typing import Any

from django import forms


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
