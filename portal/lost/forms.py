"""What the log has lost, as the first of two administrators says it."""

import re
from uuid import UUID

from django import forms

from portal.kept_form import KeptForm
from portal.plain_text import PlainCharField
from portal.widgets import UtcMoment

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class LossForm(KeptForm):
    """From when to when, over which checkpoint, what somebody was told, and why."""

    from_at = forms.DateTimeField(label="From: time of the last entry that is there", widget=UtcMoment())
    to_at = forms.DateTimeField(label="To: time of the failover or restore", widget=UtcMoment())
    checkpoint = PlainCharField(
        label="A checkpoint over more than is stored, whole, as the sealer or a witness keeps it", widget=forms.Textarea(attrs={"rows": 6}),
        required=False, help_text="Where there is none, what is lost was never signed and has no index.", strip=False,
    )  # fmt: skip
    acknowledged = PlainCharField(
        label="Ids that somebody was told and no entry mentions, one in each line", widget=forms.Textarea(attrs={"rows": 4}), required=False,
        max_length=60_000, help_text="manage.py lost_ids lists them from mails, receipts and server logs.",
    )  # fmt: skip
    reason = PlainCharField(
        label="What happened?", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        error_messages={"required": "Say in one sentence what happened."},
    )  # fmt: skip

    def clean_checkpoint(self) -> str:
        """As it is kept, with the line ends of a file."""
        text = str(self.cleaned_data["checkpoint"]).replace("\r\n", "\n")
        return f"{text.strip()}\n" if text.strip() else ""

    def clean_acknowledged(self) -> list[UUID]:
        """Ids and nothing else."""
        words = str(self.cleaned_data["acknowledged"]).split()
        wrong = [word for word in words if not ID.fullmatch(word)]
        if wrong:
            raise forms.ValidationError("Ids only, one in each line, in small letters: 8-4-4-4-12 figures.")
        return [UUID(word) for word in words]
