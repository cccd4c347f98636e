"""Named signals: each rule at its edge, with the catalogue's figures."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.controls.loading import load_catalogue
from audit.controls.signals import DAY, signals, since

NOW = 1_800_000_000_000
PARAMETERS = load_catalogue().parameters


@dataclass(frozen=True)
class Used:
    """A use so many days ago."""

    days: float
    mode: str = "approved"
    outside: int = 0
    responder_id: str = "ann"
    system: str = "Billing"
    system_id: str = "b"
    privilege: str = "Write"

    @property
    def opened_at(self) -> int:
        return NOW - int(self.days * DAY)

    @property
    def case(self) -> str:
        return str(self.days)


def found(*uses: Used) -> dict[str, list[str]]:
    """What each kind says of these uses, kinds without a signal left out."""
    return {kind.name: [each.says for each in kind.signals] for kind in signals(uses, NOW, PARAMETERS) if kind.signals}


def bypasses(count: int, of: int, begin: float) -> list[Used]:
    """So many uses ten days apart, each by another person, some of them by bypass."""
    return [
        Used(begin + number * 10, "bypass" if number < count else "approved", responder_id=str(number))
        for number in range(of)
    ]


@pytest.mark.parametrize(
    ("uses", "says"),
    [
        ([Used(1), Used(2), Used(3)], {}),
        ([Used(1), Used(2), Used(3), Used(30.5)], {"Repeated use": ["4 times within 30 days"]}),
        ([Used(1), Used(2), Used(3), Used(31.5)], {}),
        ([Used(91), Used(92), Used(93), Used(94)], {}),
        ([Used(80), Used(90.5), Used(92), Used(95)], {"Repeated use": ["4 times within 30 days"]}),
        ([Used(1), Used(2), Used(3), Used(4, responder_id="ben")], {}),
        ([Used(1), Used(2), Used(3), Used(4, privilege="Read")], {}),
        ([Used(1, outside=2), Used(40)], {"Other than intended": ["2 actions in 1 of 2 uses"]}),
        ([Used(91, outside=2)], {}),
        ([Used(day, "bypass" if day < 21 else "approved") for day in (1, 20, 40, 60, 80)], {"Often by bypass": ["2 of 5 uses by bypass"]}),
        ([Used(day, "bypass" if day < 2 else "approved") for day in (1, 20, 40, 60, 80)], {}),
        ([Used(day, "bypass") for day in (1, 30, 60, 80)], {}),
        ([*bypasses(2, 5, 1), *bypasses(0, 5, 91)], {"More and more by bypass": ["0% before, 40% now"]}),
        ([*bypasses(2, 5, 1), *bypasses(1, 5, 91)], {}),
        ([*bypasses(2, 4, 1), *bypasses(0, 5, 91)], {}),
        ([*bypasses(2, 5, 1), *bypasses(0, 4, 91)], {}),
    ],
)  # fmt: skip
def test_rule_at_its_edge(uses: list[Used], says: dict[str, list[str]]) -> None:
    assert found(*uses) == says


def test_each_kind_says_its_rule_with_the_figures_of_the_catalogue() -> None:
    kinds = {kind.name: (kind.rule, kind.signals) for kind in signals([], NOW, PARAMETERS)}
    assert {name: signals for name, (_, signals) in kinds.items()} == dict.fromkeys(kinds, ())
    assert (
        kinds["Repeated use"][0] == "One person opened one privilege more than 3 times within 30 days, in the last 90."
    )
    assert len({rule for rule, _ in kinds.values()}) == 4


def test_signal_leads_to_its_cases() -> None:
    (kind,) = (kind for kind in signals([Used(1, outside=1)], NOW, PARAMETERS) if kind.signals)
    assert (kind.signals[0].narrows, kind.signals[0].where) == ("system=b&person=ann", "Billing, Write")
    assert since(PARAMETERS, NOW) == NOW - 180 * DAY


def test_docs_give_each_rule_in_the_words_of_the_page() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "lists.md").read_text()
    table = docs.partition("| signal | rule |\n|-|-|\n")[2].partition("\n\n")[0].splitlines()
    assert table == [f"| {kind.name} | {kind.rule} |" for kind in signals([], NOW, PARAMETERS)]
