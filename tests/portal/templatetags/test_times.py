"""Times in UTC, lengths in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.template import Context, Template

from portal.templatetags.times import duration, minutes, moment

AT = datetime(2026, 11, 4, 7, 5, 9, 120_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "same",
    [AT, AT.astimezone(timezone(timedelta(hours=9))), int(AT.timestamp() * 1000)],
    ids=["utc", "tokyo", "milliseconds"],
)
def test_moment_is_the_same_however_it_is_given(same: datetime | int) -> None:
    assert moment(same) == '<time datetime="2026-11-04T07:05:09.120Z" data-moment>4 Nov 2026, 07:05 UTC</time>'


def test_moment_shows_seconds_when_asked() -> None:
    assert moment(AT, seconds=True).endswith(' data-seconds="yes">4 Nov 2026, 07:05:09 UTC</time>')


def test_moment_unknown_is_a_dash_that_is_read_as_none() -> None:
    assert '<span aria-hidden="true">—</span><span class="visually-hidden">none</span>' in moment(None)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "—"),
        (0, "0 s"),
        (-5, "0 s"),
        (45, "45 s"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (5_400, "1 h 30 min"),
        (timedelta(hours=24), "1 d"),
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h"),
        (timedelta(milliseconds=900), "0 s"),
    ],
)
def test_duration_in_words(value: timedelta | int | None, words: str) -> None:
    assert duration(value) == words


@pytest.mark.parametrize(("value", "words"), [(1, "1 minute"), (60, "60 minutes"), (0, "0 minutes"), (None, "—")])
def test_minutes_in_words(value: int | None, words: str) -> None:
    assert minutes(value) == words


@pytest.mark.parametrize(
    ("left", "shown", "classes"),
    [
        (timedelta(minutes=42), "42 min", "countdown"),
        (timedelta(seconds=90), "1 min 30 s", "countdown is-near"),
        (timedelta(), "Closed", "countdown is-over"),
        (timedelta(seconds=-1), "Closed", "countdown is-over"),
    ],
)
def test_countdown_is_right_as_served(left: timedelta, shown: str, classes: str) -> None:
    page = Template('{% load times %}{% countdown until over="Closed" %}')
    with time_machine.travel(AT, tick=False):
        served = page.render(Context({"until": AT + left}))
    assert f'<p class="{classes}"' in served
    assert f'<span class="countdown-left" data-left>{shown}</span>' in served
    assert 'data-served="2026-11-04T07:05:09.120Z"' in served
