"""Asking for a pack, and saying what a download is for."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms

from audit.cases.inert import inert
from audit.controls.loading import load_catalogue
from audit.log.append import now_ms
from audit.packs.actions import LEAST_PURPOSE, MOST_PURPOSE

USUAL_DAYS = 90
WHAT_FOR = "Say what it is for in a few words; they are printed on the cover."


class _Cards(forms.CheckboxSelectMultiple):
    """Several of few choices, each with a sentence; pages draw ``hints`` below the choice."""

    def __init__(self) -> None:
        super().__init__()
        self.hints: Mapping[str, str] = {}


class PackForm(forms.Form):
    """Scope and purpose of a pack."""

    first = forms.DateField(
        label="From", help_text="First day, in UTC.", widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        label="To", help_text="Last day, in UTC, included.", widget=forms.DateInput(attrs={"type": "date"})
    )
    systems = forms.MultipleChoiceField(
        label="Systems", widget=_Cards(), error_messages={"required": "Choose at least one system."}
    )
    frameworks = forms.MultipleChoiceField(
        label="Map the results to", required=False, widget=_Cards(),
        help_text="Each reference is printed with what the tests do not show.",
    )  # fmt: skip
    purpose = forms.CharField(
        label="Purpose", min_length=LEAST_PURPOSE, max_length=MOST_PURPOSE, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Printed on the cover, and kept in the log.",
        error_messages={"required": WHAT_FOR, "min_length": WHAT_FOR},
    )  # fmt: skip

    def __init__(self, *args: Any, systems: Mapping[str, str], **kwargs: Any) -> None:
        """Offer the systems of the viewer (id to name), all chosen, and the catalogue's frameworks, those by default chosen."""
        known = load_catalogue().frameworks
        today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
        kwargs.setdefault("initial", {
            "first": today - timedelta(days=USUAL_DAYS - 1), "last": today, "systems": list(systems),
            "frameworks": [each.id for each in known.values() if each.enabled],
        })  # fmt: skip
        super().__init__(*args, **kwargs)
        self._offer("systems", systems, {})
        versions = {each.id: each.version for each in known.values()}
        self._offer("frameworks", {each.id: each.name for each in known.values()}, versions)

    def _offer(self, name: str, choices: Mapping[str, str], hints: Mapping[str, str]) -> None:
        field = self.fields[name]
        field.choices = list(choices.items())  # type: ignore[attr-defined]  # a MultipleChoiceField, declared above
        field.widget.hints = hints

    def typed(self) -> dict[str, Any]:
        """What was sent, for the form that comes after the second factor."""
        return {
            name: field.widget.value_from_datadict(self.data, self.files, name) for name, field in self.fields.items()
        }

    def clean_purpose(self) -> str:
        """Without characters that make it read differently from what it says."""
        return inert(self.cleaned_data["purpose"])

    def clean(self) -> dict[str, Any]:
        """The period goes forward and has begun."""
        said = super().clean() or {}
        first, last = said.get("first"), said.get("last")
        if first and last and first > last:
            self.add_error("last", "This lies before the first day.")
        if first and _start(first) > now_ms():
            self.add_error("first", "This day has not begun.")
        return said

    def period(self) -> tuple[int, int]:
        """From, and up to, not including (ms)."""
        return _start(self.cleaned_data["first"]), _start(self.cleaned_data["last"] + timedelta(days=1))


class DownloadForm(forms.Form):
    """What a download is for."""

    purpose = forms.CharField(
        label="What is this download for?", min_length=4, max_length=MOST_PURPOSE,
        help_text="That a purpose was given is kept in the log.",
    )  # fmt: skip


def _start(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
