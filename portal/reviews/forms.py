"""The ten questions, half-done or whole, and giving a review away."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from portal.choices import RowField
from portal.clock import now
from portal.eligibility.forms import LendForm
from portal.findings.dates import trouble_with
from portal.kept import KeptForm
from portal.people.models import Person
from portal.plain_text import PlainCharField
from portal.policy.rules import CLASSES
from portal.reviews.accepting import SAY_WHY
from portal.reviews.aftermath import unnamed_changes
from portal.reviews.from_log import FromLog, answers_from_log
from portal.reviews.judging import version_of
from portal.reviews.models import Review
from portal.reviews.queries import reviewers_beside
from portal.reviews.questions import ANSWERS, OUTCOMES, UNSURE, YES, Question, questions, second_statement, statement
from portal.reviews.rules import Answers, adverse
from portal.widgets import ChoiceCards, UtcMoment

COMMENT_LENGTH = 2000
RECORDED = "Q08"
UNNAMED = (
    "You say that every change is recorded, and no change record is named that holds the changes of {kinds}."
    " Name it under “Changes and privacy”, or give another answer."
)


class ReviewForm(KeptForm):
    """Answers and comments of each question, what follows from them, and the statement. Saved half-done, it asks for nothing."""

    outcome = forms.ChoiceField(label="Outcome", choices=list(OUTCOMES.items()), widget=ChoiceCards(), required=False)
    finding_owner: "forms.ModelChoiceField[Person]" = RowField(
        queryset=None, label="Owner of the findings", required=False, empty_label="The owner of the system",
        help_text="Who puts right what your answers open.",
    )  # fmt: skip
    finding_due = forms.DateTimeField(
        label="Findings due at", widget=UtcMoment(), required=False, help_text="Ten days from now unless you name a time.",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )  # fmt: skip
    since = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))
    stated = forms.BooleanField(
        label=statement(), required=False, error_messages={"required": "Submit only if you can say this."}
    )

    def __init__(
        self, *args: Any, review: Review, owners: QuerySet[Person], whole: bool = False, **kwargs: Any
    ) -> None:
        """``whole``: it is submitted, so everything must be there; otherwise it is only kept."""
        self.from_log = answers_from_log(review)
        kwargs.setdefault("initial", _initial(review, self.from_log))
        super().__init__(*args, **kwargs)
        self.whole, self.review = whole, review
        for question in questions():
            self.fields |= _fields(question)
        self.fields["finding_owner"].queryset = owners  # type: ignore[attr-defined]  # a ModelChoiceField
        self.order_fields([name for each in questions() for name in (each.id, f"{each.id}_comment")])

    @property
    def asked(self) -> list[tuple[Question, forms.BoundField, forms.BoundField, FromLog | None]]:
        """Each question with its two fields and what the log says, for the page."""
        return [(each, self[each.id], self[f"{each.id}_comment"], self.from_log.get(each.id)) for each in questions()]

    def typed(self) -> list[tuple[str, str]]:
        """What was answered, in words, as it came: for who can no longer submit it."""
        given = [
            (each.ask, ANSWERS.get(self.data.get(each.id, ""), ""), self.data.get(f"{each.id}_comment", "").strip())
            for each in questions()
        ]
        return [
            (ask, ". ".join(filter(None, (answer, comment)))) for ask, answer, comment in given if answer or comment
        ]

    def clean(self) -> dict[str, Any]:
        """Say beside each field what a submitted review still lacks."""
        said = super().clean() or {}
        if not self.whole:
            return said
        for question in questions():
            self._check(question, said)
        if not said.get("outcome") and "outcome" not in self.errors:
            self.add_error("outcome", "Choose an outcome.")
        elif said.get("outcome") == "accepted" and adverse(self.answers(said)):
            self.add_error(
                "outcome", "Some of your answers open findings, so this use is accepted with findings, or not."
            )
        self._check_changes(said)
        trouble = trouble_with(said["finding_due"], now()) if said.get("finding_due") else ""
        if trouble:
            self.add_error("finding_due", trouble)
        if not said.get("stated"):
            self.add_error("stated", "Submit only if you can say this.")
        return said

    def _check(self, question: Question, said: dict[str, Any]) -> None:
        if not said.get(question.id):
            self.add_error(question.id, f"Answer question {question.number}.")
        elif (
            said[question.id] in question.adverse
            and not said.get(f"{question.id}_comment")
            and f"{question.id}_comment" not in self.errors
        ):
            self.add_error(f"{question.id}_comment", "Say why: this answer opens a finding.")

    def _check_changes(self, said: dict[str, Any]) -> None:
        """Whoever says that every change is recorded has named the record, of each kind that was made."""
        if said.get(RECORDED) == YES and (kinds := unnamed_changes(self.review)):
            self.add_error(
                RECORDED, UNNAMED.format(kinds=" and ".join(CLASSES[kind].removeprefix("Change ") for kind in kinds))
            )

    def answers(self, said: dict[str, Any] | None = None) -> Answers:
        """What was answered, as the action takes it."""
        given = self.cleaned_data if said is None else said
        return {
            each.id: {"answer": given.get(each.id) or "", "comment": given.get(f"{each.id}_comment") or ""}
            for each in questions()
        }


def _fields(question: Question) -> dict[str, forms.Field]:
    words = " or ".join(f"“{ANSWERS[each]}”" for each in ANSWERS if each in question.adverse)
    return {
        question.id: forms.ChoiceField(
            label=f"{question.number}. {question.ask}", choices=list(ANSWERS.items()), widget=ChoiceCards(), required=False
        ),
        f"{question.id}_comment": PlainCharField(
            label=f"Comment on question {question.number}", max_length=COMMENT_LENGTH, required=False,
            widget=forms.Textarea(attrs={"rows": 2}), help_text=f"Needed for {words}, which opens a finding.",
        ),
    }  # fmt: skip


def _initial(review: Review, from_log: Mapping[str, FromLog]) -> dict[str, str]:
    """What was kept; a question about facts that has no answer yet arrives with the one that the log gives, where it gives one."""
    told = {key: said for key, said in from_log.items() if key not in review.answers and said.answer != UNSURE}
    chosen = {key: said.answer for key, said in told.items()} | {
        f"{key}_comment": said.comment for key, said in told.items()
    }
    chosen |= {key: said["answer"] for key, said in review.answers.items()}
    chosen |= {f"{key}_comment": said["comment"] for key, said in review.answers.items()}
    return chosen | {"since": version_of(review.answers)}


class SecondForm(KeptForm):
    """What a second reviewer says of the first judgement."""

    verdict = forms.ChoiceField(
        label="Do you come to the same judgement?", choices=[("confirm", "Yes, I confirm it"), ("disagree", "No, I disagree")],
        widget=ChoiceCards(), error_messages={"required": "Choose one."},
    )  # fmt: skip
    words = PlainCharField(
        label="What did you see?", max_length=COMMENT_LENGTH, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="In words of your own; they go into the log.", error_messages={"required": "Say what you saw, in words of your own."},
    )  # fmt: skip
    stated = forms.BooleanField(
        label=second_statement(), error_messages={"required": "Submit only if you can say this."}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Another form stands on the page."""
        kwargs.setdefault("auto_id", "id_second_%s")
        super().__init__(*args, **kwargs)

    def typed(self) -> list[tuple[str, str]]:
        """As of a first reviewer."""
        words = self.data.get("words", "").strip()
        return [("What did you see?", words)] if words else []

    def arguments(self) -> dict[str, Any]:
        """As the action takes them."""
        said = self.cleaned_data
        return {"agrees": said.get("verdict") == "confirm", "words": said.get("words", "")}


class DelegateForm(LendForm):
    """Another reviewer, for the days of one's leave."""

    def __init__(self, *args: Any, viewer: Person, **kwargs: Any) -> None:
        """Of the systems that the viewer reviews, and all reviewers of any of them; the action says who may for which."""
        super().__init__(*args, people=reviewers_beside(viewer), **kwargs)
        self.fields["person"].label = "Who reviews in your place?"
        self.fields["from_at"].help_text = "Empty: from now on."


class HandOverForm(KeptForm):
    """Back to the pool, or to somebody by name."""

    to: "forms.ModelChoiceField[Person]" = RowField(
        queryset=None, label="To whom", required=False, empty_label="Back to all reviewers"
    )
    comment = PlainCharField(
        label="What should they know?",
        max_length=COMMENT_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, pool: QuerySet[Person], **kwargs: Any) -> None:
        """Only people who may take it."""
        kwargs.setdefault("auto_id", "id_over_%s")
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = pool  # type: ignore[attr-defined]  # a ModelChoiceField


class AcceptForm(KeptForm):
    """A note on what is accepted: what was ticked, or the whole group that stands on the page."""

    note = PlainCharField(
        label="Why is this acceptable?", max_length=COMMENT_LENGTH, widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": SAY_WHY},
    )  # fmt: skip
    whole = forms.BooleanField(required=False)
    session = PlainCharField(required=False, max_length=80)
    kind = PlainCharField(required=False, max_length=40)
    upto = forms.IntegerField(required=False, min_value=0, max_value=2**62)

    def clean(self) -> dict[str, Any]:
        """A group needs its class and its last entry; both come with the page."""
        said = super().clean() or {}
        if said.get("whole") and (not said.get("kind") or said.get("upto") is None):
            self.add_error(None, "Open one kind of action first, and accept it there.")
        return said
