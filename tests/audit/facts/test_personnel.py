"""What personnel lists leave behind: when somebody left or moved (T-25), and whether a list was taken when one was due."""

from typing import Any

import pytest

from audit.facts.given import Period
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, HOUR, Judged, Stream, at, judge

WENT = at("08-10")
RULE: dict[str, Any] = {"narrows": 1, "changed_by": "pia", "effective_at": WENT}


def taken(log: Stream, *days: str) -> Stream:
    for day in days:
        when = at(day)
        log.say(
            "personnel.imported", when + HOUR, "pia", list_id=day, sha256="s", query="q", taken_at=when, rows=9, joiners=0, movers=0,
            leavers=1, people=9,
        )  # fmt: skip
    return log


def every_month() -> Stream:
    return taken(story.organisation(), "06-25", "07-20", "08-10", "09-15")


def ended(log: Stream, person: str, after: int) -> None:
    """What stood for somebody ended so long after they went."""
    for event, name in (("role.granted", "role.ended"), ("eligibility.granted", "eligibility.revoked")):
        fields = log.find(event, person_id=person)["fields"]
        kept = {
            key: fields[key]
            for key in ("role_id", "role", "eligibility_id", "privilege_id", "system_id", "person_id")
            if key in fields
        }
        kept["ended_at" if name == "role.ended" else "revoked_at"] = WENT + after
        log.say(name, WENT + after, "pia", cause="left", **kept, **RULE)


@pytest.mark.parametrize(
    ("after", "result"), [(0, "pass"), (24 * HOUR, "pass"), (25 * HOUR, "deviation"), (None, "deviation")]
)
def test_leaver_who_kept_something_for_longer_than_a_day_is_a_deviation(after: int | None, result: str) -> None:
    log = every_month()
    log.say("person.left", WENT, "pia", person_id="ann", left_at=WENT, list_id="08-10")
    if after is not None:
        ended(log, "ann", after)
    assert judge(log).rows("T-25") == {"ann": result}


@pytest.mark.parametrize(("hours", "result"), [(24, "pass"), (25, "deviation")])
def test_mover_loses_lists_within_a_day(hours: int, result: str) -> None:
    log = every_month()
    listed = log.find("eligibility.granted", person_id="ann")["fields"]
    kept = {key: listed[key] for key in ("eligibility_id", "privilege_id", "system_id", "person_id")}
    log.say("person.moved", WENT + HOUR, "pia", person_id="ann", moved_at=WENT, unit="Sales", before="Operations")
    log.say("eligibility.shortened", WENT + HOUR, "pia", expires_at=WENT + hours * HOUR, **kept, **RULE)
    judged = judge(log)
    assert judged.rows("T-25") == {"ann": result}
    assert [each["moved_at"] for each in judged.facts("people") if each["id"] == "ann"] == [WENT]


def answered(judged: Judged) -> list[int]:
    return [
        each["answered"]
        for each in sorted(judged.facts("feeds"), key=lambda row: row["to_at"])
        if each["kind"] == "personnel"
    ]


@pytest.mark.parametrize(
    ("days", "slots"),
    [
        ((), [0]),
        (("07-20", "08-10", "09-15"), [1, 1]),
        (("08-10",), [1, 0]),
        (("06-25",), [0, 0]),
    ],
)
def test_list_is_due_every_month_counted_from_the_end_of_the_period(days: tuple[str, ...], slots: list[int]) -> None:
    assert answered(judge(taken(story.organisation(), *days))) == slots


@pytest.mark.parametrize(("day", "slots"), [("08-20", [1]), ("07-20", [0])])
def test_period_that_is_shorter_than_a_month_looks_back_a_whole_one(day: str, slots: list[int]) -> None:
    period = Period(at("09-01"), at("09-11"), at("09-11") + DAY)
    assert answered(judge(taken(story.organisation(), day), period=period)) == slots
