"""The tiers of a policy as plain fields: for each approver and rota, whether they are told first, second or third; minutes for each tier."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from portal.clock import minutes as spoken
from portal.policy.rules import MOST_TIERS, Policy, Tier, WrongPolicy

MINUTES = 5
PLACES = (("", "With all who have no place"), ("1", "First"), ("2", "Second"), ("3", "Third"))
ORDER = ("first", "second", "third")
Approvers = Sequence[tuple[str, str]]  # pseudonym and name
Rotas = Sequence[tuple[str, str]]  # id and name
PERSON, ROTA = "turn_", "rota_turn_"


def tier_fields(approvers: Approvers, rotas: Rotas = ()) -> dict[str, forms.Field]:
    """None where nobody could be put into a tier."""
    if not approvers:
        return {}
    asked = [(f"{PERSON}{pk}", name) for pk, name in approvers]
    asked += [(f"{ROTA}{pk}", f"Whoever is on call by the rota {name}") for pk, name in rotas]
    places: dict[str, forms.Field] = {
        name: forms.ChoiceField(label=f"{who} is told", choices=PLACES, required=False) for name, who in asked
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
        people, rotas = _placed(said, PERSON, number), _placed(said, ROTA, number)
        minutes = said.get(f"tier_{number}_minutes") or MINUTES
        if len(rotas) > 1 or (people and rotas):
            raise WrongPolicy(f"Who is told {PLACES[number][1].lower()}: people, or one rota alone.")
        if people or rotas:
            tiers.append({"minutes": minutes, **({"rota": rotas[0]} if rotas else {"people": people})})
    return tiers


def _placed(said: Mapping[str, Any], kind: str, number: int) -> list[str]:
    return [name.removeprefix(kind) for name, place in said.items() if name.startswith(kind) and place == str(number)]


def first_places(policy: Policy) -> dict[str, Any]:
    """A new version begins with the tiers in force."""
    minutes = {f"tier_{number}_minutes": MINUTES for number in range(1, MOST_TIERS + 1)}
    for number, tier in enumerate(policy.tiers, 1):
        minutes[f"tier_{number}_minutes"] = tier.minutes
    places = {f"{PERSON}{person}": str(number) for number, tier in enumerate(policy.tiers, 1) for person in tier.people}
    rotas = {f"{ROTA}{tier.rota}": str(number) for number, tier in enumerate(policy.tiers, 1) if tier.rota}
    return {**places, **rotas, **minutes}


def in_words(policy: Policy, names: Mapping[str, str]) -> str:
    """``Ines and Jon for 5 minutes, then Kim for 10 minutes, then all others``; who is no approver any more has no name here."""
    if not policy.tiers:
        return "all at once"
    strange = "somebody who is no approver any more"
    said = [
        f"{_on_call(tier, names) if tier.rota else ' and '.join(names.get(each, strange) for each in tier.people)} for {spoken(tier.minutes)}"
        for tier in policy.tiers
    ]
    return ", then ".join([*said, "all others"])


def _on_call(tier: Tier, names: Mapping[str, str]) -> str:
    return f"whoever is on call by the rota {names.get(tier.rota, 'that is gone')}"
