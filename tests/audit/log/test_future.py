"""What says that it was written in the future silences nobody who asks when something was done last."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from audit.events.spec import LATEST
from audit.log import anchors
from audit.log.append import append, clock, now_ms, process
from audit.log.read import SKEW_MS, last_named, last_named_of, last_one_named

YEAR_MS = 365 * 86_400_000
NAME, SUBJECT = "log.timestamped", "checkpoint:1"
READERS: dict[str, Callable[[], Any]] = {
    "last_named": lambda: next(iter(last_named([NAME])), None),
    "last_one_named": lambda: last_one_named([NAME]),
    "last_named_of": lambda: last_named_of(SUBJECT, [NAME]),
}


def stamped(at: int) -> None:
    said = {"size": 1, "sha256": "00", "token_sha256": "00", "at": 0, "authority": "x"}
    with transaction.atomic(), clock(lambda: at):
        append(NAME, by=process("timestamps"), subject=SUBJECT, **said)


@pytest.mark.django_db
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("ahead", [SKEW_MS + 60_000, YEAR_MS])
def test_an_event_of_the_future_is_not_the_last(reader: str, ahead: int) -> None:
    now = now_ms()
    stamped(now + ahead)
    assert READERS[reader]() is None
    stamped(now)
    stamped(now + ahead)
    found = READERS[reader]()
    assert (found is not None and found.at) == now
    with clock(lambda: now + ahead):
        assert READERS[reader]().at == now + ahead
    assert [each.at for each in last_named([NAME], 5, LATEST)] == [now, now + ahead, now + ahead]


@pytest.mark.django_db
@pytest.mark.parametrize("reader", READERS)
def test_a_clock_that_is_a_little_ahead_is_believed(reader: str) -> None:
    now = now_ms()
    stamped(now + SKEW_MS - 60_000)
    assert READERS[reader]().at == now + SKEW_MS - 60_000


def test_a_witness_is_on_record_again_after_an_hour_whatever_time_its_record_claims() -> None:
    now = 100 * anchors.HOUR_MS + 5
    told = [
        anchors._is_new(anchors.Newest(7, now, ok=True), size, at, now)
        for size, at in [(6, now - 5), (6, now - 6), (7, now - 6), (6, now + YEAR_MS)]
    ]
    assert told == [False, True, False, True]
