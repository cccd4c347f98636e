"""One line's decision."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from portal.campaigns.lists import LISTS
from portal.campaigns.models import Item
from portal.kept import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.systems.models import System
from portal.widgets import QuickSelect, UtcMoment

KEEP, MODIFY, REVOKE, TRANSFER = "keep", "modify", "revoke", "transfer"
MINUTE = "%Y-%m-%dT%H:%M"
NOTES = ("reason", "to_at", "to")
Typed = Mapping[UUID, Mapping[str, str]]
"""What was typed at lines, by line and field, as it was sent."""
WORDS = {KEEP: "Keep", MODIFY: "Narrow", REVOKE: "Revoke", TRANSFER: "Hand on"}


class StartForm(forms.Form):
    """Which list is to be attested now; without a system, that of all systems; ``every``: each list of the kind."""

    kind = forms.ChoiceField(choices=[(each.kind, each.title) for each in LISTS.values()])
    every = forms.BooleanField(required=False)

    def __init__(self, *args: Any, systems: QuerySet[System], **kwargs: Any) -> None:
        """``systems`` are all that there are: the act asks who may."""
        super().__init__(*args, **kwargs)
        self.fields["system"] = forms.ModelChoiceField(queryset=systems, required=False)


class Ids(forms.Field):
    """Ids of rows that were ticked."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[UUID]:
        """Each once."""
        try:
            found = [UUID(str(each)) for each in dict.fromkeys(value or [])]
        except ValueError as error:
            raise forms.ValidationError("Tick the lines that stay.") from error
        if not found:
            raise forms.ValidationError("Tick the lines that stay.")
        return found


class KeepManyForm(KeptForm):
    """Lines that are kept together; ``mixed`` says a second time that they stay although they are of different risk."""

    lines = Ids(label="Lines")
    reason = PlainCharField(label="Why do they stay?", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}),
                            help_text="Needed where one was neither used nor drilled for long.")  # fmt: skip
    mixed = forms.BooleanField(required=False, widget=forms.HiddenInput)


class DecisionForm(KeptForm):
    """The button says what is decided; the note says why. All lines of a page are one form, so each field's name begins with its line's."""

    decision = forms.ChoiceField(
        choices=list(WORDS.items()),
        widget=forms.HiddenInput,
        error_messages={"required": "Choose what is to become of it."},
    )
    reason = PlainCharField(label="Why?", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    to_at = forms.DateTimeField(
        label="New end", required=False, widget=UtcMoment(), input_formats=[MINUTE, "%Y-%m-%d %H:%M"]
    )
    to = forms.ChoiceField(label="Who owns it?", required=False, widget=QuickSelect)

    def __init__(
        self, *args: Any, item: Item, others: Iterable[Person], beside: Typed | None = None, **kwargs: Any
    ) -> None:
        """``others`` attest for the system and may take it over; ``beside`` is what was typed at other lines, and is said again with what was typed here."""
        super().__init__(*args, prefix=str(item.pk), **kwargs)
        self.beside = beside or {}
        self.item = item
        self.fields["to_at"].initial = item.removal_asked_to_at  # what the first asked for: who agrees need not type it
        self.others = {str(each.pk): each for each in others if each.pk not in (item.reviewer_id, item.person_id)}
        self.fields["to"].choices = [("", "Choose"), *((pk, each.name) for pk, each in self.others.items())]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_to(self) -> Person | None:
        """The person, not their id."""
        return self.others.get(self.cleaned_data["to"])

    def clean(self) -> dict[str, Any]:
        """What the chosen decision needs."""
        said = super().clean() or {}
        if said.get("decision") == MODIFY and not said.get("to_at") and "to_at" not in self.errors:
            self.add_error("to_at", "Name the new end.")
        if said.get("decision") == TRANSFER and not said.get("to") and "to" not in self.errors:
            self.add_error("to", "Name the owner.")
        return said

    def _typed(self) -> list[str]:
        return [*super()._typed(), *(each["reason"] for each in self.beside.values() if "reason" in each)]

    @property
    def more_is_open(self) -> bool:
        """Whether the part for the rarer decisions has something in it."""
        return any(self[name].value() or self[name].errors for name in ("to_at", "to"))


def typed_beside(said: Mapping[str, Any], line: UUID) -> Typed:
    """What was sent of lines other than the one that is decided: without a script all of them are sent together."""
    found: dict[UUID, dict[str, str]] = {}
    for name, value in said.items():
        of, _, field = name.rpartition("-")
        if field in NOTES and of != str(line) and str(value).strip():
            try:
                found.setdefault(UUID(of), {})[field] = str(value)
            except ValueError:
                continue
    return found


def unless_given(typed: Typed, ends: Mapping[UUID, datetime]) -> Typed:
    """Without the new ends that stand at lines because somebody asked for them before (``ends``): nobody typed those."""
    given = {line: end.astimezone(UTC).strftime(MINUTE) for line, end in ends.items()}
    left = {
        line: {field: value for field, value in notes.items() if field != "to_at" or value != given.get(line)}
        for line, notes in typed.items()
    }
    return {line: notes for line, notes in left.items() if notes}
