"""Who is on call at a moment: worked out from the rota as plain facts, never stored. Pure.

Weeks go from one hand-over to the next by the rota's own clock, so a week with a clock change has an hour less or more. In each week one
member holds it; who holds it and is away is covered by the next in the order who is here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Exchange:
    """Two members gave each other a week; each week is named by the day of its hand-over."""

    week: date
    giver: str
    other_week: date
    taker: str


@dataclass(frozen=True)
class Away:
    """A member is not here from one moment until before the other."""

    person: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True)
class Plan:
    """A rota. ``begins`` is the day of the hand-over from which the first of the members has their week; people by pseudonym."""

    name: str
    members: tuple[str, ...]
    begins: date
    hour: int
    zone: ZoneInfo
    exchanges: tuple[Exchange, ...] = ()  # in the order in which they were agreed
    absences: tuple[Away, ...] = ()
    gone: frozenset[str] = frozenset()  # members who may be woken no more, whose turn is covered as if they were away

    @cached_property
    def exchanged(self) -> dict[int, str]:
        """Who holds a week out of turn. An exchange of a week that its giver does not hold (any more) changes nothing."""
        changed: dict[int, str] = {}
        for each in self.exchanges:
            first, second = self.number_of(each.week), self.number_of(each.other_week)
            if first is None or second is None or first == second:
                continue
            held = tuple(changed.get(number, self.in_turn(number)) for number in (first, second))
            if held == (each.giver, each.taker):
                changed[first], changed[second] = each.taker, each.giver
        return changed

    def in_turn(self, number: int) -> str:
        """Whose week it is by the order alone; there are weeks before the first."""
        return self.members[number % len(self.members)]

    def number_of(self, day: date) -> int | None:
        """Which week begins on that day; ``None`` where none does."""
        weeks, rest = divmod((day - self.begins).days, 7)
        return None if rest else weeks

    def day_of(self, number: int) -> date:
        """The day on which a week begins."""
        return self.begins + number * WEEK

    def starts_at(self, number: int) -> datetime:
        """The moment of a week's hand-over."""
        return handover(self.day_of(number), self.hour, self.zone)


def handed_over_last(weekday: int, hour: int, zone: ZoneInfo, at: datetime) -> date:
    """The day of the last such hand-over; on the weekday itself that of a week ago until its hour has come."""
    today = at.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - weekday) % 7)
    return day if handover(day, hour, zone) <= at else day - WEEK


def handover(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The moment of it. Where a clock change leaves the hour out or has it twice, the first moment that is it."""
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def week_at(plan: Plan, at: datetime) -> int:
    """The number of the week that runs at a moment."""
    number = (at.astimezone(plan.zone).date() - plan.begins).days // 7
    while plan.starts_at(number) > at:
        number -= 1
    while plan.starts_at(number + 1) <= at:
        number += 1
    return number


def holder(plan: Plan, number: int) -> str:
    """Who holds a week, here or not."""
    return plan.exchanged.get(number) or plan.in_turn(number)


def in_order(plan: Plan, at: datetime) -> tuple[str, ...]:
    """Who is here at a moment: the holder of the week first, then those who cover, by the order from the holder on."""
    away = plan.gone | {each.person for each in plan.absences if each.from_at <= at < each.to_at}
    place = plan.members.index(holder(plan, week_at(plan, at)))
    return tuple(each for each in (*plan.members[place:], *plan.members[:place]) if each not in away)


def on_call(plan: Plan, at: datetime) -> str | None:
    """The one member who is on call; nobody where all are away."""
    return next(iter(in_order(plan, at)), None)


@dataclass(frozen=True)
class Spell:
    """One person, or nobody, is on call for a while, within the week of ``holder``."""

    week: int
    from_at: datetime
    to_at: datetime
    person: str | None
    holder: str


def spells(plan: Plan, since: datetime, until: datetime) -> Iterator[Spell]:
    """Everything between two moments without a gap; a new week begins a new spell."""
    weeks = range(week_at(plan, since) + 1, week_at(plan, until) + 1)
    moments = {since, until, *map(plan.starts_at, weeks)}
    moments |= {at for each in plan.absences for at in (each.from_at, each.to_at) if since < at < until}
    last: Spell | None = None
    for from_at, to_at in pairwise(sorted(moments)):
        number = week_at(plan, from_at)
        found = Spell(number, from_at, to_at, on_call(plan, from_at), holder(plan, number))
        if last and (last.week, last.person) == (found.week, found.person):
            last = Spell(number, last.from_at, to_at, last.person, last.holder)
            continue
        if last:
            yield last
        last = found
    if last:
        yield last
