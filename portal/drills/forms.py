"""What a drill does: one harmless act, on one privilege."""

from typing import Any

from django import forms

from portal.drills.rules import LEAST
from portal.kept import KeptForm, speak
from portal.plain_text import PlainCharField
from portal.policy.rules import Policy
from portal.widgets import Minutes

SHORT_MINUTES = 10


class DrillForm(KeptForm):
    """The act in one sentence, and for how long. The policy's length of a reason holds here too."""

    act = PlainCharField(label="What harmless thing will you do there?", widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, rules: Policy, **kwargs: Any) -> None:
        """Limits come from the policy in force."""
        super().__init__(*args, **kwargs)
        least, longest = max(LEAST, rules.min_reason_chars), rules.max_grant_minutes
        self.fields["act"].help_text = f"Such as: sign in, read the health page, sign out. At least {least} characters."
        self.fields["act"].widget.attrs |= {"data-needed": least, "maxlength": 2000}
        self.fields["minutes"] = forms.IntegerField(
            label="For how long?", min_value=1, max_value=longest, initial=min(SHORT_MINUTES, longest), widget=Minutes(highest=longest, step=5),
            help_text=f"At most {longest} minutes.",
        )  # fmt: skip
        speak(self.fields["minutes"])
