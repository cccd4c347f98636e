"""What a colleague who joins says, and a decision on several requests of one incident."""

from collections.abc import Sequence
from typing import Any

from django import forms

from portal.access_requests.models import AccessRequest
from portal.kept import KeptForm
from portal.plain_text import LONGEST, PlainCharField
from portal.policy.rules import Policy
from portal.systems.models import Privilege
from portal.widgets import CheckCards, ChoiceCards


class JoinForm(KeptForm):
    """One's own sentence, and with which of one's own privileges."""

    privilege = forms.ChoiceField(label="With which of your privileges?", widget=ChoiceCards())
    reason = PlainCharField(
        label="What will you do there?", widget=forms.Textarea(attrs={"rows": 2, "maxlength": LONGEST})
    )

    def __init__(
        self, *args: Any, privileges: Sequence[Privilege], rules: Policy, prefix_id: object, **kwargs: Any
    ) -> None:
        """One privilege is chosen already, and not asked for."""
        kwargs.setdefault("auto_id", f"id_join_{prefix_id}_%s")
        super().__init__(*args, **kwargs)
        named = [(str(each.pk), each.name) for each in privileges]
        self.fields["privilege"].choices = named  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["privilege"].initial = named[0][0]
        if len(named) == 1:
            self.fields["privilege"].widget = forms.HiddenInput()
        self.fields[
            "reason"
        ].help_text = f"At least {rules.min_reason_chars} characters. Approvers and the reviewer read this."
        self.fields["reason"].widget.attrs["data-needed"] = rules.min_reason_chars


class DecideSeveralForm(KeptForm):
    """Which of them, and a comment that stands with each."""

    requests = forms.MultipleChoiceField(
        label="Which of them?", widget=CheckCards(), error_messages={"required": "Choose at least one."}
    )
    comment = PlainCharField(label="Comment", widget=forms.Textarea(attrs={"rows": 2}), max_length=2000, required=False)

    def __init__(self, *args: Any, waiting: Sequence[AccessRequest], **kwargs: Any) -> None:
        """All that wait are ticked."""
        kwargs.setdefault("auto_id", "id_several_%s")
        super().__init__(*args, **kwargs)
        words = {
            str(each.pk): f"{each.responder.name}: {each.privilege.name} on {each.system.name}" for each in waiting
        }
        hints = {str(each.pk): f"For {each.minutes} minutes. {each.reason}" for each in waiting}
        self.fields["requests"] = forms.MultipleChoiceField(
            label="Which of them?", choices=list(words.items()), initial=list(words), widget=CheckCards(hints=hints),
            error_messages={"required": "Choose at least one.", "invalid_choice": "One of these was decided on meanwhile. Look again."},
        )  # fmt: skip
