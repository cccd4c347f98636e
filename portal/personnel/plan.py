"""What a personnel list would do to the people of the portal: worked out anew each time, never stored. Four queries, however many people."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.eligibility.queries import not_over
from portal.grants.models import Grant
from portal.grants.states import ACTIVE, AUTHORISED, OPENING
from portal.people.models import Person
from portal.personnel.reading import Line, ReadList

TO_CONFIRM = timedelta(hours=24)
"""How long who moved keeps their lists: the catalogue's ``leaver_hours``, which T-25 counts from the move."""
LARGE = 5
"""More than one person in so many leaves: that needs a second look."""


@dataclass(frozen=True)
class Holding:
    """How much somebody holds now."""

    roles: int = 0
    lists: int = 0
    grants: int = 0


@dataclass(frozen=True)
class Change:
    """What becomes of one person: ``at`` is when they left or moved."""

    person: Person
    at: datetime
    line: Line | None
    holding: Holding

    @property
    def ends_at(self) -> datetime:
        """When the lists of one who moved end."""
        return self.at + TO_CONFIRM


@dataclass(frozen=True)
class Plan:
    """Everybody by what becomes of them. ``later`` leave or move on a day to come; ``back`` left the portal and are on the list all the same."""

    leavers: tuple[Change, ...]
    movers: tuple[Change, ...]
    placed: tuple[tuple[Person, Line], ...]
    unchanged: int
    joiners: tuple[Line, ...]
    later: tuple[Change, ...]
    back: tuple[Person, ...]
    here: int
    managers: Mapping[str, Person]

    @property
    def is_large(self) -> bool:
        """Whether more than a fifth of the people would leave."""
        return len(self.leavers) * LARGE > self.here

    @property
    def fingerprint(self) -> str:
        """Who leaves and who moves, as a hash: what was looked at is what is done."""
        said = [
            f"{kind} {each.person.pk}"
            for kind, found in (("left", self.leavers), ("moved", self.movers))
            for each in found
        ]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()

    def counts(self) -> dict[str, int]:
        """How many of each, as events and lists tell it."""
        return {
            "joiners": len(self.joiners), "movers": len(self.movers), "leavers": len(self.leavers), "people": self.here,
        }  # fmt: skip


def plan_of(read: ReadList) -> Plan:
    """Hold a list against the people of the portal as they are now."""
    everybody = list(Person.objects.order_by("name", "pk"))
    here = [each for each in everybody if each.left_at is None]
    at = now()
    held = _holdings()
    changes: dict[str, list[Change]] = {"left": [], "moved": [], "later": []}
    placed: list[tuple[Person, Line]] = []
    managers = {each.email: each for each in everybody}
    for person in here:
        line = read.lines.get(person.email)
        kind, when = _becomes(person, line, at)
        if kind in changes:
            changes[kind].append(Change(person, when, line, held.get(person.pk, Holding())))
        elif line is not None and _says_more(person, line, managers):
            placed.append((person, line))
    touched = sum(map(len, changes.values())) + len(placed)
    known = {each.email for each in everybody}
    return Plan(
        tuple(changes["left"]), tuple(changes["moved"]), tuple(placed), len(here) - touched,
        tuple(line for line in read.lines.values() if line.email not in known and (line.left_at is None or line.left_at > at)),
        tuple(changes["later"]),
        tuple(each for each in everybody if each.left_at and (line := read.lines.get(each.email)) and (line.left_at is None or line.left_at > at)),
        len(here), managers,
    )  # fmt: skip


def _becomes(person: Person, line: Line | None, at: datetime) -> tuple[str, datetime]:
    """Who is not on the list has left by now, whenever that was."""
    if line is None:
        return "left", at
    if line.left_at is not None:
        return ("left" if line.left_at <= at else "later"), line.left_at
    if line.unit and person.unit and line.unit != person.unit:
        when = line.moved_at or at
        return ("moved" if when <= at else "later"), when
    return "", at


def _says_more(person: Person, line: Line, managers: Mapping[str, Person]) -> bool:
    """The list knows where they work, or another manager: noted, and nothing of theirs changes."""
    manager = managers.get(line.manager)
    return bool(line.unit and not person.unit) or bool(manager and manager.pk not in (person.manager_id, person.pk))


def _holdings() -> dict[UUID, Holding]:
    """Three queries; who holds nothing is not in it."""
    live = Grant.objects.filter(state__in=(AUTHORISED, OPENING, ACTIVE)).values_list("person_id", flat=True)
    roles, lists = (
        model._base_manager.filter(not_over()).values_list("person_id", flat=True)
        for model in (RoleAssignment, Eligibility)
    )
    counted = [Counter[UUID](rows) for rows in (roles, lists, live)]
    return {pk: Holding(*(each[pk] for each in counted)) for pk in _keys(counted)}


def _keys(counted: Iterable[Counter[UUID]]) -> set[UUID]:
    return {pk for each in counted for pk in each}
