"""Lines in the words and the order of their page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.campaigns.forms import DecisionForm
from portal.campaigns.lines import ELIGIBILITY
from portal.campaigns.models import Item
from portal.campaigns.rules import is_dormant
from portal.campaigns.states import MODIFIED, REVOKED, UNDECIDED
from portal.clock import moment
from portal.people.models import Person
from portal.policy.rules import count


@dataclass(frozen=True)
class Shown:
    """One line with what this viewer may do about it."""

    item: Item
    form: DecisionForm | None
    dormant: bool
    mine: bool

    @property
    def is_listed(self) -> bool:
        """An eligibility; else access that stands on the target."""
        return self.item.subject_kind == ELIGIBILITY

    @property
    def used(self) -> str:
        """How often it was used, in a sentence."""
        facts = self.item.facts
        if not facts.get("uses") and not facts.get("drills"):
            return "Never used, never drilled"
        bypasses = f", {facts['bypasses']} by bypass" if facts.get("bypasses") else ""
        drills = f"; {count(facts['drills'], 'drill', 'drills').lower()}" if facts.get("drills") else ""
        return f"{count(facts.get('uses', 0), 'use', 'uses')}{bypasses}{drills}"

    @property
    def last_at(self) -> datetime | None:
        """When it was used or drilled last."""
        known = [self.item.facts[name] for name in ("last_use", "last_drill") if name in self.item.facts]
        return moment(max(known)) if known else None

    @property
    def since(self) -> datetime | None:
        """Since when it stands on the list."""
        return _moment(self.item.facts, "granted_at")

    @property
    def until(self) -> datetime | None:
        """Until when, if it has an end."""
        return _moment(self.item.facts, "expires_at" if self.is_listed else "expires_at_ms")

    @property
    def removal(self) -> tuple[str, str, str]:
        """Word, tone and icon of what became of a removal; nothing where nothing was removed."""
        item = self.item
        if item.state not in (REVOKED, MODIFIED):
            return ("", "", "")
        if item.access_present is False:
            return (
                "Gone on the target" if item.state == REVOKED else "Nothing of theirs lasts longer",
                "good",
                "circle-check",
            )
        if item.access_present:
            return ("The target still shows it", "attention", "alert-triangle")
        if not self.is_listed and item.removed_at is None:
            return ("To be removed by the target's owner", "attention", "flag")
        return ("The target is being asked", "accent", "circle-dashed")


def _moment(facts: dict[str, Any], name: str) -> datetime | None:
    return moment(facts[name]) if name in facts else None


def shown(item: Item, viewer: Person, others: Iterable[Person], form: DecisionForm | None = None) -> Shown:
    """One line for the viewer. Who it is put to decides; whether they still may is asked by the act."""
    mine = item.state == UNDECIDED and item.reviewer_id == viewer.pk and item.person_id != viewer.pk
    return Shown(item, (form or DecisionForm(item=item, others=others)) if mine else None, is_dormant(item), mine)


def grouped(lines: Iterable[Shown]) -> dict[str, list[Shown]]:
    """For the viewer, for others, decided."""
    groups: dict[str, list[Shown]] = {"mine": [], "others": [], "decided": []}
    for line in lines:
        groups["mine" if line.mine else "others" if line.item.state == UNDECIDED else "decided"].append(line)
    return groups
