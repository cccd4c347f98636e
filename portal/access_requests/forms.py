"""What a responder fills in, and what others answer. The limits are the policy's, so that each is said beside its field."""

from typing import Any, ClassVar

from django import forms

from audit.events.glossary import WHY_NOW
from portal.access_requests.models import AccessRequest, Question
from portal.access_requests.rules import Asked
from portal.kept import KeptForm
from portal.plain_text import LONGEST, PlainCharField
from portal.policy.rules import CATEGORIES, CLASSES, CRITERIA, Policy
from portal.widgets import CheckCards, ChoiceCards, Minutes

CATEGORY_CHOICES = [("", "Choose one"), *CATEGORIES.items()]
DEFAULT_MINUTES = 60
NO_NAMES = "The ticket's number alone: it stays in the log for good."


def _area(rows: int, **attrs: Any) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, **attrs})


class _Saying(KeptForm):
    """Texts come with one kind of line break, so that a length is the same here and in the browser."""

    def clean_reason(self) -> str:
        """CRLF, as browsers send it, counts as one character."""
        return str(self.cleaned_data["reason"]).replace("\r\n", "\n").strip()


class AskForm(_Saying):
    """A request that waits for approval."""

    criterion = forms.ChoiceField(label=f"{WHY_NOW}?", widget=ChoiceCards())
    reason = PlainCharField(label="What is wrong, and what will you do?", widget=_area(4))
    category = forms.ChoiceField(label="What kind of trouble is it?", choices=CATEGORY_CHOICES)
    intended_classes = forms.MultipleChoiceField(
        label="What do you intend to do there?", choices=list(CLASSES.items()), widget=CheckCards()
    )
    incident_ref = PlainCharField(
        label="Incident", max_length=80, required=False, help_text=f"Such as INC-4711. {NO_NAMES}"
    )
    minutes = forms.IntegerField(label="For how long?")

    def __init__(self, *args: Any, rules: Policy, **kwargs: Any) -> None:
        """Take choices and limits from the policy in force."""
        super().__init__(*args, **kwargs)
        longest = rules.max_grant_minutes
        _choices(self.fields["criterion"], rules)
        _set_minutes(self.fields["minutes"], longest)
        self.fields["minutes"].initial = min(DEFAULT_MINUTES, longest)
        self.fields["incident_ref"].required = bool(rules.incident_required)
        self.fields["incident_ref"].error_messages["required"] = "You must name an incident."
        self.fields["intended_classes"].error_messages["required"] = "Choose at least one."
        self.fields[
            "reason"
        ].help_text = f"At least {rules.min_reason_chars} characters. Approvers and the reviewer read this."
        self.fields["reason"].widget.attrs |= {"data-needed": rules.min_reason_chars, "maxlength": LONGEST}
        self.least = rules.min_reason_chars

    def clean_reason(self) -> str:
        """Hold it against the policy's length."""
        reason = super().clean_reason()
        if len(reason) < self.least:
            raise forms.ValidationError(
                f"The reason has {len(reason)} characters; the policy asks for at least {self.least}."
            )
        return reason

    def asked(self) -> Asked:
        """What was said."""
        said = self.cleaned_data
        return Asked("approved", said["criterion"], said["reason"], said["minutes"], said["category"], tuple(said["intended_classes"]),
                     said["incident_ref"])  # fmt: skip


class BypassForm(_Saying):
    """Criterion and one sentence are enough; the rest may be said now or is owed until review."""

    criterion = forms.ChoiceField(label=f"{WHY_NOW}?", widget=ChoiceCards())
    reason = PlainCharField(
        label="What is wrong? One sentence is enough.", widget=_area(2, maxlength=LONGEST),
        error_messages={"required": "Say in one sentence what is wrong."},
    )  # fmt: skip
    category = forms.ChoiceField(label="What kind of trouble is it?", choices=CATEGORY_CHOICES, required=False)
    intended_classes = forms.MultipleChoiceField(
        label="What do you intend to do there?", choices=list(CLASSES.items()), widget=CheckCards(), required=False
    )
    incident_ref = PlainCharField(label="Incident", max_length=80, required=False, help_text=NO_NAMES)
    minutes = forms.IntegerField(label="For how long?", required=False)

    OWED = ("category", "intended_classes", "incident_ref", "minutes")

    def __init__(self, *args: Any, rules: Policy, **kwargs: Any) -> None:
        """Take choices and limits from the policy in force."""
        super().__init__(*args, **kwargs)
        self.longest = rules.minutes_for("bypass")
        _choices(self.fields["criterion"], rules)
        _set_minutes(self.fields["minutes"], self.longest)
        self.fields["minutes"].initial = self.longest

    @property
    def more_is_open(self) -> bool:
        """Whether the part that may be left out has something in it, or something wrong."""
        filled = [self[name].value() for name in self.OWED[:3]]
        return any(filled) or any(name in self.errors for name in self.OWED)

    def asked(self) -> Asked:
        """What was said; minutes left out are all that the policy allows."""
        said = self.cleaned_data
        return Asked("bypass", said["criterion"], said["reason"], said["minutes"] or self.longest, said["category"],
                     tuple(said["intended_classes"]), said["incident_ref"])  # fmt: skip


class SupplementForm(KeptForm):
    """What a bypass owed, given later."""

    reason = PlainCharField(label="A longer reason", widget=_area(4), required=False)
    category = forms.ChoiceField(label="What kind of trouble was it?", choices=CATEGORY_CHOICES, required=False)
    intended_classes = forms.MultipleChoiceField(
        label="What did you intend to do?", choices=list(CLASSES.items()), widget=CheckCards(), required=False
    )
    incident_ref = PlainCharField(label="Incident", max_length=80, required=False, help_text=NO_NAMES)

    OWED: ClassVar = {
        "reason": "a longer reason",
        "category": "category",
        "intended_classes": "intended classes",
        "incident_ref": "incident",
    }

    def __init__(self, *args: Any, still_owed: list[str], **kwargs: Any) -> None:
        """Ask only for what is owed."""
        super().__init__(*args, **kwargs)
        for name, what in self.OWED.items():
            if what not in still_owed:
                del self.fields[name]

    def asked(self, request: AccessRequest) -> Asked:
        """What was said now."""
        said = self.cleaned_data
        return Asked(request.mode, request.criterion, said.get("reason", ""), request.minutes, said.get("category", ""),
                     tuple(said.get("intended_classes", ())), said.get("incident_ref", ""))  # fmt: skip


class DecisionForm(KeptForm):
    """Yes or no. A no says why."""

    comment = PlainCharField(
        label="Comment", widget=_area(2), max_length=2000, required=False, help_text="Needed when you decline."
    )
    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("decline", "Decline")], widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """A no says why."""
        said = super().clean() or {}
        if said.get("decision") == "decline" and "comment" in said and not said["comment"]:
            self.add_error("comment", "Say why you decline.")
        return said


class QuestionForm(KeptForm):
    """What somebody who decides, owns or reviews wants to know of the responder."""

    question = PlainCharField(
        label="What do you want to know?", widget=_area(2), max_length=2000, error_messages={"required": "Type your question."}
    )  # fmt: skip


class AnswerForm(KeptForm):
    """The responder's answer to one question."""

    answer = PlainCharField(
        label="Your answer", widget=_area(2), max_length=2000, error_messages={"required": "Type your answer."}
    )  # fmt: skip

    def __init__(self, *args: Any, question: Question, **kwargs: Any) -> None:
        """Its ids differ from those of the answers to other questions."""
        kwargs.setdefault("auto_id", f"id_answer_{question.pk}_%s")
        super().__init__(*args, **kwargs)
        self.question = question


def prefilled(request: AccessRequest | None) -> dict[str, Any]:
    """What an earlier request of the same person said, for a form that begins with it."""
    if request is None:
        return {}
    return {
        name: getattr(request, name)
        for name in ("criterion", "category", "reason", "intended_classes", "incident_ref", "minutes")
    }


def _choices(field: forms.Field, rules: Policy) -> None:
    """Only the policy's criteria; a single one is chosen already."""
    named = [(name, CRITERIA.get(name, name)) for name in rules.criteria]
    field.choices = named  # type: ignore[attr-defined]  # a ChoiceField
    field.error_messages["required"] = "Choose one."
    if len(named) == 1:
        field.initial = named[0][0]


def _set_minutes(field: forms.Field, longest: int) -> None:
    field.widget = Minutes(lowest=1, highest=longest)
    field.widget.attrs["data-presets"] = " ".join(str(each) for each in (15, 30, 60, 120, 240) if each <= longest)
    field.help_text = f"At most {longest} minutes."
    field.validators = [*forms.IntegerField(min_value=1, max_value=longest).validators]
    field.max_value, field.min_value = longest, 1  # type: ignore[attr-defined]  # an IntegerField


__all__ = ["AnswerForm", "AskForm", "BypassForm", "DecisionForm", "QuestionForm", "SupplementForm", "prefilled"]
