"""Time travel over more than a year, by dates alone: every duty falls due once, and reminders neither flood nor miss."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.campaigns.cadence import LEAD, Last, Owed, closes_at, is_missed, mark_of, next_owed

STEP = timedelta(hours=1)
VIENNA = ZoneInfo("Europe/Vienna")
BEGINNINGS = {
    "month's end": datetime(2027, 8, 31, 23, 30, tzinfo=UTC),
    "leap day": datetime(2027, 12, 1, 0, 0, tzinfo=UTC),  # 90 days later is 29 Feb 2028
    "clocks go forward": datetime(2027, 12, 28, 1, 30, tzinfo=UTC),  # 90 days later is 27 Mar, a day after 26 Mar 2028
    "clocks go back": datetime(2028, 7, 31, 0, 30, tzinfo=UTC),  # 90 days later is 29 Oct 2028, 01:30 twice in Vienna
}
# How long after its beginning a campaign is closed; None: never.
HABITS = {"at once": timedelta(0), "in time": timedelta(days=10), "late": LEAD + timedelta(days=5), "never": None}


def year(began: datetime, every: timedelta, habit: timedelta | None) -> tuple[list[Owed], dict[datetime, list[str]]]:
    """What a sweep each hour for 400 days sets, and which reminders it sends for each; from the pure rules alone."""
    owed: list[Owed] = []
    listed: dict[int, datetime] = {}
    closed: dict[int, datetime] = {}
    marks: dict[datetime, list[str]] = {}
    at = began
    while at <= began + timedelta(days=400):
        last = Last(owed[-1].due_at, closed.get(len(owed) - 1)) if owed else None
        found = next_owed(began, last, every, at)
        if found:
            owed.append(found)
        for number, each in enumerate(owed):
            if number not in listed and each.starts_at <= at and all(one in closed for one in listed):
                listed[number] = at
            if number in listed and number not in closed:
                mark = mark_of(listed[number], closes_at(each.due_at, listed[number]), at)
                if mark and mark not in marks.setdefault(each.due_at, []):
                    marks[each.due_at].append(mark)
                if habit is not None and at >= listed[number] + habit:
                    closed[number] = at
        at += STEP
    return owed, marks


@pytest.mark.parametrize("days", [30, 90])
@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("began", BEGINNINGS)
def test_each_duty_falls_due_once_and_none_is_left_out(began: str, habit: str, days: int) -> None:
    every, start = timedelta(days=days), BEGINNINGS[began]
    owed, marks = year(start, every, HABITS[habit])
    dues = [each.due_at for each in owed]
    assert len(set(dues)) == len(dues)
    assert all(each.days_since_previous == days and each.due_at - each.starts_at == LEAD for each in owed)
    # Whoever closes early is asked again earlier; whoever never does is asked at the same rhythm. No stretch is longer than the interval,
    # but for what was closed late: that counts from its end.
    gaps = [later - earlier for earlier, later in zip([start, *dues], dues, strict=False)]
    longest = every + (max(HABITS[habit] or LEAD, LEAD) - LEAD) + STEP
    assert max(gaps) <= longest
    assert dues[-1] > start + timedelta(days=400)
    for sent in marks.values():
        assert len(set(sent)) == len(sent)
        assert [each for each in sent if not each.startswith("after")] == ["half", "at"][
            : sum(not each.startswith("after") for each in sent)
        ]
        late = [int(each.removeprefix("after-")) for each in sent if each.startswith("after")]
        assert late == list(range(1, len(late) + 1))  # one each day, none twice, none left out


def test_interval_is_whole_days_of_utc_whatever_local_clocks_do() -> None:
    start = BEGINNINGS["clocks go back"]
    found = next_owed(start, None, timedelta(days=90), start)
    assert found is not None
    assert found.due_at == datetime(2028, 10, 29, 0, 30, tzinfo=UTC)
    assert (start.astimezone(VIENNA).hour, found.due_at.astimezone(VIENNA).hour) == (2, 2)
    leap = next_owed(BEGINNINGS["leap day"], None, timedelta(days=90), BEGINNINGS["leap day"])
    assert leap is not None
    assert leap.due_at == datetime(2028, 2, 29, tzinfo=UTC)


MOMENTS = st.datetimes(datetime(2027, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
LONG = st.timedeltas(timedelta(0), timedelta(days=60))


@settings(max_examples=30)  # each walks over more than a year
@given(
    start=MOMENTS,
    every=st.sampled_from([30, 90]),
    habits=st.lists(st.one_of(st.none(), LONG), min_size=1, max_size=14),
    pause=LONG,
)
def test_over_a_year_exactly_what_was_not_done_by_its_time_is_missed_and_once(
    start: datetime, every: int, habits: list[timedelta | None], pause: timedelta
) -> None:
    """Each campaign closes as its habit says, and the sweep looks as seldom as it likes."""
    owed: list[Owed] = []
    closed: list[datetime | None] = []
    missed: list[int] = []
    at, end = start, start + timedelta(days=400)
    while at <= end:
        found = next_owed(
            start, Last(owed[-1].due_at, _by(closed[-1], at)) if owed else None, timedelta(days=every), at
        )
        if found:
            habit = habits[len(owed) % len(habits)]
            owed.append(found)
            closed.append(None if habit is None else max(at, found.starts_at) + habit)
        missed += [
            number
            for number, each in enumerate(owed)
            if number not in missed and is_missed(each.due_at, _by(closed[number], at), at)
        ]
        at += pause + timedelta(minutes=1)
    last = at - pause - timedelta(minutes=1)
    late = [n for n, each in enumerate(owed) if each.due_at < last and not (closed[n] and closed[n] <= each.due_at)]  # type: ignore[operator]  # asked first
    assert (sorted(missed), len(missed)) == (late, len(set(missed)))


def _by(closed: datetime | None, at: datetime) -> datetime | None:
    """What is known of a closing at a time."""
    return closed if closed is not None and closed <= at else None
