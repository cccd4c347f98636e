"""Who is woken when: the policy's tiers as turns of one request. Everybody who is an approver may decide at any time; turns only say who is told.

A turn ends when its minutes are over. Nobody else is told once enough approvers have seen the request or decided on it: as many as must say yes.
A tier of which nobody is an approver any more takes no time. Approvers of no tier come last, so nobody is ever left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.people.models import Person
from portal.policy.rules import Policy


@dataclass(frozen=True)
class Turn:
    """These are told then, if nobody has answered by then. ``number`` counts from 1."""

    number: int
    people: tuple[Person, ...]
    at: datetime


def turns(
    rules: Policy, approvers: Sequence[Person], requested_at: datetime, in_place: Mapping[UUID, UUID] | None = None
) -> tuple[Turn, ...]:
    """All turns, the first at the time of the request. Without tiers there is one, of all approvers.

    ``in_place`` says who stands in for whom: they have the turn of who is away.
    """
    stands_for = {str(who): str(lender) for who, lender in (in_place or {}).items()}
    found: list[Turn] = []
    named, at = {each for tier in rules.tiers for each in tier.people}, requested_at
    place = {each.pk: stands_for.get(str(each.pk), str(each.pk)) for each in approvers}
    rest = tuple(each for each in approvers if not {str(each.pk), place[each.pk]} & named)
    for tier in rules.tiers:
        people = tuple(each for each in approvers if {str(each.pk), place[each.pk]} & set(tier.people))
        if people:
            found.append(Turn(len(found) + 1, people, at))
            at += timedelta(minutes=tier.minutes)
    return (*found, Turn(len(found) + 1, rest, at)) if rest else tuple(found)


def answered(rules: Policy, who: Iterable[UUID]) -> bool:
    """Whether enough different approvers have seen it or decided, so that nobody else is woken."""
    return len(set(who)) >= rules.min_approvals


def next_turn(found: Sequence[Turn], at: datetime) -> Turn | None:
    """The first that is still to come."""
    return next((turn for turn in found if turn.at > at), None)


def begun(found: Sequence[Turn], at: datetime) -> tuple[Turn, ...]:
    """Those whose time has come."""
    return tuple(turn for turn in found if turn.at <= at)
