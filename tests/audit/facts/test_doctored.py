"""What the portal forbids, told as events and sealed: the tests of the catalogue find each of them, and only there."""

from collections.abc import Callable

import pytest

from audit.log.ranges import Entry
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, HOUR, MINUTE, Stream, at, judge, seal

START = at("07-03", "02:00")
EXACT = (
    "T-02",
    "T-05",
    "T-07",
    "T-08",
    "T-09",
    "T-10",
    "T-12",
    "T-15",
    "T-20",
    "T-22",
    "T-29",
    "T-37",
    "T-45",
    "T-48",
    "T-32",
)
Doctor = Callable[[Stream], object]


def _opened_before_approval(log: Stream) -> None:
    log.find("request.approved", case="C1")["at"] = START + 20 * MINUTE
    log.find("request.approved", case="C1")["strong_at"] = START + 19 * MINUTE


def _approved_own_request(log: Stream) -> None:
    story.approve(log, "C1", START + 4 * MINUTE, by="ann")
    log.bodies[-1]["fields"]["approval_id"] = "own"


def _reason_copied(log: Stream) -> None:
    log.find("request.made", case="C1")["fields"]["reason_repeats"] = 1


def _never_listed(log: Stream) -> None:
    log.drop("eligibility.granted", eligibility_id="E-ann")


def _put_on_the_list_by_oneself(log: Stream) -> None:
    log.find("eligibility.granted", eligibility_id="E-ann")["fields"]["granted_by"] = "ann"


def _end_moved_without_extension(log: Stream) -> None:
    log.find("grant.activated", case="C1")["fields"]["expires_at"] = START + 6 * MINUTE + 61 * MINUTE


def _extended_by_the_responder(log: Stream) -> None:
    log.say(
        "grant.extended", START + 20 * MINUTE, "ann", case="C1", grant_id="G-C1", extension_id="X", minutes=10,
        expires_at=START + 76 * MINUTE, asked_by="ann", approved_by="ann",
    )  # fmt: skip


def _removal_confirmed_late(log: Stream) -> None:
    for name in ("grant.read_back", "grant.ended"):
        event = log.find(name, case="C1")
        event["at"] = START + 57 * MINUTE
        event["fields"]["read_at" if name == "grant.read_back" else "confirmed_at"] = START + 57 * MINUTE


def _removal_never_confirmed(log: Stream) -> None:
    log.drop("grant.read_back", case="C1")
    log.drop("grant.ended", case="C1")


def _removal_read_from_the_portal(log: Stream) -> None:
    log.find("grant.read_back", case="C1")["fields"]["read_back_from"] = "portal"


def _acted_after_the_end(log: Stream) -> None:
    story.act(log, "C1", 9, START + 87 * MINUTE, "schema_change")


def _approved_with_an_old_sign_in(log: Stream) -> None:
    log.find("request.approved", case="C1")["strong_at"] = START - HOUR


def _revealed_without_a_second_factor(log: Stream) -> None:
    revealed = log.find("grant.revealed", case="C1")
    del revealed["method"], revealed["strong_at"]


def _reviewed_four_days_late(log: Stream) -> None:
    log.find("review.submitted", case="C1")["at"] = START + 4 * DAY
    log.find("review.submitted", case="C1")["strong_at"] = START + 4 * DAY


def _reviewed_before_the_end(log: Stream) -> None:
    log.find("review.submitted", case="C1")["at"] = START + 30 * MINUTE
    log.find("review.submitted", case="C1")["strong_at"] = START + 30 * MINUTE


def _attested_late(log: Stream) -> None:
    closed = log.find("campaign.closed")
    closed["fields"]["closed_at"] = closed["at"] = at("08-29")
    closed["strong_at"] = closed["at"]


def _decided_by_a_stranger(log: Stream) -> None:
    log.find("campaign.item_decided", item_id="K1-ann")["by"] = "kim"


def _decided_unseen(log: Stream) -> None:
    log.drop("campaign.item_shown", item_id="K1-ann")


def _records_missing(log: Stream) -> None:
    log.find("completeness.judged", case="C1")["fields"]["verdict"] = "gap"


def _opened_though_declined(log: Stream) -> None:
    log.say("request.declined", START + 3 * MINUTE, "jon", case="C1", approval_id="no", comment="no")


def _bypass_upheld_by_nobody(log: Stream) -> None:
    log.find("review.submitted", case="C2")["fields"]["emergency_upheld"] = 0


def _bypass_by_another_criterion(log: Stream) -> None:
    log.find("request.made", case="C2")["fields"]["criterion"] = "convenience"


def _judged_by_other_rules(log: Stream) -> None:
    log.find("request.made", case="C1")["fields"]["policy_sha256"] = "00"


def _policy_approved_by_its_writer(log: Stream) -> None:
    log.find("policy.approved")["fields"]["approved_by"] = "pia"


def _role_given_by_one_person(log: Stream) -> None:
    story.grant_role(log, "hana", "reviewer", at("07-04"))
    log.bodies[-1]["fields"]["approved_by"] = "pia"


DOCTORED: list[tuple[Doctor, dict[str, set[str]]]] = [
    (_opened_before_approval, {"T-02": {"G-C1"}}),
    (_approved_own_request, {"T-02": {"G-C1"}}),
    (_reason_copied, {"T-05": {"C1"}}),
    (_never_listed, {"T-07": {"G-C1"}}),
    (_put_on_the_list_by_oneself, {"T-07": {"G-C1"}}),
    (_end_moved_without_extension, {"T-08": {"G-C1"}}),
    (_extended_by_the_responder, {"T-08": {"G-C1"}}),
    (_removal_confirmed_late, {"T-09": {"G-C1"}}),
    (_removal_never_confirmed, {"T-09": {"G-C1"}}),
    (_removal_read_from_the_portal, {"T-09": {"G-C1"}}),
    (_acted_after_the_end, {"T-10": {"C1-a9"}}),
    (_approved_with_an_old_sign_in, {"T-12": {"approve"}}),
    (_revealed_without_a_second_factor, {"T-12": {"reveal"}}),
    (_reviewed_four_days_late, {"T-15": {"G-C1"}}),
    (_reviewed_before_the_end, {"T-15": {"G-C1"}}),
    (_attested_late, {"T-20": {"D-K1"}}),
    (_decided_by_a_stranger, {"T-22": {"K1-ann"}}),
    (_decided_unseen, {"T-22": {"K1-ann"}}),
    (_records_missing, {"T-29": {"C1-window"}}),
    (_opened_though_declined, {"T-37": {"declined"}}),
    (_bypass_upheld_by_nobody, {"T-45": {"G-C2"}}),
    (_bypass_by_another_criterion, {"T-45": {"G-C2"}}),
    (_judged_by_other_rules, {"T-48": {"C1"}}),
    (_policy_approved_by_its_writer, {"T-48": {"C1", "C2"}}),
    (_role_given_by_one_person, {"T-32": {"role"}}),
]


@pytest.mark.parametrize(("doctor", "expected"), DOCTORED, ids=[doctor.__name__.strip("_") for doctor, _ in DOCTORED])
def test_doctored_log_gives_exactly_its_deviations(doctor: Doctor, expected: dict[str, set[str]]) -> None:
    log = story.quarter()
    doctor(log)
    judged = judge(log)
    kinds = {row["id"]: row["kind"] for table in ("acts", "refusals", "rule_changes") for row in judged.facts(table)}
    found = {
        name: {kinds.get(row, row) for row, result in judged.rows(name).items() if result == "deviation"}
        for name in EXACT
    }
    assert {name: rows for name, rows in found.items() if rows} == expected
    assert judged.results["T-27"].result == "pass"


def _changed_byte(entries: list[Entry]) -> None:
    body = entries[20].body.replace(b'"at":1', b'"at":2', 1)
    assert body != entries[20].body
    entries[20] = Entry(20, body)


def _left_out(entries: list[Entry]) -> None:
    del entries[20]


def _swapped(entries: list[Entry]) -> None:
    entries[20], entries[21] = Entry(20, entries[21].body), Entry(21, entries[20].body)


@pytest.mark.parametrize("tamper", [_changed_byte, _left_out, _swapped])
def test_log_that_was_changed_after_sealing_does_not_verify(tamper: Callable[[list[Entry]], None]) -> None:
    entries = story.quarter().entries()
    sealed = seal(entries)
    assert {each.ok for each in sealed} == {True}
    changed = list(entries)
    tamper(changed)
    judged = judge(Stream(), entries=changed, ranges=seal(entries, against=changed))
    assert judged.results["T-27"].result == "deviation"
    assert {row for row, result in judged.rows("T-27").items() if result == "deviation"} >= {"000000001"}
