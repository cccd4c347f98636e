"""Why something is held, why a hold can be lifted, and why a person's values are erased."""

from django import forms

from portal.erasing.states import BASES
from portal.kept_form import KeptForm
from portal.plain_text import PlainCharField


class HoldForm(KeptForm):
    """What it is held for."""

    reason = PlainCharField(
        label="What is it held for? One sentence.", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        error_messages={"required": "Say in one sentence what it is held for."},
    )  # fmt: skip


class LiftForm(KeptForm):
    """Why it can be lifted."""

    reason = PlainCharField(
        label="Why can it be lifted?", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        error_messages={"required": "Say in one sentence why it can be lifted."},
    )  # fmt: skip


class CutForm(KeptForm):
    """From which entry on the log is kept, and why what stands before goes."""

    minimum = forms.IntegerField(
        label="The log begins with entry", min_value=0, max_value=2**53, help_text="Whole bundles of 256 entries are cut.",
        error_messages={"required": "Give the entry with which the log begins."},
    )  # fmt: skip
    reason = PlainCharField(
        label="Why? One sentence.", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        help_text="It goes into the log, so name nobody in it.", error_messages={"required": "Say in one sentence why they are cut."},
    )  # fmt: skip


class ErasureForm(KeptForm):
    """On what basis, and why."""

    basis = forms.ChoiceField(label="On what basis?", choices=tuple(BASES.items()), widget=forms.RadioSelect)
    reason = PlainCharField(
        label="Why? One sentence.", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000,
        help_text="It stays on record, so name nobody in it.", error_messages={"required": "Say in one sentence why it is erased."},
    )  # fmt: skip
