"""Events folded into facts: each act gives exactly its rows, and nothing personal among them."""

import json
from typing import Any

import pytest

from audit.facts.fold import CannotFold, fold_entry, readable, undeclared
from audit.facts.fold.entry import entry_of
from audit.facts.fold.state import Facts
from audit.facts.given import Period
from audit.log.canonical import encode
from audit.log.ranges import Entry
from tests.audit.controls.fixture_rows import base, row
from tests.audit.facts import story
from tests.audit.facts.everything import everything
from tests.audit.facts.stream import DAY, HOUR, MINUTE, PERIOD, Judged, at, judge

START = at("07-03", "02:00")
# What a quarter in which all went well gives where every fact is fed.
EXACT = dict.fromkeys(
    ("T-02", "T-05", "T-07", "T-08", "T-09", "T-10", "T-12", "T-15", "T-20", "T-22", "T-27", "T-29", "T-37", "T-45", "T-48"),
    "pass",
)  # fmt: skip


@pytest.fixture(scope="module")
def quarter() -> Judged:
    return judge(story.quarter())


def test_every_event_is_folded_or_named_as_no_fact() -> None:
    assert undeclared() == set()


def test_quarter_in_which_all_went_well_passes_where_facts_are_fed(quarter: Judged) -> None:
    assert {name: quarter.results[name].result for name in EXACT} == EXACT
    assert all(quarter.results[name].population_count for name in EXACT)


def test_tests_of_facts_that_nothing_feeds_are_not_decided(quarter: Judged) -> None:
    names = ("T-30", "T-41", "T-42")
    assert {name: quarter.results[name].result for name in names} == dict.fromkeys(names, "inconclusive")


def test_second_look_is_judged_and_timed_as_the_first_and_whoever_judged_first_had_a_hand_in_it() -> None:
    told = judge(everything())
    (review,) = [each for each in told.facts("reviews") if each["id"] == "C1-review"]
    assert (review["reviewer_id"], review["second_reviewer_id"], review["second_agrees"]) == ("kim", "lea", 0)
    assert review["second_due_at"] == review["second_submitted_at"] + DAY
    (judgement,) = [each for each in told.facts("judgements") if each["id"] == "C1-review:second"]
    assert judgement["judge_id"] == "lea"
    assert {"ann", "kim"} <= set(json.loads(judgement["involved_ids"]))
    (sitting,) = [each for each in told.facts("sittings") if each["id"] == "C1-review:second"]
    assert (sitting["judge_id"], sitting["active_seconds"]) == ("lea", 90)


def test_same_entries_give_the_same_facts(quarter: Judged) -> None:
    again = judge(story.quarter())
    assert "\n".join(again.db.iterdump()) == "\n".join(quarter.db.iterdump())


def test_facts_hold_no_personal_value(quarter: Judged) -> None:
    dump = "\n".join(quarter.db.iterdump())
    bodies = story.quarter().bodies
    assert any("name" in body["personal"] for body in bodies)
    assert [word for word in ("example.org", "Disk full", "invoices") if word in dump] == []


SAME = {"G-BG-01": "BG-01", "write": "billing-emergency", "aa": "sha-P-billing", "dd": "sha-statement"}
COMPARED = {
    "requests": ("BG-01", "BG-01"),
    "approvals": ("BG-01-approval", "BG-01-approval"),
    "grants": ("BG-01", "G-BG-01"),
    "reviews": ("BG-01-review", "BG-01-review"),
    "judgements": ("BG-01-judgement", "BG-01-review"),
    "source_windows": ("BG-01-window", "BG-01-window"),
    "activities": ("BG-01-a2", "BG-01-a2"),
    "eligibilities": ("E-ann-billing", "E-ann"),
}
# Not part of what the story and the fixture both tell: keys, a chosen object, and counts over the whole quarter.
APART = {
    "id",
    "object",
    "granted_at",
    "granted_by",
    "expires_at",
    "uses",
    "days_since_use_or_drill",
    "due_at",
    "received_at",
}


@pytest.mark.parametrize("table", COMPARED)
def test_use_of_the_fixtures_told_as_events_gives_the_same_rows(table: str) -> None:
    log = story.organisation()
    story.approved_use(log, "BG-01", START)
    expected_key, folded_key = COMPARED[table]
    expected = row(table, expected_key, base()["rows"][table][expected_key])
    found = judge(log).fact(table, folded_key)
    if table == "judgements":
        found["involved_ids"], expected["involved_ids"] = found["involved_ids"], '["ann","ines"]'
    shared = (expected.keys() & found.keys()) - APART
    assert {name: SAME.get(found[name], found[name]) for name in shared} == {
        name: _json(expected[name]) for name in shared
    }
    assert len(shared) >= 4


def _json(value: Any) -> Any:
    return "[" + ",".join(f'"{each}"' for each in value) + "]" if isinstance(value, list) else value


def test_extension_adds_its_minutes_to_the_end() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    log.say(
        "grant.extended", START + 20 * MINUTE, "jon", case="C", grant_id="G-C", extension_id="X", minutes=30,
        expires_at=START + 96 * MINUTE, asked_by="ann", approved_by="jon",
    )  # fmt: skip
    judged = judge(log)
    assert judged.fact("extensions", "X") == {
        "id": "X", "grant_id": "G-C", "at": START + 20 * MINUTE, "minutes": 30, "approved_by": "jon",
    }  # fmt: skip
    grant = judged.fact("grants", "G-C")
    assert (grant["first_expires_at"], grant["expires_at"]) == (START + 66 * MINUTE, START + 96 * MINUTE)
    assert judged.rows("T-08") == {"G-C": "pass"}


def test_grant_that_never_opened_is_no_use() -> None:
    log = story.organisation()
    story.ask(log, "C", START)
    known: dict[str, Any] = {"grant_id": "G-C", "person_id": "ann", "system_id": "billing", "privilege_id": "write"}
    log.say(
        "grant.authorised",
        START,
        story.OPENER,
        case="C",
        number=1,
        mode="approved",
        minutes=60,
        policy_sha256="aa",
        exposes_secret=0,
        **known,
    )
    log.say(
        "grant.failed",
        START + MINUTE,
        story.OPENER,
        case="C",
        grant_id="G-C",
        code="unreachable",
        sentence="No answer.",
        ended_at=START + MINUTE,
    )
    judged = judge(log)
    assert judged.fact("grants", "G-C")["end_cause"] == "failed"
    assert judged.fact("requests", "C")["status"] == "failed"
    assert {judged.results[name].population_count for name in ("T-02", "T-09", "T-15")} == {0}


def test_what_a_bypass_owed_counts_until_the_review() -> None:
    log = story.organisation()
    story.bypass_use(log, "C", START)
    log.say("request.supplemented", START + 11 * HOUR, "ben", case="C", category="security", reason_length=200)
    request = judge(log).fact("requests", "C")
    assert (request["category"], request["reason_length"], request["incident_ref"]) == ("availability", 80, "INC-2055")


def test_acts_hold_how_and_when_people_proved_themselves(quarter: Judged) -> None:
    acts = quarter.facts("acts")
    of_case = [
        (act["kind"], act["person_id"], act["auth_method"], act["at"] - act["auth_at"])
        for act in acts
        if act["request_id"]
    ]
    assert sorted(of_case) == [
        ("approve", "ines", "totp", 2 * MINUTE),
        ("open", "ben", "totp", 2 * MINUTE),
        ("reveal", "ann", "totp", 2 * MINUTE),
        ("reveal", "ben", "totp", 2 * MINUTE),
        ("review", "kim", "totp", 2 * MINUTE),
        ("review", "kim", "totp", 2 * MINUTE),
    ]
    others = {act["kind"] for act in acts if act["request_id"] is None}
    assert others == {"attest", "change"}


@pytest.mark.parametrize(
    ("name", "kind", "terminal"),
    [
        ("request.approval_refused", "own approval", 0),
        ("grant.act_refused", "not_allowed", 0),
        ("pack.act_refused", "not_allowed", 0),
    ],
)
def test_refused_act_is_a_refusal(name: str, kind: str, terminal: int) -> None:
    log = story.organisation()
    story.ask(log, "C", START)
    key = log.say(name, START + MINUTE, "ann", case="C", act="approve", code="not_allowed", kind=kind, sentence="No.")
    assert judge(log).fact("refusals", key) == {
        "id": key, "request_id": "C", "kind": kind, "terminal": terminal, "at": START + MINUTE,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["request.declined", "request.lapsed"])
def test_request_that_ended_refused_is_a_terminal_refusal(name: str) -> None:
    log = story.organisation()
    story.ask(log, "C", START)
    fields: dict[str, Any] = (
        {"comment": "no", "approval_id": "A"} if name == "request.declined" else {"asked_at": START}
    )
    key = log.say(name, START + MINUTE, "ines" if name == "request.declined" else story.SWEEP, case="C", **fields)
    judged = judge(log)
    assert judged.fact("refusals", key)["terminal"] == 1
    assert judged.fact("requests", "C")["status"] == name.removeprefix("request.")
    assert judged.rows("T-37") == {key: "pass"}


def test_withdrawn_request_is_no_refusal() -> None:
    log = story.organisation()
    story.ask(log, "C", START)
    log.say("request.withdrawn", START + MINUTE, "ann", case="C")
    judged = judge(log)
    assert judged.facts("refusals") == []
    assert judged.fact("requests", "C")["status"] == "withdrawn"


@pytest.mark.parametrize("later", [0, HOUR])
def test_founding_is_one_change_of_rules_with_two_people(later: int) -> None:
    log = story.organisation()
    log.find("portal.founded")["at"] += later
    changes = judge(log, period=Period(at("05-01"), at("10-01"), at("10-02"))).facts("rule_changes")
    founding = [each for each in changes if each["kind"] == "founding"]
    assert [(each["changed_by"], each["approved_by"]) for each in founding] == [("pia", "quinn")]
    assert [each for each in changes if each["beneficiary_id"] in ("pia", "quinn")] == []


def test_administrator_whom_a_process_made_later_is_a_change_of_rules() -> None:
    log = story.organisation()
    story.grant_role(log, "kim", "administrator", at("07-04"))
    log.bodies[-1]["by"] = "process:founding"
    del log.bodies[-1]["method"], log.bodies[-1]["strong_at"]
    changes = [each for each in judge(log).facts("rule_changes") if each["effective_at"] == at("07-04")]
    assert [(each["kind"], each["beneficiary_id"]) for each in changes] == [("role", "kim")]


def test_new_policy_version_ends_the_one_before() -> None:
    log = story.organisation()
    old = log.find("policy.approved")["fields"]
    log.say(
        "policy.approved",
        at("07-10"),
        "quinn",
        **{**old, "policy_id": "P2", "effective_from": at("07-10"), "effective_at": at("07-10")},
    )
    judged = judge(log)
    assert judged.fact("policies", "P-billing")["effective_to"] == at("07-10")
    assert "effective_to" not in judged.fact("policies", "P2")


def test_finding_keeps_its_first_assignment_and_last_date() -> None:
    log = story.organisation()
    log.say("finding.raised", START, story.SWEEP, finding_id="F", kind="orphan", about_id="S-1", title="Orphan session")
    log.say("finding.assigned", START + DAY, "pia", finding_id="F", owner_id="mo", due_at=START + 9 * DAY)
    log.say(
        "finding.answered",
        START + 2 * DAY,
        "mo",
        finding_id="F",
        cause="x",
        response="y",
        cause_given=1,
        response_given=1,
    )
    log.say("finding.due_moved", START + 3 * DAY, "pia", finding_id="F", due_at=START + 20 * DAY, extended_by="pia")
    log.say("finding.assigned", START + 4 * DAY, "pia", finding_id="F", owner_id="jon", due_at=START + 19 * DAY)
    log.say("finding.closed", START + 5 * DAY, "jon", finding_id="F", retest_ok=1)
    judged = judge(log)
    assert judged.fact("findings", "F") == {
        "id": "F", "subject_id": "S-1", "raised_at": START, "owner_id": "jon", "cause_given": 1, "response_given": 1,
        "assigned_at": START + DAY, "due_at": START + 19 * DAY, "closed_at": START + 5 * DAY, "retest_ok": 1,
        "extended_by": "pia",
    }  # fmt: skip
    assert judged.rows("T-40") == {"F": "pass"}


def test_date_that_came_later_with_another_owner_was_moved_by_whoever_gave_it() -> None:
    log = story.organisation()
    log.say("finding.raised", START, story.SWEEP, finding_id="F", kind="orphan", about_id="S-1", title="Orphan session")
    for day, owner, due in ((1, "mo", 9), (2, "jon", 30), (3, "mo", 30)):
        log.say("finding.assigned", START + day * DAY, "mo", finding_id="F", owner_id=owner, due_at=START + due * DAY)
    said: dict[str, Any] = {"cause": "x", "response": "y", "cause_given": 1, "response_given": 1}
    log.say("finding.answered", START + 4 * DAY, "mo", finding_id="F", **said)
    log.say("finding.closed", START + 5 * DAY, "jon", finding_id="F", retest_ok=1)
    judged = judge(log)
    assert judged.fact("findings", "F")["extended_by"] == "mo"
    assert judged.rows("T-40") == {"F": "deviation"}


def test_alert_counts_as_delivered_when_it_was_seen(quarter: Judged) -> None:
    alert = quarter.fact("alerts", "C1-alert")
    assert alert["delivered_at"] == alert["acknowledged_at"] == alert["sent_at"] + 2 * MINUTE


def test_receipt_of_a_channel_is_the_delivery_and_the_first_one_counts() -> None:
    log = story.organisation()
    told: story.Given = {"alert_id": "A", "recipient_id": "webhook:1", "channel": "webhook", "kind": "grant.opened"}
    log.say("alert.queued", START, "ann", receipts=1, **told)
    for later in (1, 5):  # it left twice
        at = START + later * MINUTE
        log.say("alert.sent", at, "process:outbox", receipts=1, sent_at=at, delivered_at=at, attempts=1, **told)
    log.say("alert.acknowledged", START + 9 * MINUTE, "webhook:1", alert_id="A", recipient_id="webhook:1", over="link")
    alert = judge(log).fact("alerts", "A")
    assert (alert["sent_at"], alert["delivered_at"]) == (START + MINUTE, START + MINUTE)
    assert alert["acknowledged_at"] == START + 9 * MINUTE


def test_activity_without_a_grant_is_tied_to_it_by_its_marker() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    known: dict[str, Any] = {
        "session_id": "late",
        "source_id": "S-billing",
        "system_id": "billing",
        "source_session": "9",
    }
    log.say(
        "session.unmatched",
        START + 2 * HOUR,
        story.GATHER,
        marker="bg_C",
        login="bg_C",
        started_at=START + 2 * HOUR,
        why="grant_over",
        received_at=START,
        **known,
    )
    story.act(log, "C", 9, START + 2 * HOUR, grant_id=None, session_id="late")
    judged = judge(log)
    found = judged.fact("activities", "C-a9")
    assert (found["grant_id"], found["person_id"], found["emergency"]) == ("G-C", "ann", 1)
    assert judged.rows("T-10")["C-a9"] == "deviation"


@pytest.mark.parametrize(("marker", "unmatched", "emergency"), [(None, False, 0), ("bg_77", False, 1), (None, True, 1)])
def test_activity_of_a_session_that_no_grant_explains(marker: str | None, unmatched: bool, emergency: int) -> None:
    log = story.organisation()
    known: dict[str, Any] = {
        "session_id": "S",
        "source_id": "S-billing",
        "system_id": "billing",
        "source_session": "9",
        "marker": marker,
    }
    if unmatched:
        log.say(
            "session.unmatched",
            START,
            story.GATHER,
            login="root",
            started_at=START,
            why="no_grant",
            received_at=START,
            **known,
        )
    else:
        log.say("session.started", START, story.GATHER, login="app", started_at=START, received_at=START, **known)
    story.act(log, "", 1, START + MINUTE, grant_id=None, session_id="S")
    found = judge(log).fact("activities", "-a1")
    assert found["emergency"] == emergency
    assert len(found["account_id"]) == 64
    assert "person_id" not in found


def test_later_outcome_of_an_action_counts() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    log.say(
        "activity.outcome_learned", START + 2 * HOUR, story.GATHER, case="C", activity_id="C-a2", session_id="S-C",
        source_id="S-billing", outcome="failed", happened_at=START, source_number=3, received_at=START, raw_sha256="b",
        raw_salt="s",
    )  # fmt: skip
    assert judge(log).fact("activities", "C-a2")["outcome"] == "failed"


def test_transfer_is_no_decision_until_the_new_owner_decides() -> None:
    log = story.organisation()
    story.attestation(log, "K", at("08-20"), at("08-28"))
    decided = log.find("campaign.item_decided", item_id="K-ann")
    decided["fields"] |= {"decision": "transfer", "to_id": "mo"}
    item = judge(log).fact("items", "K-ann")
    assert (item["owner_id"], item["decision"]) == ("mo", "transfer")
    log.say("campaign.item_shown", at("08-21"), "mo", item_id="K-ann", campaign_id="K")
    log.say(
        "campaign.item_decided", at("08-22"), "mo", item_id="K-ann", campaign_id="K", decision="keep", reason_given=0
    )
    judged = judge(log)
    assert judged.rows("T-22") == {"K-ann": "pass", "K-ben": "pass"}


def test_case_with_a_damaged_entry_is_not_decided() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    story.approved_use(log, "D", START + DAY)
    entries = log.entries()
    where = next(each.index for each in entries if b'"request.approved"' in each.body and b'"case":"C"' in each.body)
    entries[where] = Entry(where, entries[where].body, leaf_hash=bytes(32))
    judged = judge(log, entries=entries)
    assert judged.results["T-27"].result == "deviation"
    assert judged.rows("T-02") == {"G-C": "inconclusive", "G-D": "pass"}
    assert judged.rows("T-15") == {"G-C": "inconclusive", "G-D": "pass"}


def test_bytes_that_are_no_entry_are_left_out_and_their_range_fails() -> None:
    log = story.organisation()
    entries = [*log.entries(), Entry(len(log.bodies), b"{")]
    assert len(list(readable(entries))) == len(log.bodies)
    assert judge(log, entries=entries, ranges=None).results["T-27"].result == "deviation"


NOBODYS = {"v": 1, "id": "x", "at": PERIOD.start_at, "by": "ann", "personal": {}, "fields": {}}


def test_entry_of_a_name_that_is_not_known_is_named_and_leaves_its_case_undecided() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    story.approved_use(log, "D", START + DAY)
    strange = NOBODYS | {"name": "glass.broken", "case": "C"}
    before, size = judge(log), len(log.bodies)
    judged = judge(log, entries=[*log.entries(), Entry(size, encode(strange))])
    assert (before.folded.rests.unknown, judged.folded.rests.unknown) == ((), (size,))
    assert judged.folded.rests.on == before.folded.rests.on
    assert (before.rows("T-02"), judged.rows("T-02")) == (
        {"G-C": "pass", "G-D": "pass"},
        {"G-C": "inconclusive", "G-D": "pass"},
    )


def test_entry_that_lacks_a_field_is_passed_over_where_it_is_read_and_stops_a_fold_that_is_given_it() -> None:
    left = NOBODYS | {"name": "person.left"}
    assert list(readable([Entry(0, encode(left))])) == []
    with pytest.raises(CannotFold, match=r"^Entry 0, person\.left, lacks the field 'person_id'\.$"):
        fold_entry(Facts(), entry_of(left, 0))


def test_text_left_empty_is_not_given() -> None:
    log = story.organisation()
    story.ask(log, "C", START, category="", incident_ref="")
    judged = judge(log)
    assert judged.fact("requests", "C").keys() & {"category", "incident_ref"} == set()
    assert judged.rows("T-05") == {"C": "deviation"}


def test_opening_that_was_given_up_ends_as_failed() -> None:
    log = story.organisation()
    story.ask(log, "C", START)
    known: dict[str, Any] = {"grant_id": "G-C", "person_id": "ann", "system_id": "billing", "privilege_id": "write"}
    rest: dict[str, Any] = {"number": 1, "mode": "approved", "minutes": 60, "policy_sha256": "aa", "exposes_secret": 0}
    log.say("grant.authorised", START, story.OPENER, case="C", **known, **rest)
    end: dict[str, Any] = {"ended_at": START + MINUTE, "over_at": START + MINUTE, "ended_by": story.OPENER}
    log.say("grant.revoked", START + MINUTE, story.OPENER, case="C", grant_id="G-C", cause="failed", **end)
    log.say(
        "grant.ended", START + 2 * MINUTE, story.SWEEP, case="C", grant_id="G-C", system_id="billing", person_id="ann", cause="failed",
        confirmed_at=START + 2 * MINUTE, removed_at=START + MINUTE, read_back_from="target", ended_at=START + MINUTE, over_at=START + MINUTE,
    )  # fmt: skip
    assert judge(log).fact("grants", "G-C")["end_cause"] == "failed"
    assert judge(log).fact("requests", "C")["status"] == "failed", "closed on the target, and never open"
