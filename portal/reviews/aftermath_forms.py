"""What is said of changes and of privacy after a use. Each form's cleaned data are the action's arguments."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from portal.kept import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.policy.rules import CLASSES
from portal.reviews.aftermath import CHANGES
from portal.reviews.models import DISPOSITIONS
from portal.widgets import ChoiceCards, UtcMoment

LONG = forms.Textarea(attrs={"rows": 3})


class ChangeForm(KeptForm):
    """The record in change control."""

    reference = PlainCharField(label="Change record", max_length=80, help_text="Its number in change control.")
    raised_at = forms.DateTimeField(label="Raised at", widget=UtcMoment())
    approved_by: "forms.ModelChoiceField[Person]" = forms.ModelChoiceField(
        queryset=None, label="Approved by", required=False, empty_label="Nobody yet"
    )
    disposition = forms.ChoiceField(
        label="What became of the changes", choices=list(DISPOSITIONS.items()), widget=ChoiceCards()
    )
    kinds = forms.MultipleChoiceField(
        label="Which changes it holds", choices=[(kind, CLASSES[kind]) for kind in CHANGES], widget=forms.CheckboxSelectMultiple()
    )  # fmt: skip

    def __init__(self, *args: Any, approvers: QuerySet[Person], **kwargs: Any) -> None:
        """Anybody but who made the changes."""
        kwargs.setdefault("auto_id", "id_change_%s")
        super().__init__(*args, **kwargs)
        self.fields["approved_by"].queryset = approvers  # type: ignore[attr-defined]  # a ModelChoiceField


class PrivacyForm(KeptForm):
    """The decision."""

    finding = forms.ChoiceField(
        label="Was personal data exposed beyond what the work needed?",
        choices=[("none", "No"), ("unlikely", "Yes, and a risk to people is unlikely"), ("breach", "Yes, and people may be at risk")],
        widget=ChoiceCards(hints={"breach": "To be notified to the authority within 72 hours of when it became known."}),
    )  # fmt: skip
    reason = PlainCharField(label="Why", widget=LONG)
    aware_at = forms.DateTimeField(
        label="Known since", widget=UtcMoment(), required=False, help_text="Now, unless you name an earlier time."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Several forms stand on the page."""
        kwargs.setdefault("auto_id", "id_privacy_%s")
        super().__init__(*args, **kwargs)

    def arguments(self) -> dict[str, Any]:
        """As the action takes them."""
        said = self.cleaned_data
        return {
            "breach": said.get("finding") in ("unlikely", "breach"), "risk_unlikely": said.get("finding") == "unlikely",
            "reason": said.get("reason", ""), "aware_at": said.get("aware_at"),
        }  # fmt: skip


class NoticeForm(KeptForm):
    """The notice to the authority."""

    notified_at = forms.DateTimeField(label="Notified at", widget=UtcMoment())
    delay_reason = PlainCharField(
        label="Why so late?", required=False, widget=LONG, help_text="Needed after the time is over."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Several forms stand on the page."""
        kwargs.setdefault("auto_id", "id_notice_%s")
        super().__init__(*args, **kwargs)
