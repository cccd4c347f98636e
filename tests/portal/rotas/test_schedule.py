"""Who is on call: exactly one at any moment, or nobody where all are away; searched over zones, leap days, month ends and clock changes."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rotas.schedule import (
    WEEK,
    Away,
    Exchange,
    Plan,
    handed_over_last,
    holder,
    in_order,
    on_call,
    spells,
    week_at,
)

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks that change at different times of the night, by half an hour, at midnight, in the other half of the year, by a whole day, or never.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Tehran",
    "Pacific/Apia",
    "Africa/Casablanca",
)
FIRST, LAST = datetime(2023, 12, 1), datetime(2025, 1, 31)  # noqa: DTZ001 - Hypothesis wants them naive
MEMBERS = ("ann", "ben", "cleo", "dan", "eve")
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@st.composite
def plans(draw: st.DrawFn, *, away: bool = True) -> Plan:
    """Any rota around the leap year 2024."""
    members = MEMBERS[: draw(st.integers(1, len(MEMBERS)))]
    begins = draw(st.dates(date(2023, 12, 1), date(2025, 1, 31)))
    weeks = st.integers(-60, 60).map(lambda number: begins + number * WEEK)
    who = st.sampled_from(members)
    exchanges = draw(st.lists(st.builds(Exchange, weeks, who, weeks, who), max_size=4))
    absences = st.builds(
        lambda person, from_at, days: Away(person, from_at, from_at + timedelta(days=days)), who, moments, st.integers(0, 90)
    )  # fmt: skip
    return Plan(
        "Nights", members, begins, draw(st.integers(0, 23)), ZoneInfo(draw(st.sampled_from(ZONES))), tuple(exchanges),
        tuple(draw(st.lists(absences, max_size=6))) if away else (),
    )  # fmt: skip


def here(plan: Plan, at: datetime) -> set[str]:
    """Said in another way than the code does."""
    return {
        each
        for each in plan.members
        if not any(a.person == each and a.from_at <= at and at < a.to_at for a in plan.absences)
    }


@given(st.integers(0, 6), st.integers(0, 23), st.sampled_from(ZONES), moments)
def test_first_member_has_the_week_that_runs_on_every_day_and_at_every_hour(
    weekday: int, hour: int, zone: str, at: datetime
) -> None:
    begins = handed_over_last(weekday, hour, ZoneInfo(zone), at)
    plan = Plan("Nights", MEMBERS, begins, hour, ZoneInfo(zone))
    assert (begins.weekday(), week_at(plan, at), on_call(plan, at)) == (weekday, 0, MEMBERS[0])


def test_before_the_hour_of_a_hand_over_the_week_of_the_last_one_runs() -> None:
    monday = datetime(2024, 6, 3, 9, tzinfo=BERLIN)
    days = [handed_over_last(0, 9, BERLIN, monday + timedelta(minutes=each)) for each in (-30, 0)]
    assert days == [date(2024, 5, 27), date(2024, 6, 3)]


@given(plans(), moments)
def test_exactly_one_is_on_call_or_nobody_where_all_are_away(plan: Plan, at: datetime) -> None:
    found = on_call(plan, at)
    assert (found in here(plan, at)) if here(plan, at) else (found is None)
    assert sorted(in_order(plan, at)) == sorted(here(plan, at))


@given(plans(), moments)
def test_every_moment_lies_in_exactly_one_week_that_begins_at_its_hour(plan: Plan, at: datetime) -> None:
    number = week_at(plan, at)
    assert plan.starts_at(number) <= at < plan.starts_at(number + 1)
    begins = plan.starts_at(number).astimezone(plan.zone)
    skipped = begins.replace(tzinfo=None) != datetime.combine(
        plan.day_of(number), begins.time().replace(hour=plan.hour, minute=0)
    )
    assert skipped or (begins.weekday(), begins.hour) == (plan.begins.weekday(), plan.hour)
    assert week_at(plan, plan.starts_at(number)) == number
    assert week_at(plan, plan.starts_at(number) - timedelta(seconds=1)) == number - 1


@given(plans(away=False), st.integers(-60, 60))
def test_without_swaps_each_has_one_week_in_each_round(plan: Plan, number: int) -> None:
    plain = Plan(plan.name, plan.members, plan.begins, plan.hour, plan.zone)
    rounds = [holder(plain, number + each) for each in range(len(plan.members))]
    assert sorted(rounds) == sorted(plan.members)


@given(plans(away=False))
def test_swaps_take_no_week_from_anybody_and_give_none(plan: Plan) -> None:
    plain = Plan(plan.name, plan.members, plan.begins, plan.hour, plan.zone)
    weeks = range(-61, 62)
    assert Counter(holder(plan, each) for each in weeks) == Counter(holder(plain, each) for each in weeks)


@given(plans(), moments, st.integers(1, 70))
def test_spells_leave_no_gap_and_say_who_is_on_call(plan: Plan, since: datetime, days: int) -> None:
    until = since + timedelta(days=days)
    found = list(spells(plan, since, until))
    assert (found[0].from_at, found[-1].to_at) == (since, until)
    assert all(first.to_at == second.from_at for first, second in pairwise(found))
    for each in found:
        middle = each.from_at + (each.to_at - each.from_at) / 2
        assert {on_call(plan, at) for at in (each.from_at, middle, each.to_at - timedelta(microseconds=1))} == {
            each.person
        }


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2024-02-26T07:59Z", "ann"), ("2024-02-26T08:00Z", "ben"),  # Monday 09:00 in Berlin's winter
        ("2024-02-29T12:00Z", "ben"), ("2024-03-04T07:59Z", "ben"), ("2024-03-04T08:00Z", "ann"),  # over the leap day and the month's end
        ("2024-04-01T06:59Z", "ben"), ("2024-04-01T07:00Z", "ann"),  # and in its summer, an hour earlier
    ],
)  # fmt: skip
def test_hand_over_by_the_clock_of_the_rota(at: str, who: str) -> None:
    plan = Plan("Nights", ("ann", "ben"), date(2024, 2, 19), 9, BERLIN)
    assert on_call(plan, datetime.fromisoformat(at)) == who


@pytest.mark.parametrize(
    ("hour", "day", "begins"),
    [(2, date(2024, 3, 31), "2024-03-31T01:00Z"), (2, date(2024, 10, 27), "2024-10-27T00:00Z"), (3, date(2024, 10, 27), "2024-10-27T02:00Z")],
)  # fmt: skip
def test_hour_that_is_left_out_or_comes_twice_is_taken_at_its_first_moment(hour: int, day: date, begins: str) -> None:
    plan = Plan("Nights", ("ann", "ben"), day, hour, BERLIN)
    assert plan.starts_at(0) == datetime.fromisoformat(begins)


def test_swap_counts_while_both_hold_their_weeks_and_is_void_afterwards() -> None:
    begins = date(2024, 1, 1)
    swap = Exchange(begins, "ann", begins + WEEK, "ben")
    plan = Plan("Nights", ("ann", "ben", "cleo"), begins, 9, BERLIN, (swap, swap))
    assert [holder(plan, each) for each in range(4)] == ["ben", "ann", "cleo", "ann"]
    other = Plan("Nights", ("cleo", "ann", "ben"), begins, 9, BERLIN, (swap,))
    assert [holder(other, each) for each in range(3)] == ["cleo", "ann", "ben"]
    moved = Plan("Nights", ("ann", "ben"), begins + timedelta(days=2), 9, BERLIN, (swap,))
    assert [holder(moved, each) for each in range(2)] == ["ann", "ben"]


def test_next_in_the_order_covers_also_for_whoever_swapped_in() -> None:
    begins, at = date(2024, 1, 1), datetime(2024, 1, 3, tzinfo=UTC)
    swap, away = Exchange(begins, "ann", begins + 2 * WEEK, "cleo"), Away("cleo", at, at + timedelta(days=1))
    plan = Plan("Nights", ("ann", "ben", "cleo"), begins, 9, BERLIN, (swap,), (away,))
    assert [on_call(plan, at + timedelta(hours=each)) for each in (-1, 0, 23, 24)] == ["cleo", "ann", "ann", "cleo"]


def test_member_who_is_gone_is_covered_at_every_moment() -> None:
    begins = date(2024, 1, 1)
    plan = Plan("Nights", ("ann", "ben"), begins, 9, BERLIN, gone=frozenset({"ann"}))
    since = datetime(2024, 1, 2, tzinfo=UTC)
    assert [(each.holder, each.person) for each in spells(plan, since, since + 2 * WEEK)] == [
        ("ann", "ben"), ("ben", "ben"), ("ann", "ben"),
    ]  # fmt: skip
    assert in_order(replace(plan, gone=frozenset({"ann", "ben"})), since) == ()
