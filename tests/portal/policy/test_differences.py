"""What a version changes, in sentences: stricter or looser, and nothing left out."""

from dataclasses import fields, replace

import pytest

from portal.policy.differences import ALERTS, FIGURES, LISTS, SWITCHES, TIERS, differences
from portal.policy.forms import ALL_LABELS
from portal.policy.rules import Policy, Tier, told_in_tiers

BASE = Policy()


def told(**changes: object) -> list[tuple[str, str]]:
    found = differences(BASE, replace(BASE, **changes), ALL_LABELS)  # type: ignore[arg-type]  # rules by name
    return [(each.sentence, each.way) for each in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"min_approvals": 2}, [("A request needs 2 approvals instead of 1.", "stricter")]),
        ({"approver_groups": 2}, [("Approvals come from at least 2 different groups instead of 0.", "stricter")]),
        ({"max_grant_minutes": 90}, [("A window is at most 90 minutes long instead of 120.", "stricter")]),
        ({"review_due_hours": 24}, [("A use is reviewed within 24 hours instead of 72.", "stricter")]),
        ({"bypass_offer_minutes": 5}, [("A bypass is offered after 5 minutes of waiting instead of 10.", "looser")]),
        ({"incident_required": 0}, [("A request need not name an incident any more.", "looser")]),
        ({"witnessed": 1}, [("Nothing opens before the log's witnesses have seen its intent.", "stricter")]),
        (
            {"open_unsealed": 1},
            [("Access opens, with an alarm, although the log cannot be sealed.", "looser")],
        ),
        ({"modes": ("approved", "drill")}, [("A bypass is no longer allowed.", "stricter")]),
        ({"tiers": (Tier(("a",), 5),)}, [(told_in_tiers(replace(BASE, tiers=(Tier(("a",), 5),))), "other")]),
        (
            {"criteria": ("outage", "security", "deadline")},
            [
                ("“Why now”: “People could come to harm” is no longer allowed.", "stricter"),
                ("“Why now”: “A legal or payment deadline would be missed” is now allowed.", "looser"),
            ],
        ),
    ],
)
def test_change_is_said_in_a_sentence(changes: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert told(**changes) == expected


def test_same_rules_have_no_difference() -> None:
    assert told() == []


def test_every_rule_has_its_own_sentence() -> None:
    rules = {each.name for each in fields(Policy)}
    assert set(FIGURES) | set(SWITCHES) | set(LISTS) | {TIERS, ALERTS} == rules == set(ALL_LABELS)
