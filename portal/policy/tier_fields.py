"""The tiers of a policy as plain fields: for each approver, whether they are told first, second or third; minutes for each tier."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from portal.clock import minutes as spoken
from portal.policy.rules import MOST_TIERS, Policy

MINUTES = 5
PLACES = (("", "With all who have no place"), ("1", "First"), ("2", "Second"), ("3", "Third"))
ORDER = ("first", "second", "third")
Approvers = Sequence[tuple[str, str]]  # pseudonym and name


def tier_fields(approvers: Approvers) -> dict[str, forms.Field]:
    """None where nobody could be put into a tier."""
    if not approvers:
        return {}
    places: dict[str, forms.Field] = {
        f"turn_{pk}": forms.ChoiceField(label=f"{name} is told", choices=PLACES, required=False)
        for pk, name in approvers
    }
    first = places[f"turn_{approvers[0][0]}"]
    first.help_text = (
        "Without any place, all approvers are told at once. Whoever is told later may decide at any time all the same."
    )
    for number in range(1, MOST_TIERS + 1):
        places[f"tier_{number}_minutes"] = forms.IntegerField(
            label=f"Minutes that the {ORDER[number - 1]} have alone", min_value=1, max_value=60, required=False,
            help_text="1 to 60. Then the next are told, if nobody has seen it.",
            widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "short-number"}),
        )  # fmt: skip
    return places


def tiers_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """As a policy's document holds them; empty tiers are left out."""
    tiers = []
    for number in range(1, MOST_TIERS + 1):
        people = [
            name.removeprefix("turn_")
            for name, place in said.items()
            if name.startswith("turn_") and place == str(number)
        ]
        if people:
            tiers.append({"people": people, "minutes": said.get(f"tier_{number}_minutes") or MINUTES})
    return tiers


def first_places(policy: Policy) -> dict[str, Any]:
    """A new version begins with the tiers in force."""
    minutes = {f"tier_{number}_minutes": MINUTES for number in range(1, MOST_TIERS + 1)}
    for number, tier in enumerate(policy.tiers, 1):
        minutes[f"tier_{number}_minutes"] = tier.minutes
    places = {f"turn_{person}": str(number) for number, tier in enumerate(policy.tiers, 1) for person in tier.people}
    return {**places, **minutes}


def in_words(policy: Policy, names: Mapping[str, str]) -> str:
    """``Ines and Jon for 5 minutes, then Kim for 10 minutes, then all others``; who is no approver any more has no name here."""
    if not policy.tiers:
        return "all at once"
    strange = "somebody who is no approver any more"
    said = [
        f"{' and '.join(names.get(each, strange) for each in tier.people)} for {spoken(tier.minutes)}"
        for tier in policy.tiers
    ]
    return ", then ".join([*said, "all others"])
