"""The tiers of a policy as plain fields: for each approver, group and rota, whether they are told first, second or third; minutes for each tier."""

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
PERSON, ROTA, GROUP = "turn_", "rota_turn_", "group_turn_"


def field_of_group(group: str) -> str:
    """The field's name: that of the group in hex, as a group may be called anything and an element's id holds no blank."""
    return f"{GROUP}{group.encode().hex()}"


def tier_fields(approvers: Approvers, rotas: Rotas = (), groups: Sequence[str] = ()) -> dict[str, forms.Field]:
    """None where nobody could be put into a tier."""
    if not approvers:
        return {}
    asked = [(f"{PERSON}{pk}", name) for pk, name in approvers]
    asked += [(field_of_group(name), f"Whoever stands in the group {name}") for name in groups]
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
        groups = [bytes.fromhex(each).decode() for each in _placed(said, GROUP, number)]
        minutes = said.get(f"tier_{number}_minutes") or MINUTES
        if len(rotas) > 1 or ((people or groups) and rotas):
            raise WrongPolicy(f"Who is told {PLACES[number][1].lower()}: people and groups, or one rota alone.")
        if rotas:
            tiers.append({"minutes": minutes, "rota": rotas[0]})
        elif people or groups:
            tiers.append({"minutes": minutes, "people": people, "groups": groups})
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
    groups = {field_of_group(each): str(number) for number, tier in enumerate(policy.tiers, 1) for each in tier.groups}
    return {**places, **groups, **rotas, **minutes}


def in_words(policy: Policy, names: Mapping[str, str]) -> str:
    """``Ines and the group night for 5 minutes, then Kim for 10 minutes, then all others``; who is no approver any more has no name here."""
    if not policy.tiers:
        return "all at once"
    said = [f"{_who(tier, names)} for {spoken(tier.minutes)}" for tier in policy.tiers]
    return ", then ".join([*said, "all others"])


def _who(tier: Tier, names: Mapping[str, str]) -> str:
    if tier.rota:
        return _on_call(tier, names)
    people = [names.get(each, "somebody who is no approver any more") for each in tier.people]
    return " and ".join([*people, *(f"the group {each}" for each in tier.groups)])


def _on_call(tier: Tier, names: Mapping[str, str]) -> str:
    return f"whoever is on call by the rota {names.get(tier.rota, 'that is gone')}"
