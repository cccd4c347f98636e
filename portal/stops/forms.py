"""Why a system is stopped, and why it can be lifted."""

from typing import Any

from django import forms

from portal.kept_form import KeptForm
from portal.plain_text import PlainCharField


class StartForm(KeptForm):
    """Why everything stops."""

    reason = PlainCharField(
        label="Why? One sentence.", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        help_text="Everybody concerned reads it.", error_messages={"required": "Say in one sentence why it is stopped."},
    )  # fmt: skip


class AskLiftForm(KeptForm):
    """Why it can be lifted."""

    reason = PlainCharField(
        label="Why can it be lifted?", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        error_messages={"required": "Say in one sentence why it can be lifted."},
    )  # fmt: skip


class KeepForm(KeptForm):
    """Why it stays."""

    reason = PlainCharField(label="Why does it stay?", max_length=2000, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Its ids differ from those of the other form of the page."""
        kwargs.setdefault("auto_id", "id_keep_%s")
        super().__init__(*args, **kwargs)
