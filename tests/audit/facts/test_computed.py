"""Facts that follow from others: ends, pairs of roles, listings that answered, windows that nobody judged."""

from typing import Any

import pytest

from audit.controls.loading import load_catalogue
from audit.facts.fold import fold, readable
from audit.facts.given import Period
from audit.facts.schema import load_schema, new_database
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, MINUTE, PERIOD, Judged, Stream, at, judge, seal

START = at("07-03", "02:00")


@pytest.fixture(scope="module")
def quarter() -> Judged:
    return judge(story.quarter())


def test_grant_is_over_at_the_earlier_of_end_and_expiry() -> None:
    log = story.organisation()
    story.ask(log, "C", START)
    story.open_it(log, "C", START)
    log.say(
        "grant.expired",
        START + 61 * MINUTE,
        story.SWEEP,
        case="C",
        grant_id="G-C",
        ended_at=START + 61 * MINUTE,
        over_at=START + 61 * MINUTE,
    )
    assert judge(log).fact("grants", "G-C")["over_at"] == START + 60 * MINUTE


def test_removal_is_confirmed_by_the_first_clear_read_back_after_the_end() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    known: dict[str, Any] = {
        "grant_id": "G-C",
        "system_id": "billing",
        "remainders": [],
        "drift": [],
        "sessions_ended": 0,
        "attempt": 1,
    }
    for minutes, clear in ((3, 1), (50, 0)):
        when = START + minutes * MINUTE
        log.say(
            "grant.read_back", when, story.SWEEP, case="C", clear=clear, read_at=when, read_back_from="target", **known
        )
    assert judge(log).fact("removals", "G-C") == {
        "grant_id": "G-C", "removed_at": START + 50 * MINUTE + 1000, "confirmed_at": START + 51 * MINUTE,
        "read_back_from": "target",
    }  # fmt: skip


def test_role_for_all_systems_is_one_row_for_each() -> None:
    log = story.organisation()
    story.system(log, "payroll", at("06-02"))
    rows = [each for each in judge(log).facts("roles") if each["person_id"] == "ines"]
    assert [(each["id"], each["system_id"]) for each in rows] == [
        ("ines-approver:billing", "billing"),
        ("ines-approver:payroll", "payroll"),
    ]


def test_two_roles_at_one_time_are_a_pair_while_both_last() -> None:
    log = story.organisation()
    story.grant_role(log, "ines", "reviewer", at("07-05"), to_at=at("07-20"))
    pairs = judge(log).facts("role_pairs")
    assert [(each["role_a"], each["role_b"], each["from_at"], each["to_at"]) for each in pairs] == [
        ("approver", "reviewer", at("07-05"), at("07-20"))
    ]


def test_role_that_followed_another_is_no_pair() -> None:
    log = story.organisation()
    log.say(
        "role.ended", at("07-04"), "quinn", role_id="ines-approver", person_id="ines", role="approver",
        ended_at=at("07-04"), cause="moved", narrows=1, changed_by="quinn", effective_at=at("07-04"),
    )  # fmt: skip
    story.grant_role(log, "ines", "reviewer", at("07-05"))
    assert judge(log).facts("role_pairs") == []


def test_use_of_an_eligibility_is_counted_within_the_period() -> None:
    log = story.organisation()
    story.approved_use(log, "C0", at("06-20"))
    story.approved_use(log, "C1", at("07-03"))
    story.approved_use(log, "C2", at("07-10"))
    story.bypass_use(log, "C3", at("09-01"), person="ann")
    found = judge(log).fact("eligibilities", "E-ann")
    names = ("uses", "most_uses_in_window", "bypass_share", "days_since_use_or_drill")
    assert [found[name] for name in names] == [3, 3, 1 / 3, 29]


def test_latest_verdict_of_a_window_counts() -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    story.verdict(log, "C", START + 6 * MINUTE, START + 55 * MINUTE, "gap")
    judged = judge(log)
    assert judged.rows("T-29") == {"C-window": "deviation"}


@pytest.mark.parametrize(("with_source", "verdict"), [(True, "unknown"), (False, "not covered")])
def test_grant_that_nobody_judged_has_a_window_without_verdict(with_source: bool, verdict: str) -> None:
    log = story.organisation()
    story.approved_use(log, "C", START)
    log.drop("completeness.judged")
    if not with_source:
        log.drop("source.declared")
    windows = {each["id"]: each["verdict"] for each in judge(log).facts("source_windows")}
    assert windows == {"G-C:window": verdict} | ({"S-billing:window": "unknown"} if with_source else {})


@pytest.mark.parametrize(
    ("told", "unmatched"),
    [
        ({"second_count": 2, "only_listed": 1, "only_elsewhere": 1}, 2),
        ({"second_count": 2, "only_listed": 0, "only_elsewhere": 0}, 0),
        ({"second_count": 5}, 3),  # as it was told before the rows were compared
        ({}, None),
    ],
)
def test_lists_of_the_same_length_may_differ_in_their_rows(told: dict[str, Any], unmatched: int | None) -> None:
    log, start = story.organisation(), at("08-01")
    log.say(
        "campaign.started", start, story.SWEEP, campaign_id="K", duty_id="D", kind="roles", snapshot_at=start, snapshot_sha256="ee",
        item_count=2, not_put_to_anyone=0, due_at=start + DAY, **told,
    )  # fmt: skip
    assert judge(log).fact("campaigns", "K").get("unmatched") == unmatched


def test_what_a_campaign_revoked_is_looked_for_in_the_next() -> None:
    log = story.organisation()
    story.attestation(log, "K1", at("07-10"), at("07-12"))
    story.attestation(log, "K2", at("09-20"), at("09-22"))
    judged = judge(log)
    assert judged.fact("remedies", "K1-ben")["present_at_next_snapshot"] == 1
    assert judged.rows("T-23") == {"K1-ben": "deviation", "K2-ben": "open"}


@pytest.mark.parametrize(
    ("moves", "nobody", "owner"),
    [
        ((), 1, "pia"),
        (("jon",), 0, "jon"),
        (("jon", None), 1, "pia"),
        (("jon", None, "kim"), 0, "kim"),
    ],
)
def test_line_that_nobody_had_counts_until_it_is_put_to_somebody(
    moves: tuple[str | None, ...], nobody: int, owner: str
) -> None:
    log, start = story.organisation(), at("07-10")
    known: dict[str, Any] = {"campaign_id": "K", "duty_id": "D", "kind": "roles"}
    log.say(
        "campaign.started", start, story.SWEEP, snapshot_at=start, snapshot_sha256="ee", item_count=1, not_put_to_anyone=1,
        due_at=at("07-20"), **known,
    )  # fmt: skip
    item: dict[str, Any] = {"item_id": "I", "campaign_id": "K"}
    log.say(
        "campaign.item_listed", start, story.SWEEP, subject_id="ines-approver", subject_kind="role", owner_id="pia",
        due_at=at("07-20"), **item,
    )  # fmt: skip
    for to in moves:
        put: dict[str, Any] = {"to_id": to} if to else {}
        log.say("campaign.item_reassigned", start + MINUTE, story.SWEEP, owner_id=to or "pia", cause="x", **put, **item)
    judged = judge(log)
    assert judged.fact("campaigns", "K")["not_put_to_anyone"] == nobody
    assert (judged.fact("items", "I")["owner_id"], judged.fact("items", "I").get("reviewer_id")) == (
        owner, owner if not nobody else None,
    )  # fmt: skip


def test_listing_slots_are_answered_by_listings_taken_in_them() -> None:
    log = story.organisation()
    known: dict[str, Any] = {"listing_id": "L", "system_id": "billing"}
    log.say(
        "target.listed",
        at("07-03", "02:30"),
        story.SWEEP,
        taken_at=at("07-03", "02:30"),
        query_sha256="a",
        answer_sha256="b",
        count=1,
        **known,
    )
    key = log.say(
        "target.login_listed",
        at("07-03", "02:31"),
        story.SWEEP,
        privilege_id="write",
        login_ref="7",
        login="x",
        seen_in_log=0,
        request_count=0,
        **known,
    )
    story.approved_use(log, "C", START)
    judged = judge(log, period=Period(at("07-03"), at("07-05"), at("07-05")))
    feeds = {each["from_at"]: each["answered"] for each in judged.facts("feeds") if each["kind"] == "listing"}
    assert feeds == {at("07-03"): 1, at("07-04"): 0}
    assert judged.rows("T-01") == {key: "deviation", "L:G-C": "inconclusive"}


def test_first_listing_after_a_removal_stands_although_a_later_one_shows_it_gone() -> None:
    log = story.organisation()
    item: dict[str, Any] = {"item_id": "I", "campaign_id": "K"}
    log.say("campaign.removal_done", START, "process:campaigns", done_at=START, done_by="mo", **item)
    for minutes, present in ((1, 1), (99, 0)):
        when = START + minutes * MINUTE
        log.say(
            "campaign.removal_read_back", when, "process:campaigns", read_back_at=when, read_back_by="process:campaigns",
            access_present=present, **item,
        )  # fmt: skip
    remedy = judge(log).fact("remedies", "I")
    assert (remedy["read_back_at"], remedy["access_present"]) == (START + MINUTE, 1)


def test_sponsor_who_left_later_was_one_at_the_opening() -> None:
    log, left = story.organisation(), START + 30 * DAY
    log.say(
        "person.added", at("07-01"), "pia", person_id="ann", name="ann", email="ann@example.org", third_party=1, sponsor_id="jon",
        sponsor_active=1, contract_end=START + 90 * DAY,
    )  # fmt: skip
    story.approved_use(log, "C", START)
    log.say("person.left", left, "pia", person_id="jon", left_at=left)
    story.approved_use(log, "D", left + DAY)
    assert judge(log).rows("T-43") == {"G-C": "pass", "G-D": "deviation"}


def test_use_is_judged_by_the_sponsor_and_the_contract_of_its_time() -> None:
    log, said, left = story.organisation(), START + 30 * DAY, START + 60 * DAY
    ends, later = START + 20 * DAY, START + 90 * DAY
    log.say(
        "person.added", at("07-01"), "pia", person_id="ann", name="ann", email="ann@example.org", third_party=1, sponsor_id="jon",
        sponsor_active=1, contract_end=ends,
    )  # fmt: skip
    story.approved_use(log, "A", START)
    story.approved_use(log, "B", ends + DAY)
    before = judge(log).rows("T-43")
    assert before == {"G-A": "pass", "G-B": "deviation"}
    log.say(
        "person.sponsored", said, "pia", person_id="ann", sponsor_id="hana", contract_end=later, before_sponsor_id="jon",
        before_contract_end=ends, reason="The contract was prolonged.",
    )  # fmt: skip
    log.say("person.left", said + 1, "pia", person_id="jon", left_at=said + 1)
    story.approved_use(log, "C", said + DAY)
    log.say(
        "person.sponsored", left, "pia", person_id="ann", sponsor_id="mo", contract_end=left + DAY, before_sponsor_id="hana",
        before_contract_end=later, reason="Ends early.",
    )  # fmt: skip
    log.say("person.left", left + 1, "pia", person_id="hana", left_at=left + 1)
    story.approved_use(log, "D", left + DAY // 4)
    story.approved_use(log, "E", left + 2 * DAY)
    assert judge(log).rows("T-43") == before | {"G-C": "pass", "G-D": "pass", "G-E": "deviation"}
    spans = [(each["sponsor_id"], each["from_at"], each["to_at"]) for each in judge(log).facts("sponsorships")]
    assert sorted(spans) == [("hana", said, left), ("mo", left, None)]


def test_look_that_left_a_policy_unchanged_stands_beside_the_date_that_it_began_with() -> None:
    log, said = story.organisation(), START + 30 * DAY
    before = judge(log).facts("policies")
    log.say(
        "policy.confirmed", said, "mo", policy_id="P-billing", system_id="billing", number=1, sha256="aa", confirmed_by="mo", confirmed_at=said,
        due_at=said + 90 * DAY, note="Read.",
    )  # fmt: skip
    judged = judge(log)
    (row,) = judged.facts("policy_confirmations")
    assert (row["policy_id"], row["confirmed_by"], row["confirmed_at"], row["due_at"]) == (
        "P-billing",
        "mo",
        said,
        said + 90 * DAY,
    )
    assert judged.facts("policies") == before
    assert [each["person_id"] for each in judged.facts("acts") if each["kind"] == "attest"] == ["mo"]
    story.system(log, "payroll", at("06-02"))
    for systems, left in ((["billing"], 1), (["payroll"], 0)):
        db = new_database()
        fold(db, readable(log.entries()), period=PERIOD, parameters=load_catalogue().parameters, only=systems)
        assert db.execute("SELECT count(*) FROM policy_confirmations").fetchone() == (left,)
        db.close()


def offline_use(log: Stream, *, by: str = "kim", old: bool = False, **fields: Any) -> None:
    """Cards were used while the portal was dead: declared afterwards, and judged a day later; as older logs tell it, or as any review."""
    story.ask(log, "off", START, mode="bypass")
    made: dict[str, Any] = {"review_id": "R-off", "system_id": "billing", "due_at": START + DAY}
    card: dict[str, Any] = {"set_id": "set", "account_id": "A", "number": 1} if old else {}
    due, judged = ("offline.review_due", "offline.reviewed") if old else ("review.due", "review.submitted")
    log.say(due, START, "ann", case="off", pool=["kim"], **made | card | {"set_id": "set"})
    said: dict[str, Any] = {
        "answers": {"Q01": "yes"}, "answers_missing": 0, "adverse_answers": 0, "emergency_upheld": 1, "outcome": "accepted",
        "statement_sha256": "dd", "involved": ["ann", "olga"],
    }  # fmt: skip
    measured = (
        {} if old else {"accepted_activities": [], "active_seconds": 400, "evidence_skipped": 0, "activities_seen": 0}
    )
    log.say(judged, START + DAY // 2, by, case="off", reviewer_id=by, **made | card | said | measured | fields)


@pytest.mark.parametrize("old", [True, False])
def test_review_of_offline_cards_is_a_review_without_a_grant(old: bool) -> None:
    log = story.organisation()
    offline_use(log, old=old)
    found = judge(log)
    assert found.fact("reviews", "R-off") == {
        "id": "R-off", "reviewer_id": "kim", "due_at": START + DAY, "submitted_at": START + DAY // 2, "answers_missing": 0, "adverse_answers": 0,
        "emergency_upheld": 1, "accepted_activities": "[]", "statement_sha256": "dd",
    }  # fmt: skip
    assert (found.rows("T-18"), found.rows("T-16")) == ({"R-off": "pass"}, {"R-off": "pass"})
    assert [row["subject_id"] for row in found.facts("judgements")] == ["ann"]
    assert [row["person_id"] for row in found.facts("acts") if row["kind"] == "review"] == ["kim"]
    assert [row["active_seconds"] for row in found.facts("sittings")] == ([] if old else [400])


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize(
    ("test", "by", "fields"),
    [("T-18", "kim", {"adverse_answers": 1}), ("T-18", "kim", {"answers_missing": 1}), ("T-16", "olga", {}), ("T-16", "ann", {})],
)  # fmt: skip
def test_bad_review_of_offline_cards_is_found(test: str, by: str, fields: dict[str, Any], old: bool) -> None:
    log = story.organisation()
    offline_use(log, by=by, old=old, **fields)
    assert judge(log).rows(test) == {"R-off": "deviation"}


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize(("systems", "left"), [(["billing"], 1), (["payroll"], 0)])
def test_review_of_offline_cards_is_of_its_system_alone(systems: list[str], left: int, old: bool) -> None:
    log, db = story.organisation(), new_database()
    offline_use(log, old=old)
    fold(db, readable(log.entries()), period=PERIOD, parameters=load_catalogue().parameters, only=systems)
    counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("reviews", "judgements")]
    assert counts == [(left,), (left,)]
    db.close()


def test_facts_of_chosen_systems_leave_out_all_that_hangs_on_others(quarter: Judged) -> None:
    entries = story.quarter().entries()
    db = new_database()
    fold(db, readable(entries), period=PERIOD, parameters=load_catalogue().parameters, only=["payroll"])
    left = {table for table in load_schema().tables if db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]}
    assert left == {"people", "rule_changes", "acts", "feeds", "anchor_slots", "duties", "kept_records"}
    assert db.execute("SELECT DISTINCT kind FROM acts ORDER BY kind").fetchall() == [("attest",), ("change",)]
    db.close()


def test_facts_of_all_systems_are_the_same_as_without_a_choice(quarter: Judged) -> None:
    db = new_database()
    entries = story.quarter().entries()
    parameters = load_catalogue().parameters
    fold(db, readable(entries), period=PERIOD, parameters=parameters, ranges=seal(entries), only=["billing"])
    for table in load_schema().tables:
        found = db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        assert found == quarter.db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
    db.close()


@pytest.mark.parametrize(
    ("marks", "skipped", "shortest", "same"),
    [
        ({}, 0, None, 2),
        ({"risk": "plain", "evidence_opened": 0, "same_reason": 1}, 0, None, 1),
        ({"risk": "high", "evidence_opened": 1, "same_reason": 0}, 0, 60.0, 0),
        ({"risk": "high", "evidence_opened": 0, "same_reason": 2}, 2, 60.0, 2),
    ],
    ids=["before the portal said so", "plain", "high, looked at", "high, not looked at"],
)
def test_sitting_counts_what_was_looked_at_and_said(
    marks: dict[str, Any], skipped: int, shortest: float | None, same: int
) -> None:
    log = story.organisation()
    story.attestation(log, "K", at("07-10"), at("07-12"))
    for event in log.bodies:
        if event["name"] == "campaign.item_decided":
            event["fields"] |= marks
    found = judge(log).fact("sittings", "K:jon")
    assert (found["evidence_skipped"], found.get("shortest_critical_seconds"), found["same_comment_rows"]) == (
        skipped, shortest, same,
    )  # fmt: skip
    assert found["bulk_over_mixed_risk"] == 0


def test_lines_of_mixed_risk_that_were_kept_together_are_a_signal() -> None:
    log = story.organisation()
    story.attestation(log, "K", at("07-10"), at("07-12"))
    known: dict[str, Any] = {"campaign_id": "K", "bulk_id": "b", "count": 2, "risks": ["high", "plain"]}
    log.say("campaign.bulk_kept", at("07-10", "03:00"), "jon", mixed_risk=1, **known)
    judged = judge(log)
    assert judged.fact("sittings", "K:jon")["bulk_over_mixed_risk"] == 1
    assert judged.rows("T-24") == {"K:jon": "signal"}
