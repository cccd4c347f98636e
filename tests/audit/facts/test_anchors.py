"""Who vouches for the log from outside, and who could alter it: T-28 and T-46 from entries of the log alone."""

from collections import Counter
from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.facts.given import Period
from audit.log.anchors import HOUR_MS
from audit.log.guards import EVERY_MS
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, HOUR, MINUTE, Judged, Stream, at, judge

START = at("07-03")
BEGUN = START - 5 * DAY
SOUND: dict[str, Any] = {"alter_rights": 0, "other_writers": 0, "guards_on": 1, "sealing_key_apart": 1}


def of(test: str, log: Stream, hours: int, as_of: int) -> Counter[str]:
    judged = judge(log, period=Period(START, START + hours * HOUR, as_of))
    return Counter(each.result for each in judged.results[test].rows if not each.stand_in)


def witnessed(log: Stream, when: int, *, ok: int = 1) -> None:
    log.say("log.witnessed", when + MINUTE, "process:anchors", witness="w.example", size=9, at=when, ok=ok)


def test_an_hour_is_anchored_by_a_witness_or_by_an_authority_and_else_deviates() -> None:
    log = story.organisation()
    witnessed(log, START + MINUTE)
    log.say(
        "log.timestamped", START + HOUR + 2 * MINUTE, "process:timestamps", size=12, sha256="aa", token_sha256="bb",
        at=START + HOUR + MINUTE, authority="CN=Times",
    )  # fmt: skip
    witnessed(log, START + 2 * HOUR + MINUTE, ok=0)
    assert of("T-28", log, 4, START + 3 * HOUR + MINUTE) == {"pass": 2, "deviation": 1, "open": 1}
    assert of("T-28", log, 4, START + 4 * HOUR + 1) == {"pass": 2, "deviation": 2}


def test_an_hour_in_which_the_lock_of_what_is_published_was_read_back_is_anchored() -> None:
    log = story.organisation()
    for hour, ok in enumerate((1, 0, 1)):
        when = START + hour * HOUR + MINUTE
        log.say(
            "log.lock_read_back", when, "process:anchors", size=256, at=when, mode="COMPLIANCE", until=when + DAY, ok=ok
        )  # fmt: skip
    assert of("T-28", log, 4, START + 4 * HOUR + 1) == {"pass": 2, "deviation": 2}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("log.not_witnessed", {"witness": "w.example"}),
        ("log.timestamp_failed", {"sentence": "The timestamp authority does not answer."}),
        ("log.lock_read_back", {"size": 256, "at": START, "ok": 0, "sentence": "It is not locked."}),
    ],
)
def test_who_is_listed_and_never_vouched_is_a_deviation_and_where_nobody_is_listed_it_is_not_decided(
    name: str, fields: dict[str, Any]
) -> None:
    log = story.organisation()
    assert of("T-28", log, 2, START + DAY) == {"inconclusive": 2}
    log.say(name, START + MINUTE, "process:anchors", **fields)
    assert of("T-28", log, 2, START + DAY) == {"deviation": 2}


def checked(log: Stream, when: int, **other: Any) -> None:
    log.say("log.guards_checked", when, "process:guards", store="database", found=[], **{**SOUND, **other})


def guards(log: Stream, days: int = 3) -> list[tuple[str, str]]:
    period = Period(START, START + days * DAY, START + days * DAY)
    judged: Judged = judge(log, period=period)
    return [(each.id, each.result) for each in judged.results["T-46"].rows if not each.stand_in]


def test_a_store_is_looked_at_in_each_slot_and_the_worst_look_of_a_slot_counts() -> None:
    log = story.organisation()
    assert guards(log) == []
    checked(log, START)
    checked(log, START + DAY + HOUR, alter_rights=1)
    checked(log, START + DAY + 2 * HOUR)
    assert guards(log) == [
        (f"guard:database:{START + DAY}", "pass"), (f"guard:database:{START + 2 * DAY}", "deviation"),
    ]  # fmt: skip
    assert guards(log, 4) == [*guards(log), (f"guard:database:{START + 3 * DAY}", "deviation")], "missed"


def test_what_a_look_found_on_the_last_day_is_of_this_period_and_what_one_found_later_of_the_next() -> None:
    log = story.organisation()
    checked(log, START + 20 * HOUR, alter_rights=1)
    assert guards(log, 1) == [(f"guard:database:{START + DAY + 20 * HOUR}", "deviation")], "due after the period"
    following = Period(START + DAY, START + 2 * DAY, START + 2 * DAY)
    assert judge(log, period=following).rows("T-46") == {}, "in one pack only"
    log = story.organisation()
    checked(log, START + 20 * HOUR)
    checked(log, START + DAY + HOUR, alter_rights=1)
    end = START + DAY
    assert judge(log, period=Period(START, end, end + 2 * HOUR)).results["T-46"].result == "pass"
    assert guards(log, 2) == [(f"guard:database:{end + 20 * HOUR}", "deviation")]


@pytest.mark.parametrize(
    ("found", "result"),
    [
        ({}, "pass"), ({"other_writers": 1}, "deviation"), ({"guards_on": 0}, "deviation"), ({"sealing_key_apart": 0}, "deviation"),
        ({"alter_rights": None, "other_writers": None}, "inconclusive"),
    ],
)  # fmt: skip
def test_what_a_look_found_is_judged(found: dict[str, Any], result: str) -> None:
    log = story.organisation()
    checked(log, START, **found)
    assert [each for _, each in guards(log, 2)] == [result]


def test_what_is_recorded_is_recorded_often_enough() -> None:
    parameters = load_catalogue().parameters
    assert parameters["anchor_minutes"].value * MINUTE >= HOUR_MS
    assert parameters["guard_check_hours"].value * HOUR >= 2 * EVERY_MS
