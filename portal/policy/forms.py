"""A policy version in plain fields. Each limit stands beside its field; the whole is checked by the policy's own rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from portal.kept import KeptForm, speak
from portal.plain_text import PlainCharField
from portal.policy.actions import REVIEW_DAYS
from portal.policy.alert_fields import alert_fields, alerts_of, first_told
from portal.policy.alerts import in_words as alerts_in_words
from portal.policy.rules import CRITERIA, Policy, WrongPolicy, parse
from portal.policy.tier_fields import Approvers, Rotas, first_places, in_words, tier_fields, tiers_of
from portal.widgets import CheckCards

MODES = {
    "approved": ("With approval", "Others say yes before anything opens."),
    "bypass": ("Bypass", "Opens at once; everybody concerned is told, and the use is reviewed."),
    "drill": ("Drill", "A rehearsal, never counted as a use."),
}
# name, label, lowest, highest, help
NUMBERS = (
    ("min_approvals", "Approvers who must say yes", 1, 5, ""),
    (
        "approver_groups",
        "Different groups among them",
        0,
        5,
        "Two: one of each of two groups. An approver's group is named with their role.",
    ),
    ("max_grant_minutes", "Longest window, in minutes", 5, 240, "From the real opening."),
    ("bypass_minutes", "Longest window of a bypass, in minutes", 5, 240, "No longer than the one with approval."),
    ("max_extensions", "Extensions", 0, 1, "Another person decides on it."),
    ("min_reason_chars", "Shortest reason, in characters", 40, 1000, ""),
    ("lapse_minutes", "A request lapses after, in minutes", 5, 1440, "When nobody answered."),
    (
        "bypass_offer_minutes",
        "A bypass is offered after, in minutes",
        1,
        1440,
        "Of waiting, where a bypass is allowed.",
    ),
    ("step_up_minutes", "A second factor is fresh for, in minutes", 1, 15, ""),
    ("review_due_hours", "A use is reviewed within, in hours", 1, 72, "24 at most where the system is critical."),
    ("review_due_hours_bypass", "A bypass is reviewed within, in hours", 1, 24, ""),
    (
        "removal_grace_minutes",
        "Access is gone after its end within, in minutes",
        1,
        5,
        "Later than that is an exception.",
    ),
    ("alert_minutes", "Alerts leave within, in minutes", 1, 5, "Later than that is an exception."),
)
SWITCHES = (
    ("incident_required", "A request names an incident", "A bypass owes it until review."),
    (
        "bypass_extensions",
        "A bypass may be extended once by its responder",
        "At night, when nobody is there to decide. Everybody concerned is told.",
    ),
    (
        "phishing_resistant",
        "A passkey is needed, and no other factor is enough",
        "To ask, decide, show a password and review. A bypass opens with a weaker factor too, with an alarm, as a deviation of test T-12.",
    ),
    (
        "witnessed",
        "The log's witnesses must have seen the intent before anything opens",
        "Where they cannot be reached nothing opens, unless the next rule says so. The operator lists them.",
    ),
    (
        "open_unsealed",
        "Open although the log cannot be sealed or witnessed",
        "With an alarm. Otherwise nothing opens before its intent is sealed in the log.",
    ),
)
LABELS = {"modes": "Ways to open", "criteria": "Criteria"} | {name: label for name, label, *_ in (*NUMBERS, *SWITCHES)}
ALL_LABELS = {**LABELS, "tiers": "Who is told first", "alerts": "Who is told of what"}  # rules of several fields, too


class PolicyForm(KeptForm):
    """All rules of one version."""

    modes = forms.MultipleChoiceField(
        label=LABELS["modes"], choices=[(name, label) for name, (label, _) in MODES.items()],
        widget=CheckCards(hints={name: hint for name, (_, hint) in MODES.items()}), error_messages={"required": "Choose at least one."},
    )  # fmt: skip
    criteria = forms.MultipleChoiceField(
        label="Criteria that a responder may name",
        choices=list(CRITERIA.items()),
        widget=CheckCards(),
        error_messages={"required": "Choose at least one."},
    )

    review_days = forms.IntegerField(
        label="The version itself is to be looked at again after, in days", min_value=30, max_value=REVIEW_DAYS, initial=REVIEW_DAYS,
        help_text=f"30 to {REVIEW_DAYS}. From then on every use counts as made under a policy that is overdue for review.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "short-number"}),
    )  # fmt: skip

    field_order = (
        "modes",
        "criteria",
        *(name for name, *_ in NUMBERS),
        *(name for name, *_ in SWITCHES),
        "review_days",
    )

    def __init__(
        self, *args: Any, approvers: Approvers = (), rotas: Rotas = (), groups: Sequence[str] = (), **kwargs: Any
    ) -> None:
        """Numbers and switches come from their tables; ``approvers``, ``groups`` of them and ``rotas`` may be put into tiers."""
        super().__init__(*args, **kwargs)
        for name, label, lowest, highest, hint in NUMBERS:
            told = f"{lowest} to {highest}. {hint}".strip()
            number = forms.NumberInput(attrs={"inputmode": "numeric", "class": "short-number"})
            self.fields[name] = forms.IntegerField(
                label=label, min_value=lowest, max_value=highest, help_text=told, widget=number
            )
            speak(self.fields[name])
        for name, label, hint in SWITCHES:
            self.fields[name] = forms.BooleanField(label=label, help_text=hint, required=False)
        speak(self.fields["review_days"])
        self.order_fields(self.field_order)
        for name, field in (tier_fields(approvers, rotas, groups) | alert_fields()).items():
            self.fields[name] = field
            speak(field)

    def clean(self) -> dict[str, Any]:
        """Hold the whole against the rules that no field knows alone."""
        said = super().clean() or {}
        if not self.errors:
            try:
                self.policy = parse(self._document(said))
            except WrongPolicy as wrong:
                self.add_error(None, str(wrong))
        return said

    def _document(self, said: dict[str, Any]) -> dict[str, Any]:
        plain = {name: int(said[name]) if isinstance(said[name], bool) else said[name] for name in LABELS}
        return plain | {"tiers": tiers_of(said), "alerts": alerts_of(said)}


class ConfirmForm(KeptForm):
    """What somebody looked at who leaves a policy unchanged."""

    note = PlainCharField(
        label="What you looked at, and why it still fits", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Such as the uses of the year, their findings, and who approves now.",
    )  # fmt: skip


def first_values(policy: Policy) -> dict[str, Any]:
    """A new version begins with the rules in force."""
    switches = {name for name, *_ in SWITCHES}  # a checkbox takes the number 0 for "checked"
    rules = {name: bool(getattr(policy, name)) if name in switches else getattr(policy, name) for name in LABELS}
    return rules | (first_places(policy) if policy.tiers else {}) | first_told(policy)


def compared(before: Policy | None, after: Policy, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each rule in words, as it was and as it is proposed; ``names`` of people by pseudonym."""
    return [
        {
            "label": label,
            "before": _words(name, before, names),
            "after": _words(name, after, names),
            "changed": _words(name, before, names) not in ("—", _words(name, after, names)),
        }
        for name, label in ALL_LABELS.items()
    ]


def _words(name: str, policy: Policy | None, names: Mapping[str, str]) -> str:
    if policy is None:
        return "—"
    if name == "tiers":
        return in_words(policy, names)
    if name == "alerts":
        return alerts_in_words(policy.alerts)
    value = getattr(policy, name)
    if name == "modes":
        return ", ".join(MODES[each][0] for each in value)
    if name == "criteria":
        return ", ".join(CRITERIA.get(each, each) for each in value)
    return {0: "no", 1: "yes"}[value] if name in {each[0] for each in SWITCHES} else str(value)
