"""A receiver in plain fields."""

from typing import Any

from django import forms

from portal.kept_form import KeptForm
from portal.notifications.channels.webhook.addresses import LONGEST_URL, WrongUrl, parse
from portal.notifications.kinds import TOPICS
from portal.plain_text import PlainCharField
from portal.widgets import CheckCards


class ReceiverForm(KeptForm):
    """What is typed for a new receiver, or to change one: its address is never shown again, so it may be left out then."""

    name = PlainCharField(max_length=60, help_text="As people will read it: Pager of the database team.")
    url = PlainCharField(
        label="Address", max_length=LONGEST_URL, help_text="Begins with https://. It is kept encrypted and never shown again.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "inputmode": "url"}),
    )  # fmt: skip
    topics = forms.MultipleChoiceField(
        label="Takes alerts of",
        choices=list(TOPICS.items()),
        widget=CheckCards(),
        error_messages={"required": "Choose at least one."},
    )

    def __init__(self, *args: Any, present: bool = False, **kwargs: Any) -> None:
        """``present``: it stands already, and keeps its address where none is typed."""
        super().__init__(*args, **kwargs)
        if present:
            self.fields["url"].required = False
            self.fields["url"].help_text = "Leave it empty to keep the present one, which is never shown."

    def clean_url(self) -> str:
        """Say at the field what is wrong with it."""
        typed = str(self.cleaned_data["url"])
        try:
            return typed if not typed or parse(typed) else ""
        except WrongUrl as error:
            raise forms.ValidationError(str(error)) from None
