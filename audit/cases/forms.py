"""What the list of cases can be narrowed to."""

from typing import Any

from django import forms

from audit.cases.status import STATUSES, VERDICTS
from audit.cases.words import MODES

ANY = ("", "Any")
BROKEN_OFF = "This search took too long and was broken off. Choose a system or the days in which it was asked too, or search for less."


class CaseFilters(forms.Form):
    """All optional; what cannot be read narrows nothing and says so."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"placeholder": "System, incident, reason, person"}),
    )
    system = forms.ChoiceField(label="System", required=False)
    mode = forms.ChoiceField(label="Mode", required=False, choices=[ANY, *MODES.items()])
    status = forms.ChoiceField(
        label="Status", required=False, choices=[ANY, *((each.code, each.label) for each in STATUSES.values())]
    )
    verdict = forms.ChoiceField(
        label="Record", required=False, choices=[ANY, *((code, look[0]) for code, look in VERDICTS.items())]
    )
    person = forms.CharField(
        label="Person",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"placeholder": "Name"}),
    )
    since = forms.DateField(label="Asked from", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="Asked to", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    broken_off = False

    def __init__(self, *args: Any, systems: list[tuple[str, str]], **kwargs: Any) -> None:
        """Offer the systems of the viewer's cases."""
        super().__init__(*args, **kwargs)
        self.fields["system"].choices = [ANY, *systems]  # type: ignore[attr-defined]  # a ChoiceField, declared above

    def chosen(self) -> dict[str, Any]:
        """What was filled in and can be read."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def break_off(self, chosen: dict[str, Any]) -> None:
        """Say, beside what was searched for, that it took too long."""
        self.broken_off = True
        self.add_error("q" if "q" in chosen else "person" if "person" in chosen else None, BROKEN_OFF)
