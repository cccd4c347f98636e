"""Lines in the words and the order of their page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.campaigns.forms import DecisionForm
from portal.campaigns.lists import LISTS, name_of
from portal.campaigns.models import Campaign, Item
from portal.campaigns.queries import names_of
from portal.campaigns.rules import among_free, attesters, concerned_in_each, is_dormant
from portal.campaigns.states import MODIFIED, REVOKED, UNDECIDED
from portal.campaigns.subjects import SUBJECTS
from portal.campaigns.weighing import BACK, CHANGED, NEW, PLAIN, RISKS
from portal.clock import moment
from portal.people.models import Person
from portal.people.rights import MANAGE
from portal.policy.rules import count
from portal.systems.models import System

NEWS = {NEW: ("New", "accent"), CHANGED: ("Changed", "accent"), BACK: ("Revoked before, and back", "attention")}


NAMED = ("proposed_by", "granted_by", "custodian", "second_custodian")


@dataclass(frozen=True)
class Account:
    """A sealed account, in names: where it is used, who keeps it, who may check it out, and its last new secret."""

    location: str
    custodians: list[str]
    may_check_out: list[str]
    rotated_at: datetime | None
    overdue: bool


@dataclass(frozen=True)
class Shown:
    """One line with what this viewer may do about it."""

    item: Item
    form: DecisionForm | None
    dormant: bool
    mine: bool
    decides: bool
    """Whether the viewer may decide; else they can only hand it on."""

    names: Mapping[str, str]
    """Names of people by pseudonym, for who gave it."""

    @property
    def is_found(self) -> bool:
        """Found on the target; else a right in the portal."""
        return SUBJECTS[self.item.subject_kind].found

    @property
    def account(self) -> "Account | None":
        """What there is to know of a sealed account; nothing where the line is another kind's."""
        facts = self.item.facts
        if "may_check_out" not in facts:
            return None
        keepers = [facts[name] for name in ("custodian", "second_custodian") if name in facts]
        return Account(
            facts["location"], self._named(keepers), self._named(facts["may_check_out"]), _moment(facts, "last_rotation"),
            overdue=bool(facts.get("rotation_overdue")),
        )  # fmt: skip

    def _named(self, people: list[str]) -> list[str]:
        return sorted(self.names.get(each, "somebody who is not known any more") for each in people)

    @property
    def used(self) -> str:
        """How often it was used, in a sentence."""
        facts = self.item.facts
        if "uses" not in facts:
            return "Not counted for this role; signed in" if "last_use" in facts else "Not counted for this role"
        if not facts["uses"] and not facts.get("drills"):
            never = "Never used, never drilled" if "drills" in facts else "Never used"
            return f"{never}, as the list was taken {self.item.campaign.snapshot_at:%-d %b %Y, %H:%M} UTC"
        bypasses = f", {facts['bypasses']} by bypass" if facts.get("bypasses") else ""
        drills = f"; {count(facts['drills'], 'drill', 'drills').lower()}" if facts.get("drills") else ""
        return f"{count(facts['uses'], 'use', 'uses')}{bypasses}{drills}"

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
        return _moment(self.item.facts, "expires_at_ms" if self.is_found else "expires_at")

    @property
    def given_by(self) -> str:
        """Who proposed and who approved it."""
        hands = (self.item.facts.get(name) for name in ("proposed_by", "granted_by"))
        return " and ".join(
            dict.fromkeys(self.names.get(each, "somebody who is not known any more") for each in hands if each)
        )

    @property
    def dormant_days(self) -> int | None:
        """Days without use or drill when the list was taken, where those are many."""
        days = self.item.facts.get("dormant_days")
        return days if self.dormant else None

    @property
    def news(self) -> tuple[str, str]:
        """What changed since the last time: word and tone; nothing where nothing did."""
        return NEWS.get(self.item.facts.get("since_last", ""), ("", ""))

    @property
    def risk(self) -> str:
        """How much is at stake, in a word; nothing where it is plain."""
        found = self.item.facts.get("risk", PLAIN)
        return "" if found == PLAIN else f"{RISKS[found]} risk"

    @property
    def removal(self) -> tuple[str, str, str]:
        """Word, tone and icon of what became of a removal; nothing where nothing was removed."""
        item = self.item
        if item.state not in (REVOKED, MODIFIED):
            return ("", "", "")
        if item.access_present is False:
            gone = "Gone on the target" if self.asks_target else "Gone, and read back"
            return (gone if item.state == REVOKED else "Nothing of theirs lasts longer", "good", "circle-check")
        if item.access_present:
            return (
                "The target still shows it" if self.asks_target else "It is still there",
                "attention",
                "alert-triangle",
            )
        if item.removed_at is None and SUBJECTS[item.subject_kind].left_to_owner(item):
            return ("To be removed by the target's owner", "attention", "flag")
        return ("The target is being asked", "accent", "circle-dashed")

    @property
    def asks_target(self) -> bool:
        """Whether the target shows what became of it."""
        return SUBJECTS[self.item.subject_kind].needs_listing(self.item)


def _moment(facts: dict[str, Any], name: str) -> datetime | None:
    return moment(facts[name]) if name in facts else None


@dataclass(frozen=True)
class Viewing:
    """Who looks: who attests this list, who is concerned in which line, whether the viewer manages the list; and people's names."""

    viewer: Person
    attesters: list[Person]
    concerned: dict[UUID, frozenset[str]]
    manages: bool
    names: Mapping[str, str]


def viewing(viewer: Person, campaign: Campaign, items: Iterable[Item]) -> Viewing:
    """What is the same for all lines of a page, asked once."""
    people, rows = attesters(campaign.system), list(items)
    manages = viewer in people and viewer.has_perm(MANAGE, campaign.system)
    hands = {item.facts[name] for item in rows for name in NAMED if name in item.facts}
    hands.update(each for item in rows for each in item.facts.get("may_check_out", ()))
    return Viewing(viewer, people, concerned_in_each(rows), manages, names_of(hands))


def shown(
    item: Item, look: Viewing, form: DecisionForm | None = None, *, bare: bool = False, typed: Mapping[str, str] | None = None
) -> Shown:  # fmt: skip
    """One line for the viewer: who it is put to decides, and who manages the list may hand it on. Each act asks again.

    ``bare``: without a form of its own, for a row of many. ``typed``: what was typed at it while another line was decided.
    """
    out, viewer = look.concerned[item.pk], look.viewer
    waits = item.state == UNDECIDED and item.person_id != viewer.pk
    mine = waits and item.reviewer_id == viewer.pk
    decides = mine and str(viewer.pk) not in out
    if (mine or (waits and look.manages)) and form is None and not bare:
        form = DecisionForm(item=item, others=among_free(look.attesters, out), initial=dict(typed or {}))
    return Shown(item, form if waits else None, is_dormant(item), mine, decides, look.names)


def startable(lists: Iterable[tuple[System | None, str]]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Lists that may be begun, for each kind: its name, its title, and of which systems (id and name)."""
    found = list(lists)
    return [
        (kind, each.title, [(str(system.pk) if system else "", name_of(system)) for system, of in found if of == kind])
        for kind, each in LISTS.items()
        if any(of == kind for _, of in found)
    ]


def grouped(lines: Iterable[Shown]) -> dict[str, list[Shown]]:
    """For the viewer, for nobody yet, for others, decided."""
    groups: dict[str, list[Shown]] = {"mine": [], "nobody": [], "others": [], "decided": []}
    for line in lines:
        groups[_group(line)].append(line)
    return groups


def _group(line: Shown) -> str:
    if line.mine or line.item.state != UNDECIDED:
        return "mine" if line.mine else "decided"
    return "nobody" if line.item.reviewer_id is None else "others"
