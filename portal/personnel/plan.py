"""What a personnel list would do to the people of the portal: worked out anew each time, never stored. Six queries, however many people."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.clock import now
from portal.eligibility.models import Eligibility, RoleAssignment
from portal.eligibility.queries import not_over
from portal.grants.models import Grant
from portal.grants.states import ACTIVE, AUTHORISED, OPENING
from portal.people.models import Person, Sponsorship
from portal.people.reporting import without_circles
from portal.personnel.models import PersonnelList
from portal.personnel.reading import Line, ReadList
from portal.personnel.states import DONE

TO_CONFIRM = timedelta(hours=24)
"""How long who moved keeps their lists: the catalogue's ``leaver_hours``, which T-25 counts from the move."""
LARGE = 5
"""More than one person in so many leaves: that needs a second look."""
LATELY = timedelta(days=7)
"""Lists of so long ago count with the one that is looked at: many small slices are one large one."""


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
    managers: Mapping[UUID, Person]
    """For whom the list names another manager than they have: the one whom it names."""

    circles: tuple[Person, ...]
    """Whose manager stays as it is, since the one on the list would report to them."""

    lately: int
    """How many have left by lists of the last days that one administrator confirmed alone."""

    @property
    def is_large(self) -> bool:
        """Whether more than a fifth of the people would leave, those of the last days counted with them."""
        gone = len(self.leavers) + self.lately
        return bool(self.leavers) and gone * LARGE > self.here + self.lately

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
    outside = _under_contract(at)
    changes: dict[str, list[Change]] = {"left": [], "moved": [], "later": []}
    placed: list[tuple[Person, Line]] = []
    managers, circles = _managers(read, everybody, at, outside)
    for person in here:
        line = read.lines.get(person.email)
        kind, when = _becomes(person, line, at, outside)
        if kind in changes:
            changes[kind].append(Change(person, when, line, held.get(person.pk, Holding())))
        elif line is not None and ((line.unit and not person.unit) or person.pk in managers):
            placed.append((person, line))
    touched = sum(map(len, changes.values())) + len(placed)
    known = {each.email for each in everybody}
    return Plan(
        tuple(changes["left"]), tuple(changes["moved"]), tuple(placed), len(here) - touched,
        tuple(line for line in read.lines.values() if line.email not in known and (line.left_at is None or line.left_at > at)),
        tuple(changes["later"]),
        tuple(each for each in everybody if each.left_at and (line := read.lines.get(each.email)) and (line.left_at is None or line.left_at > at)),
        len(here), managers, circles, _left_lately(at),
    )  # fmt: skip


def _becomes(person: Person, line: Line | None, at: datetime, outside: Set[UUID]) -> tuple[str, datetime]:
    """Who is not on the list has left by now, whenever that was; but the list of a company does not hold those of another, under contract."""
    if line is None:
        return ("", at) if person.pk in outside else ("left", at)
    if line.left_at is not None:
        return ("left" if line.left_at <= at else "later"), line.left_at
    if line.unit and person.unit and line.unit != person.unit:
        when = line.moved_at or at
        return ("moved" if when <= at else "later"), when
    return "", at


def _managers(
    read: ReadList, everybody: Iterable[Person], at: datetime, outside: Set[UUID]
) -> tuple[dict[UUID, Person], tuple[Person, ...]]:
    """Whom people are to report to from now on, where the list says another than now; and of whom it says what would lead round in a circle."""
    by_key = {each.pk: each for each in everybody}
    kinds = {
        each: _becomes(each, read.lines.get(each.email), at, outside)[0]
        for each in by_key.values()
        if each.left_at is None
    }
    remain = {each.email: each for each, kind in kinds.items() if kind != "left"}  # who leaves by it manages nobody
    stay = [
        (each, line) for each, kind in kinds.items() if kind in ("", "moved") and (line := read.lines.get(each.email))
    ]
    wanted = {
        person.pk: manager.pk
        for person, line in stay
        if (manager := remain.get(line.manager)) and manager.pk not in (person.pk, person.manager_id)
    }
    now_so = {each.pk: each.manager_id for each in by_key.values() if each.manager_id is not None}
    kept, left_out = without_circles(now_so, wanted)
    return {pk: by_key[manager] for pk, manager in kept.items()}, tuple(by_key[pk] for pk in by_key if pk in left_out)


def _under_contract(at: datetime) -> frozenset[UUID]:
    """People of other companies whose contract runs."""
    running = Sponsorship.objects.filter(until_at__isnull=True, contract_end__gt=at)
    return frozenset(running.values_list("person_id", flat=True))


def _left_lately(at: datetime) -> int:
    rows = PersonnelList.objects.filter(state=DONE, decided_at__gt=at - LATELY, asked_by="")
    return sum(int(outcome["leavers"]) for outcome in rows.values_list("outcome", flat=True) if outcome)


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
