"""Who is woken when: the policy's tiers as turns of one request. Everybody who is an approver may decide at any time; turns only say who is told.

A turn ends when its minutes are over. Nobody else is told once the request would be approved if each approver who has seen it said yes as well: as many
as the policy wants, of as many groups, and all of them people who may still decide.
A tier of which nobody is an approver any more takes no time, nor does a rota of which nobody is here: the next are told, and the turn says why.
A group is whoever stands in it when the turn is worked out; who stands in for somebody stands in theirs.
Of a rota the one who is on call when the turn comes is told. Approvers of no tier come last, so nobody is ever left out.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.access_requests.rules import still_needed
from portal.people.models import Person
from portal.policy.rules import Policy, Tier
from portal.rotas.schedule import Plan, in_order


@dataclass(frozen=True)
class Turn:
    """These are told then, if nobody has answered by then. ``number`` counts from 1.

    ``rota`` is the name of the one by which they are on call; ``unmanned`` names those before of which nobody was here; ``groups`` are those
    of the tier in which one of them stands, and ``empty`` those of it, and of tiers before, of which nobody can be asked; ``tier`` is the
    policy's, counted from 1, and 0 for those who stand in none.
    """

    number: int
    people: tuple[Person, ...]
    at: datetime
    rota: str = ""
    unmanned: tuple[str, ...] = ()
    tier: int = 0
    groups: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


def turns(
    rules: Policy,
    approvers: Sequence[Person],
    requested_at: datetime,
    in_place: Mapping[UUID, UUID] | None = None,
    rotas: Mapping[str, Plan] | None = None,
    groups: Mapping[UUID, str] | None = None,
) -> tuple[Turn, ...]:
    """All turns, the first at the time of the request. Without tiers there is one, of all approvers.

    ``in_place`` says who stands in for whom: they have the turn of who is away. ``rotas`` are those that the tiers name, by id; ``groups`` says in
    which each approver stands, where a tier names one.
    """
    stands_for = {str(who): str(lender) for who, lender in (in_place or {}).items()}
    names = {each: {str(each.pk), stands_for.get(str(each.pk), "")} for each in approvers}
    stand_in = {each: (groups or {}).get(each.pk, "") for each in approvers}
    found, at, taken, unmanned, empty = list[Turn](), requested_at, set[Person](), list[str](), list[str]()
    for place, tier in enumerate(rules.tiers, 1):
        plan = (rotas or {}).get(tier.rota)
        people = _on_call(plan, at, names, taken) if plan else _in_tier(tier, names, stand_in, taken)
        empty += [each for each in tier.groups if each not in stand_in.values()]
        if people:
            by = tuple(each for each in tier.groups if each in {stand_in[one] for one in people})
            rota = plan.name if plan else ""
            found.append(Turn(len(found) + 1, people, at, rota, tuple(unmanned), place, by, tuple(empty)))
            at += timedelta(minutes=tier.minutes)
            taken |= set(people)
            unmanned, empty = [], []
        elif tier.rota:
            unmanned.append(plan.name if plan else "that is gone")
    rest = tuple(each for each in approvers if each not in taken)
    last = Turn(len(found) + 1, rest, at, unmanned=tuple(unmanned), empty=tuple(empty))
    return (*found, last) if rest else tuple(found)


def _in_tier(
    tier: Tier, names: Mapping[Person, Set[str]], stand_in: Mapping[Person, str], taken: Set[Person]
) -> tuple[Person, ...]:
    called = set(_among(set(tier.people), names, taken))
    return tuple(each for each in names if each in called or (stand_in[each] in tier.groups and each not in taken))


def _among(wanted: Set[str], names: Mapping[Person, Set[str]], taken: Set[Person]) -> tuple[Person, ...]:
    return tuple(each for each, called in names.items() if each not in taken and called & wanted)


def _on_call(plan: Plan, at: datetime, names: Mapping[Person, Set[str]], taken: Set[Person]) -> tuple[Person, ...]:
    """The first in the rota's order of that moment who can be asked: no responder, nobody without the role, nobody who was told before."""
    return next((found for each in in_order(plan, at) if (found := _among({each}, names, taken))), ())


def answered(rules: Policy, yeses: Mapping[UUID, str], looked: Iterable[UUID], may: Mapping[UUID, str]) -> bool:
    """Whether nobody else is woken: those who said yes, with those who have seen it and may still decide, are enough.

    Args:
        yeses: The group of each who said yes, empty where they stand in none. It counts although they left since.
        looked: Who has seen it, or acknowledged the alert.
        may: The group of each who may decide now.
    """
    coming = [may[each] for each in set(looked) & set(may) - set(yeses)]
    return still_needed(rules, [*yeses.values(), *coming]) == 0


def next_turn(found: Sequence[Turn], at: datetime) -> Turn | None:
    """The first that is still to come."""
    return next((turn for turn in found if turn.at > at), None)


def begun(found: Sequence[Turn], at: datetime) -> tuple[Turn, ...]:
    """Those whose time has come."""
    return tuple(turn for turn in found if turn.at <= at)
