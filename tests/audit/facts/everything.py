"""A log that holds every kind of event that the fold reads, for the stored vectors.

Run as a program it writes the next vector: ``python -m tests.audit.facts.everything 2``. One that is stored is never written anew:
it stands for the logs that are out there.
"""

import json
import sys
from pathlib import Path
from typing import Any

from audit.facts.fold import HANDLERS
from audit.facts.schema import load_schema
from tests.audit.facts import story
from tests.audit.facts.stream import DAY, HOUR, MINUTE, Judged, Stream, at, judge

VECTORS = Path(__file__).with_name("vectors")


def everything() -> Stream:
    """A quarter, and beside it one of each kind that it lacks."""
    log = story.quarter()
    _people_and_rules(log)
    _requests_and_grants(log)
    _findings_and_sources(log)
    _sealed(log)
    _refusals(log)
    _retention(log)
    _guarded(log)
    return log


def _retention(log: Stream) -> None:
    when = at("09-20")
    log.say("retention.set", when, "process:eraser", terms={"signins": 800})
    log.say("hold.set", when, "pia", hold_id="H", person_id="ben", case_id="", reason="r")
    log.say(
        "hold.lifted", when + HOUR, "pia", hold_id="H", person_id="ben", case_id="", asked_by="pia", approved_by="quinn"
    )
    log.say("personal_value.erased", when, "process:eraser", event_id="x", field="name", basis="asked", erasure_id="E")
    log.say("personal_values.expired", when, "process:eraser", kind="signins", before=when, event_ids=["x"])
    log.say(
        "log.cut", when, "process:eraser", cut_id="K", minimum_index=0, from_index=0, from_at=when - 9 * DAY, to_at=when - 8 * DAY,
        keep_until=when - DAY, asked_by="pia", approved_by="quinn", reason="r",
    )  # fmt: skip
    log.say(
        "cut.done", when + HOUR, "process:eraser", cut_id="K", minimum_index=0, asked_by="pia", approved_by="quinn", entries=1, values=1, cases=0,
        stayed=0,
    )  # fmt: skip


def _guarded(log: Stream) -> None:
    """Who outside vouches for the log, who could alter it, and whether its backups can be restored."""
    when, root = at("09-21"), "ab" * 32
    log.say("log.witnessed", when, "process:sealer", witness="witness.example/w1", size=40, at=when, ok=True)
    log.say(
        "log.lock_read_back",
        when,
        "process:anchors",
        size=256,
        at=when,
        mode="COMPLIANCE",
        until=when + 30 * DAY,
        ok=True,
    )
    log.say("log.not_witnessed", when, "process:sealer", witness="witness.example/w2", last_at=None)
    log.say(
        "log.guards_checked",
        when,
        "process:watch",
        store="directory",
        alter_rights=0,
        other_writers=1,
        guards_on=True,
        sealing_key_apart=True,
        found=[],
    )
    log.say(
        "log.timestamped",
        when,
        "process:watch",
        size=40,
        sha256=root,
        token_sha256=root,
        at=when,
        authority="time.example",
    )
    log.say(
        "log.timestamp_failed", when + HOUR, "process:watch", last_at=when, sentence="It does not answer.", late=False
    )
    log.say(
        "backup.rehearsed", when, "process:backup", backup_id="U", made_at=when - HOUR, size=40, log_root=root, rows=9, values=7, took_ms=900,
        missing=0, missing_from=None, erased=0, outage_from=None,
    )  # fmt: skip
    log.say(
        "backup.rehearsal_failed",
        when + DAY,
        "process:backup",
        code="c",
        sentence="s",
        kept="k",
        to_do="t",
        backup_id="U",
    )


def _people_and_rules(log: Stream) -> None:
    when = at("09-01")
    rule: dict[str, Any] = {"narrows": 1, "changed_by": "pia", "effective_at": when}
    log.say("person.left", when, "pia", person_id="ben", left_at=when)
    log.say("person.manager_set", when, "pia", person_id="jon", manager_id="hana")
    log.say(
        "person.sponsored", when, "pia", person_id="vera", sponsor_id="mo", contract_end=at("10-30"), before_sponsor_id="jon",
        before_contract_end=at("09-30"), reason="r",
    )  # fmt: skip
    log.say(
        "policy.confirmed", when, "mo", policy_id="P-billing", system_id="billing", number=1, sha256="aa", confirmed_by="mo", confirmed_at=when,
        due_at=when + 365 * 86_400_000, note="n",
    )  # fmt: skip
    log.say(
        "person.moved", when, "pia", person_id="kim", moved_at=when, before="Operations", unit="Sales", list_id="PL"
    )
    log.say(
        "personnel.imported", when, "pia", list_id="PL", sha256="s", query="q", taken_at=when, rows=9, joiners=1, movers=1, leavers=1, people=9,
    )  # fmt: skip
    log.say("role.proposed", when, "pia", role_id="r", person_id="hana", role="reviewer", from_at=when)
    log.say(
        "role.ended",
        when,
        "pia",
        role_id="ben-responder",
        person_id="ben",
        role="responder",
        ended_at=when,
        cause="left",
        **rule,
    )
    log.say(
        "eligibility.proposed",
        when,
        "pia",
        eligibility_id="E-x",
        person_id="ben",
        system_id="billing",
        privilege_id="write",
    )
    shortened: dict[str, Any] = {
        "eligibility_id": "E-ann",
        "person_id": "ann",
        "system_id": "billing",
        "privilege_id": "write",
    }
    log.say(
        "role.shortened",
        when,
        "pia",
        role_id="jon-approver",
        person_id="jon",
        role="approver",
        to_at=at("10-30"),
        **rule,
    )
    log.say("eligibility.shortened", when, "pia", expires_at=at("10-30"), **shortened, **rule)
    log.say("eligibility.reconfirmed", when, "jon", **shortened)
    log.say(
        "system.change_proposed", when, "pia", proposal_id="p", system_id="billing", kind="settings", changed=["port"]
    )
    changed = {**log.find("system.registered")["fields"], "criticality": "critical", "changed": ["criticality"]}
    log.say("system.changed", when, "quinn", **changed)
    log.say("source.withdrawn", when, "pia", source_id="S-old", system_id="billing", **rule)
    key: dict[str, Any] = {"approved_by": "quinn", "approved_at": when, **rule, "narrows": 0}
    log.say("key.added", when, "quinn", key_id="k", kind="log", public="p", **key)


def _requests_and_grants(log: Stream) -> None:
    start = at("08-01", "10:00")
    story.ask(log, "C3", start)
    log.say("request.declined", start + MINUTE, "jon", case="C3", approval_id="a3", comment="no")
    story.ask(log, "C4", start)
    log.say("request.withdrawn", start + MINUTE, "ann", case="C4")
    story.ask(log, "C5", start)
    log.say("request.lapsed", start + HOUR, story.SWEEP, case="C5", asked_at=start)
    story.ask(log, "C6", start, mode="drill")
    story.approve(log, "C6", start + MINUTE)
    story.open_it(log, "C6", start + 2 * MINUTE, mode="drill")
    log.say(
        "grant.extended", start + 30 * MINUTE, "jon", case="C6", grant_id="G-C6", extension_id="X6", minutes=15,
        expires_at=start + 77 * MINUTE, asked_by="ann", approved_by="jon",
    )  # fmt: skip
    story.end_it(log, "C6", start + 77 * MINUTE, how="expired")
    drill: dict[str, Any] = {"drill_id": "D6", "system_id": "billing"}
    log.say("drill.started", start, "ann", case="C6", **drill)
    log.say(
        "drill.judged", start + 2 * HOUR, story.SWEEP, case="C6", grant_id="G-C6", over_at=start + 77 * MINUTE, worked=1, failed=[], **drill,
    )  # fmt: skip
    story.ask(log, "C7", start + DAY)
    story.approve(log, "C7", start + DAY)
    story.open_it(log, "C7", start + DAY)
    story.end_it(log, "C7", start + DAY + 5 * MINUTE, how="revoked", by="mo")
    story.ask(log, "C8", start)
    log.say(
        "grant.failed", start + MINUTE, story.OPENER, case="C8", grant_id="G-C8", code="unreachable", sentence="No.",
        ended_at=start + MINUTE,
    )  # fmt: skip


def _findings_and_sources(log: Stream) -> None:
    when = at("08-05")
    log.say(
        "campaign.item_reassigned",
        when,
        story.SWEEP,
        item_id="K-x",
        campaign_id="K",
        owner_id="jon",
        cause="attests no longer",
    )
    log.say("campaign.evidence_opened", when, "jon", item_id="K1-ann", campaign_id="K1")
    log.say(
        "campaign.bulk_kept", when, "jon", campaign_id="K1", bulk_id="b", count=2, risks=["high", "plain"], mixed_risk=1
    )
    log.say(
        "finding.raised",
        when,
        story.SWEEP,
        finding_id="F",
        kind="orphan",
        test_id="T-18",
        about_id="C1-review",
        title="t",
    )
    log.say("finding.assigned", when + HOUR, "pia", finding_id="F", owner_id="mo", due_at=when + 9 * DAY)
    log.say(
        "finding.answered", when + DAY, "mo", finding_id="F", cause="c", response="r", cause_given=1, response_given=1
    )
    log.say("finding.due_moved", when + 2 * DAY, "pia", finding_id="F", due_at=when + 12 * DAY, extended_by="pia")
    log.say("finding.closed", when + 3 * DAY, "mo", finding_id="F", retest_ok=1)
    judged: dict[str, Any] = {"review_id": "C1-review", "grant_id": "G-C1", "case": "C1"}
    group: dict[str, Any] = {"upto": 10_000, "count": 1}
    kind: dict[str, Any] = {"class": "data_change"}
    log.say(
        "review.acts_accepted",
        when,
        "kim",
        acceptance_id="AC",
        activities=[],
        note="n",
        **group,
        **kind,
        **judged,
    )
    second: dict[str, Any] = {"system_id": "billing", "due_at": when + DAY}
    log.say("review.second_asked", when, "kim", questions=["Q01", "Q04"], pool=["lea"], **second, **judged)
    log.say(
        "review.second_submitted",
        when,
        "lea",
        reviewer_id="lea",
        agrees=0,
        words="w",
        involved=["ann", "kim"],
        active_seconds=90,
        **second,
        **judged,
    )
    log.say("review.acceptance_taken_back", when, "kim", acceptance_id="AC", **judged)
    log.say("change.recorded", when, "kim", change_record_id="CH", reference="CHG-1", raised_at=when, approved_by="jon", disposition="kept",
            kinds=["data_change"], **group, **judged)  # fmt: skip
    log.say(
        "privacy.decided",
        when,
        "kim",
        breach=1,
        risk_unlikely=0,
        reason="r",
        reason_given=1,
        due_at=when,
        aware_at=when,
        **judged,
    )
    log.say("privacy.notified", when + HOUR, "mo", notified_at=when + HOUR, delay_reason_given=0, **judged)
    source: dict[str, Any] = {"source_id": "S-billing", "system_id": "billing"}
    log.say(
        "session.unmatched",
        when,
        story.GATHER,
        session_id="o",
        source_session="1.9",
        login="x",
        started_at=when,
        why="no_grant",
        received_at=when,
        **source,
    )
    log.say(
        "activity.outcome_learned", when, story.GATHER, activity_id="C1-a2", session_id="S-C1", source_id="S-billing",
        outcome="failed", happened_at=when, source_number=3, received_at=when, raw_sha256="b", raw_salt="s",
    )  # fmt: skip
    log.say(
        "completeness.gap_found",
        when,
        story.JUDGE,
        window_id="day",
        kind="day",
        from_at=when - DAY,
        to_at=when,
        verdict="gap",
        **source,
    )
    listing: dict[str, Any] = {"listing_id": "L", "system_id": "billing"}
    log.say("target.listed", when, story.SWEEP, taken_at=when, query_sha256="q", answer_sha256="a", count=1, **listing)
    log.say(
        "target.login_listed",
        when,
        story.SWEEP,
        login_ref="7",
        login="x",
        grant_id="G-C1",
        seen_in_log=1,
        request_count=1,
        **listing,
    )
    log.say(
        "pack.requested", when, "hana", pack_id="P", period_start=1, period_end=2, systems=["billing"], frameworks=[]
    )
    log.say("dossier.downloaded", when, "ann", case="C1", dossier_id="D", person_id="ann")
    log.say(
        "pack.downloaded", when, "hana", pack_id="P", person_id="hana", in_role_and_scope=1, purpose_given=1,
        redaction_profile="standard", required_profile="standard",
    )  # fmt: skip


def _sealed(log: Stream) -> None:
    """One account from the register to out of use, and one use of it."""
    when = at("08-20")
    account: dict[str, Any] = {"account_id": "A-vault", "system_id": "billing"}
    kept: dict[str, Any] = {
        **account,
        "name": "Vault",
        "account": "vault",
        "custodian_id": "otto",
        "kept_by": "custodian",
        "location": "There.",
    }
    rule: dict[str, Any] = {
        "narrows": 0,
        "changed_by": "pia",
        "approved_by": "quinn",
        "approved_at": when,
        "effective_at": when,
    }
    log.say("sealed.proposed", when, "pia", **kept)
    log.say("sealed.registered", when, "quinn", privilege_id="vault", **kept, **rule)
    log.say("sealed.custodian_changed", when, "pia", custodian_id="olga", before_id="otto", **account)
    story.ask(log, "C9", when + HOUR)
    held: dict[str, Any] = {**account, "person_id": "ann", "grant_id": "G-C9"}
    log.say("sealed.checked_out", when + HOUR, "jon", case="C9", from_at=when + HOUR, **held)
    story.open_it(log, "C9", when + HOUR)
    log.say("sealed.released", when + HOUR, "jon", case="C9", grant_id="G-C9", person_id="jon", **account)
    log.say(
        "grant.revealed",
        when + HOUR,
        "ann",
        case="C9",
        grant_id="G-C9",
        person_id="ann",
        exposes_secret=1,
        account_id="A-vault",
    )
    story.end_it(log, "C9", when + 2 * HOUR, how="returned")
    log.say("sealed.checked_in", when + 2 * HOUR, story.SWEEP, case="C9", to_at=when + 2 * HOUR, shown=1, **held)
    given: dict[str, Any] = {**account, "rotation_id": "R-C9", "grant_id": "G-C9"}
    log.say("sealed.rotated", when + 3 * HOUR, "olga", rotated_at=when + 3 * HOUR, rotated_by="olga", **given)
    log.say("sealed.tested", when + 4 * HOUR, "olga", tested_at=when + 4 * HOUR, tested_by="connector", ok=1, **given)
    log.say("sealed.account_listed", when + DAY, story.SWEEP, listing_id="L", system_id="billing", account_id="A-vault", login="vault",
            taken_at=when + DAY, in_register=1, in_target=1, enabled=0)  # fmt: skip
    log.say("sealed.retired", when + 2 * DAY, "pia", **account, **{**rule, "narrows": 1})
    made: dict[str, Any] = {**account, "set_id": "set", "number": 1, "review_id": "R-off", "due_at": when + DAY}
    story.ask(log, "C10", when + HOUR, mode="bypass")
    log.say("offline.review_due", when + HOUR, "ann", case="C10", pool=["kim"], **made)
    log.say(
        "offline.reviewed", when + 2 * HOUR, "kim", case="C10", reviewer_id="kim", answers={"Q01": "yes"}, answers_missing=0, adverse_answers=0,
        emergency_upheld=1, outcome="accepted", statement_sha256="dd", involved=["ann", "olga"], **made,
    )  # fmt: skip


def _refusals(log: Stream) -> None:
    for number, name in enumerate(sorted(name for name in HANDLERS if name.endswith("refused"))):
        when = at("08-10") + number * MINUTE
        log.say(name, when, "ann", case="C1", act="a", code="not_allowed", kind="not_allowed", sentence="No.")


def as_facts(judged: Judged) -> dict[str, list[dict[str, Any]]]:
    """All facts by table; slots of time are left to their own tests."""
    tables = load_schema().tables.keys() - {"anchor_slots", "feeds"}
    return {table: judged.facts(table) for table in sorted(tables)}


def main(number: str) -> None:
    """Write the vector of that number."""
    log, facts = VECTORS / f"log-{number}.jsonl", VECTORS / f"facts-{number}.json"
    if log.exists():
        raise SystemExit(f"{log.name} is stored already, and stays as it is.")
    stream = everything()
    VECTORS.mkdir(exist_ok=True)
    log.write_bytes(b"".join(entry.body + b"\n" for entry in stream.entries()))
    facts.write_text(json.dumps(as_facts(judge(stream)), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
