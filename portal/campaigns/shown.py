"""Lines in the words and the order of their page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.campaigns.forms import DecisionForm
from portal.campaigns.lines import ELIGIBILITY
from portal.campaigns.models import Campaign, Item
from portal.campaigns.rules import among_free, attesters, concerned_in_each, is_dormant
from portal.campaigns.states import MODIFIED, REVOKED, UNDECIDED
from portal.clock import moment
from portal.people.models import Person
from portal.people.rights import MANAGE
from portal.policy.rules import count


@dataclass(frozen=True)
class Shown:
    """One line with what this viewer may do about it."""

    item: Item
    form: DecisionForm | None
    dormant: bool
    mine: bool
    decides: bool
    """Whether the viewer may decide; else they can only hand it on."""

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


@dataclass(frozen=True)
class Viewing:
    """Who looks: who attests for the system, who is concerned in which line, and whether the viewer manages the system."""

    viewer: Person
    attesters: list[Person]
    concerned: dict[UUID, frozenset[str]]
    manages: bool


def viewing(viewer: Person, campaign: Campaign, items: Iterable[Item]) -> Viewing:
    """What is the same for all lines of a page, asked once."""
    people = attesters(campaign.system)
    manages = viewer in people and viewer.has_perm(MANAGE, campaign.system)
    return Viewing(viewer, people, concerned_in_each(items), manages)


def shown(item: Item, look: Viewing, form: DecisionForm | None = None) -> Shown:
    """One line for the viewer: who it is put to decides, and who manages the system may hand it on. Each act asks again."""
    concerned, viewer = look.concerned[item.pk], look.viewer
    waits = item.state == UNDECIDED and item.person_id != viewer.pk
    mine = waits and item.reviewer_id == viewer.pk
    decides = mine and str(viewer.pk) not in concerned
    if (mine or (waits and look.manages)) and form is None:
        form = DecisionForm(item=item, others=among_free(look.attesters, concerned))
    return Shown(item, form if waits else None, is_dormant(item), mine, decides)


def grouped(lines: Iterable[Shown]) -> dict[str, list[Shown]]:
    """For the viewer, for others, decided."""
    groups: dict[str, list[Shown]] = {"mine": [], "others": [], "decided": []}
    for line in lines:
        groups["mine" if line.mine else "others" if line.item.state == UNDECIDED else "decided"].append(line)
    return groups
