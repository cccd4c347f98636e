"""Retention, as evidence sees it: bundles that are there, cuts, and personal values whose time came."""

from dataclasses import replace
from typing import Any

import pytest

from audit.events.retention import DAY_MS
from tests.audit.facts import story
from tests.audit.facts.stream import PERIOD, Stream, at, judge, seal

CUT: dict[str, Any] = {
    "cut_id": "K", "minimum_index": 0, "from_index": 0, "from_at": at("07-02") - 3000 * DAY_MS, "to_at": at("07-02") - 2900 * DAY_MS,
    "asked_by": "pia", "approved_by": "quinn", "reason": "r",
}  # fmt: skip


def test_bundles_that_verify_are_kept_and_a_damaged_one_is_not() -> None:
    log = story.quarter()
    found = judge(log)
    assert (found.results["T-33"].result, set(found.rows("T-33").values())) == ("pass", {"pass"})
    bundles = {key for key in found.rows("T-33") if key.startswith("entries:")}
    reviews = {body["fields"]["review_id"] for body in log.bodies if body["name"] == "review.submitted"}
    assert (len(bundles), len(reviews) > 0) == (-(-len(log.bodies) // 256), True)
    assert found.rows("T-33").keys() - bundles == {f"review:{each}" for each in reviews}
    stored = log.entries()
    wrong = [replace(stored[0], body=stored[0].body.replace(b'"v":1', b'"v":2', 1)), *stored[1:]]
    assert (
        judge(log, entries=wrong, ranges=seal(stored, as_of=PERIOD.as_of, against=wrong)).rows("T-33")[
            "entries:000000000000"
        ]
        == "deviation"
    )


def test_a_review_whose_entry_was_altered_is_not_kept() -> None:
    log = story.quarter()
    stored = log.entries()
    place = max(
        each.index for each in stored if b'"review.submitted"' in each.body
    )  # without tiles, none after it verifies
    wrong = [
        replace(each, body=each.body.replace(b'"v":1', b'"v":2', 1)) if each.index == place else each for each in stored
    ]
    found = judge(log, entries=wrong, ranges=seal(stored, as_of=PERIOD.as_of, every=1, against=wrong)).rows("T-33")
    assert [result for key, result in found.items() if key.startswith("review:")].count("deviation") == 1


@pytest.mark.parametrize(("done", "result"), [(DAY_MS, "pass"), (60 * DAY_MS, "deviation"), (None, "deviation")])
def test_what_is_personal_in_cut_entries_goes_soon_after_the_log_said_so(done: int | None, result: str) -> None:
    log, when = story.quarter(), at("07-02")
    log.say("log.cut", when, "process:eraser", keep_until=when, **CUT)
    if done:
        log.say(
            "cut.done", when + done, "process:eraser", cut_id="K", minimum_index=0, asked_by="pia", approved_by="quinn", entries=1, values=1, cases=0,
            stayed=0,
        )  # fmt: skip
    assert judge(log).rows("T-47") == {"cut:K": result}


@pytest.mark.parametrize(("early", "result"), [(0, "pass"), (DAY_MS, "deviation")])
def test_a_cut_is_right_after_what_was_promised_and_wrong_before(early: int, result: str) -> None:
    log, when = story.quarter(), at("08-02")
    promised = CUT["to_at"] + 2555 * DAY_MS if not early else when + early
    log.say("log.cut", when, "process:eraser", keep_until=promised, **CUT)
    assert judge(log).rows("T-33")["cut:K"] == result


@pytest.mark.parametrize(
    ("ended", "result"),
    [("kept", "deviation"), ("expired", "pass"), ("erased", "pass"), ("held", "pass"), ("longer", None)],
)
def test_personal_values_go_when_their_time_has_come_or_are_held(ended: str, result: str | None) -> None:
    log, due = Stream(), at("07-20")
    log.say("search.removed", due - 400 * DAY_MS - 1, "process:x", search_id="none", list="cases")
    value = log.say(
        "search.saved", due - 400 * DAY_MS, "process:x", search_id="s", list="cases", name="n", query="q", shared=0
    )
    if ended == "expired":
        log.say(
            "personal_values.expired",
            due + DAY_MS,
            "process:eraser",
            kind="signins",
            before=due,
            event_ids=[str(value)],
        )
    elif ended == "erased":
        for field in ("name", "query"):
            log.say(
                "personal_value.erased", due + DAY_MS, "process:eraser", event_id=str(value), field=field, basis="asked"
            )
    elif ended == "held":
        log.say("hold.set", due - DAY_MS, "process:x", hold_id="H", person_id="process:x", reason="r")
    elif ended == "longer":
        log.say("retention.set", due, "process:eraser", terms={"signins": 9000})
    assert judge(log).rows("T-47") == ({} if result is None else {str(value): result})


def test_values_that_are_kept_as_long_as_their_entries_are_no_rows() -> None:
    log, due = Stream(), at("07-20")
    written = due - 3000 * DAY_MS
    log.say("retention.set", written, "process:eraser", terms={"signins": 3000})
    log.say("search.saved", written, "process:x", search_id="s", list="cases", name="n", query="q", shared=0)
    assert judge(log).rows("T-47") == {}
