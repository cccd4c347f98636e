"""More time, and the end of another person's access."""

from typing import Any

from django import forms

from portal.kept import KeptForm, speak
from portal.plain_text import PlainCharField
from portal.widgets import Minutes


class ExtensionForm(KeptForm):
    """How much longer."""

    minutes = forms.IntegerField(label="How many more minutes?", min_value=1)
    reason = PlainCharField(
        label="Why is it not done?", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000, required=False
    )

    def __init__(self, *args: Any, longest: int, **kwargs: Any) -> None:
        """The policy's longest window holds for an extension too."""
        kwargs.setdefault("auto_id", "id_extension_%s")
        super().__init__(*args, **kwargs)
        self.fields["minutes"] = forms.IntegerField(
            label="How many more minutes?", min_value=1, max_value=longest, initial=min(30, longest),
            widget=Minutes(lowest=1, highest=longest), help_text=f"At most {longest} minutes.",
        )  # fmt: skip
        speak(self.fields["minutes"])


class ExtensionDecisionForm(KeptForm):
    """Give it or not."""

    comment = PlainCharField(label="Comment", max_length=2000, required=False)
    decision = forms.ChoiceField(choices=[("give", "Give"), ("decline", "Do not give")], widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Its ids differ from those of the other forms of the page."""
        kwargs.setdefault("auto_id", "id_more_%s")
        super().__init__(*args, **kwargs)


class RevocationForm(KeptForm):
    """Why another person's access ends now."""

    reason = PlainCharField(
        label="Why do you end it?", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        error_messages={"required": "Say why you end this access."},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As above."""
        kwargs.setdefault("auto_id", "id_revoke_%s")
        super().__init__(*args, **kwargs)
