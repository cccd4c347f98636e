"""Whom a policy has told of what, as one field of checkboxes for each group of alerts."""

from collections.abc import Mapping
from typing import Any

from django import forms

from portal.policy.alerts import GROUPS, RECIPIENTS, ordered, told_of
from portal.policy.rules import Policy
from portal.widgets import CheckCards

TOLD = "told_of_"


def alert_fields() -> dict[str, forms.Field]:
    """One field for each group; who is always told is no choice."""
    return {
        f"{TOLD}{name}": forms.MultipleChoiceField(
            label=f"Told of: {group.label[0].lower()}{group.label[1:]}",
            choices=[(each, RECIPIENTS[each].capitalize()) for each in group.may],
            widget=CheckCards(),
            required=False,
            help_text=f"Always told: {group.always_told}."
            + (f" As usual besides: {group.usually_told}." if group.usual else ""),
        )
        for name, group in GROUPS.items()
    }


def alerts_of(said: Mapping[str, Any]) -> dict[str, list[str]]:
    """As a policy's document holds them; what goes to whom it usually goes is left out."""
    chosen = {name: ordered(said.get(f"{TOLD}{name}") or ()) for name in GROUPS}
    return {name: list(to) for name, to in chosen.items() if to != ordered(GROUPS[name].usual)}


def first_told(policy: Policy) -> dict[str, list[str]]:
    """A new version begins with what is in force."""
    return {f"{TOLD}{name}": list(told_of(policy.alerts, name)) for name in GROUPS}
