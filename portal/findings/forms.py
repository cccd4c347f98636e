"""What is typed into a finding. Each form is made for one finding, and its cleaned data are the action's arguments."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from portal.clock import now
from portal.findings.dates import trouble_with
from portal.findings.models import Finding
from portal.findings.queries import possible_owners
from portal.kept_form import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.systems.models import System
from portal.widgets import ChoiceCards, UtcMoment

LONG = forms.Textarea(attrs={"rows": 3})


class FindingForm(KeptForm):
    """A form for one finding."""

    def __init__(self, finding: Finding, *args: Any, **kwargs: Any) -> None:
        """Keep the finding; ids carry the form's name, since several stand on one page."""
        super().__init__(*args, **kwargs)
        self.auto_id = f"{type(self).__name__.lower()}-%s"
        self.finding = finding

    def clean_due_at(self) -> datetime | None:
        """The date lies ahead, and not too far."""
        due: datetime | None = self.cleaned_data["due_at"]
        if due is None:
            return None
        trouble = trouble_with(due, now())
        if trouble:
            raise ValidationError(trouble)
        return due


class AssignForm(FindingForm):
    """Who puts it right, and by when."""

    owner: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(queryset=None, label="Owner")
    due_at = forms.DateTimeField(label="Due at", widget=UtcMoment())

    def __init__(self, finding: Finding, *args: Any, **kwargs: Any) -> None:
        """Only people with a part in the system."""
        super().__init__(finding, *args, **kwargs)
        field: Any = self.fields["owner"]
        field.queryset = possible_owners(finding)
        date = self.fields["due_at"]
        date.required = finding.due_at is None
        date.help_text = "" if date.required else "Left empty, its date stays. It may come sooner, and not later."


class AnswerForm(FindingForm):
    """The owner's answer."""

    cause = PlainCharField(label="What did it come from?", widget=LONG)
    response = PlainCharField(label="What is done about it?", widget=LONG)
    proof = PlainCharField(
        label="Where does one see that?", widget=LONG, required=False, help_text="A ticket, a change, a page: whoever closes it looks there."
    )  # fmt: skip


class DueForm(FindingForm):
    """Another date."""

    due_at = forms.DateTimeField(label="New date", widget=UtcMoment())
    reason = PlainCharField(label="Reason", required=False, widget=LONG)


class RetestForm(FindingForm):
    """Nothing is typed: the control test is run again."""


class CloseForm(FindingForm):
    """Looked at again."""

    retest_ok = forms.TypedChoiceField(
        label="Was it tested again?",
        choices=[("1", "Yes, and it holds"), ("0", "No, or it does not hold")],
        coerce=lambda value: value == "1",
        widget=ChoiceCards(hints={"0": "Say why it is closed all the same. Reports show it as a deviation."}),
    )
    comment = PlainCharField(label="Comment", required=False, widget=LONG)

    def clean(self) -> dict[str, Any]:
        """Without a passed retest there is a reason."""
        given = super().clean() or self.cleaned_data
        if given.get("retest_ok") is False and not given.get("comment") and "comment" not in self.errors:
            self.add_error("comment", "Say why it is closed although no retest passed.")
        return given


class RaiseForm(KeptForm):
    """A finding raised by a person."""

    system: "forms.ModelChoiceField[System]" = forms.ModelChoiceField(queryset=None)
    title = PlainCharField(
        max_length=200,
        label="What is to be put right?",
        help_text="One line that names no person: it is shown in reports.",
    )
    details = PlainCharField(label="Details", required=False, widget=LONG, help_text="May name people.")

    def __init__(self, systems: QuerySet[System], *args: Any, **kwargs: Any) -> None:
        """Only systems on which the viewer may raise findings."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["system"]
        field.queryset = systems
