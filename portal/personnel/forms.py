"""The form that takes a personnel list."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from portal.clock import now
from portal.kept_form import KeptForm
from portal.personnel.reading import LARGEST, BrokenList, parse_list
from portal.plain_text import PlainCharField
from portal.widgets import UtcMoment

TOO_LARGE = f"The file is larger than {LARGEST // 1_000_000} megabytes."


class PersonnelForm(KeptForm):
    """A file, how it was taken and when. What is wrong in the file is said beside it, line by line."""

    file = forms.FileField(
        label="The list",
        help_text="CSV in UTF-8 with the columns email and name; unit, manager (a mail address), left_on and moved_on (2026-11-30) may follow.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages={"empty": "The file is empty."},
    )
    query = PlainCharField(
        label="How was it taken?", max_length=2_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The query, or the name of the report. It is kept with the hash of the file, so that somebody else can take the list again.",
    )  # fmt: skip
    taken_at = forms.DateTimeField(label="When was it taken?", widget=UtcMoment())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Taken just now, unless told otherwise."""
        kwargs.setdefault("initial", {"taken_at": now()})
        super().__init__(*args, **kwargs)

    def clean_file(self) -> bytes:
        """The bytes of a list that can be read whole."""
        given: UploadedFile[Any] = self.cleaned_data["file"]
        if (given.size or 0) > LARGEST:
            raise forms.ValidationError(TOO_LARGE)
        content: bytes = given.read()
        try:
            parse_list(content)
        except BrokenList as broken:
            raise forms.ValidationError(broken.sentences) from broken
        return content

    def clean_taken_at(self) -> datetime:
        """In UTC, and not after now for want of seconds."""
        taken: datetime = self.cleaned_data["taken_at"]
        return min(taken.astimezone(UTC), now()) if taken.replace(second=0, microsecond=0) <= now() else taken
