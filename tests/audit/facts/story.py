"""A small organisation and its uses, told as events: what the portal would write when all goes well."""

from typing import Any

from tests.audit.facts.stream import DAY, HOUR, MINUTE, Stream, at

SWEEP, OPENER, GATHER, JUDGE = "process:sweep", "process:opening", "process:gather", "process:completeness"
PEOPLE = ("pia", "quinn", "mo", "ann", "ben", "ines", "jon", "kim", "hana")
Given = dict[str, Any]
RULES: dict[str, Any] = {"min_approvals": 1, "max_grant_minutes": 60, "removal_grace_minutes": 5}


def _rule(when: int, beneficiary: str | None = None, narrows: int = 0) -> dict[str, Any]:
    return {
        "narrows": narrows, "changed_by": "pia", "beneficiary_id": beneficiary, "approved_by": "quinn",
        "approved_at": when, "effective_at": when,
    }  # fmt: skip


def organisation() -> Stream:
    """Founded in January: one system, its policy, roles, eligibilities, source, and attestations every 90 days."""
    log = Stream()
    start = at("06-01")
    log.say("portal.founded", start, "process:founding", administrators=["pia", "quinn"])
    for person in PEOPLE:
        manager = None if person == "hana" else "hana"
        log.say(
            "person.added", start, "process:founding", person_id=person, name=person, email=f"{person}@example.org",
            third_party=0, manager_id=manager,
        )  # fmt: skip
    for person in ("pia", "quinn"):
        log.say(
            "role.granted", start, "process:founding", role_id=f"{person}-administrator", person_id=person,
            role="administrator", granted_by="process:founding", granted_at=start, **_rule(start, person),
        )  # fmt: skip
    system(log, "billing", start + HOUR)
    for person, role in (
        ("ann", "responder"),
        ("ben", "responder"),
        ("ines", "approver"),
        ("jon", "approver"),
        ("kim", "reviewer"),
    ):
        grant_role(log, person, role, start + HOUR)
    for person in ("ann", "ben"):
        make_eligible(log, person, start + HOUR)
    return log


def system(log: Stream, name: str, when: int) -> None:
    """A system with its policy and its source."""
    log.say(
        "system.registered", when, "quinn", system_id=name, slug=name, name=name, owner_id="mo", criticality="normal",
        personal_data=0, connector="postgresql", reads_back=1, lists_access=1, in_scope_from=when,
    )  # fmt: skip
    log.say(
        "policy.proposed",
        when,
        "pia",
        policy_id=f"P-{name}",
        system_id=name,
        number=1,
        sha256="aa",
        document="{}",
        written_by="pia",
    )
    log.say(
        "policy.approved", when + MINUTE, "quinn", policy_id=f"P-{name}", system_id=name, number=1, sha256="aa",
        document="{}", written_by="pia", approved_by="quinn", approved_at=when + MINUTE, effective_from=when + MINUTE,
        review_due_at=when + 365 * DAY, modes=["approved", "bypass", "drill"], criteria=["outage", "security"],
        figures=RULES, **{key: value for key, value in _rule(when + MINUTE).items() if not key.startswith("approved")},
    )  # fmt: skip
    log.say(
        "source.declared", when, "quinn", source_id=f"S-{name}", system_id=name, kind="postgresql",
        counting="line_num per session", settings={}, **_rule(when),
    )  # fmt: skip


def grant_role(log: Stream, person: str, role: str, when: int, **fields: Any) -> None:
    """A role for all systems, given by two people."""
    log.say(
        "role.granted", when, "quinn", role_id=f"{person}-{role}", person_id=person, role=role, granted_by="pia",
        granted_at=when, **_rule(when, person), **fields,
    )  # fmt: skip


def make_eligible(log: Stream, person: str, when: int, **fields: Any) -> None:
    """A place on the list of the billing system, for half a year."""
    log.say(
        "eligibility.granted", when, "quinn", eligibility_id=f"E-{person}", person_id=person, system_id="billing",
        privilege_id="write", granted_by="mo", granted_at=when, expires_at=when + 180 * DAY, **_rule(when, person),
        **fields,
    )  # fmt: skip


def ask(log: Stream, case: str, when: int, *, person: str = "ann", mode: str = "approved", **fields: Any) -> None:
    """An access request, well filled in."""
    said: Given = {
        "category": "availability", "reason": "Disk full", "reason_length": 64, "reason_repeats": 0,
        "intended_classes": ["schema_change"], "incident_ref": "INC-2041", "minutes": 60, "policy_id": "P-billing",
        "policy_number": 1, "policy_sha256": "aa", "approvals_needed": int(mode != "bypass"), "asked": ["ines"],
        "told": ["mo"], "ends_about": when + HOUR, "criterion": "outage" if mode == "bypass" else None,
    }  # fmt: skip
    log.say(
        "request.made", when, person, case=case, responder_id=person, system_id="billing", system_name="billing",
        privilege_id="write", privilege_name="write", mode=mode,
        **said | fields,
    )  # fmt: skip


def approve(log: Stream, case: str, when: int, by: str = "ines") -> None:
    """The one approval that is needed."""
    log.say("request.approved", when, by, case=case, approval_id=f"{case}-approval", approvals=1, approvals_needed=1)


def open_it(
    log: Stream, case: str, when: int, *, person: str = "ann", mode: str = "approved", minutes: int = 60
) -> None:
    """Authorised, opened on the target, and the password shown; the owner is told and says so."""
    known: Given = {"grant_id": f"G-{case}", "person_id": person, "system_id": "billing", "privilege_id": "write"}
    log.say(
        "grant.authorised",
        when,
        OPENER,
        case=case,
        number=1,
        mode=mode,
        minutes=minutes,
        policy_sha256="aa",
        exposes_secret=0,
        **known,
    )
    log.say(
        "grant.opening",
        when,
        OPENER,
        case=case,
        grant_id=f"G-{case}",
        attempt=1,
        login=f"bg_{case}",
        marker=f"bg_{case}",
        expires_at=when + minutes * MINUTE,
    )
    log.say(
        "grant.activated", when, OPENER, case=case, login=f"bg_{case}", marker=f"bg_{case}", marker_ref="1",
        opened_at=when, provisioned_at=when, expires_at=when + minutes * MINUTE, statement_logging=1, superuser=0, exposes_secret=0,
        review_due_hours=72, **known,
    )  # fmt: skip
    told: Given = {"alert_id": f"{case}-alert", "recipient_id": "mo"}
    log.say(
        "alert.queued", when, OPENER, case=case, channel="page", kind="opened", grant_id=f"G-{case}", receipts=1, **told
    )
    log.say(
        "alert.sent",
        when,
        SWEEP,
        case=case,
        channel="page",
        kind="opened",
        grant_id=f"G-{case}",
        receipts=1,
        sent_at=when,
        attempts=1,
        **told,
    )
    log.say("alert.acknowledged", when + 2 * MINUTE, "mo", case=case, grant_id=f"G-{case}", **told)
    log.say("grant.revealed", when + MINUTE, person, case=case, grant_id=f"G-{case}", person_id=person)


def act(log: Stream, case: str, number: int, when: int, kind: str = "schema_change", **fields: Any) -> None:
    """One action of the session of a case, as the target's log reports it."""
    said: Given = {
        "session_id": f"S-{case}", "grant_id": f"G-{case}", "class": kind, "at_least": 0, "outcome": "ok", "happened_at": when, "zone_known": 1,
        "received_at": when + 1000, "source_number": number, "object": "invoices", "raw_sha256": "bb",
        "raw_salt": "cc",
    }  # fmt: skip
    log.say(
        "activity.recorded", when + 1000, GATHER, case=case, activity_id=f"{case}-a{number}",
        source_id="S-billing", system_id="billing",
        **said | fields,
    )  # fmt: skip


def session(log: Stream, case: str, start: int, end: int) -> None:
    """A session of a case on the target."""
    known: Given = {
        "session_id": f"S-{case}",
        "source_id": "S-billing",
        "system_id": "billing",
        "source_session": "1.1",
        "grant_id": f"G-{case}",
    }
    log.say(
        "session.started",
        start,
        GATHER,
        case=case,
        marker=f"bg_{case}",
        login=f"bg_{case}",
        started_at=start,
        received_at=start,
        **known,
    )
    log.say(
        "session.ended",
        end,
        GATHER,
        case=case,
        ended_at=end,
        last_number=9,
        state="complete",
        missing=0,
        received_at=end,
        **known,
    )


def end_it(
    log: Stream, case: str, when: int, *, how: str = "returned", by: str = "ann", confirmed: int = MINUTE
) -> None:
    """The end, the closing on the target, and its read-back; a window judged complete; a review is due."""
    known: Given = {"grant_id": f"G-{case}"}
    ended: Given = {} if how == "expired" else {"ended_by": by}
    if how == "revoked":
        ended["cause"] = "by another person"
    log.say(
        f"grant.{how}",
        when,
        SWEEP if how == "expired" else by,
        case=case,
        ended_at=when,
        over_at=when,
        **known,
        **ended,
    )
    read: Given = {"removed_at": when + 1000, "read_back_from": "target"}
    log.say(
        "grant.read_back", when + confirmed, SWEEP, case=case, system_id="billing", clear=1, read_at=when + confirmed,
        remainders=[], drift=[], sessions_ended=0, attempt=1, **known, **read,
    )  # fmt: skip
    log.say(
        "grant.ended", when + confirmed, SWEEP, case=case, person_id="ann", system_id="billing", cause=how,
        ended_at=when, over_at=when, confirmed_at=when + confirmed, review_due_at=when + 72 * HOUR, **known, **read,
    )  # fmt: skip
    log.say(
        "review.due",
        when + confirmed,
        SWEEP,
        case=case,
        review_id=f"{case}-review",
        system_id="billing",
        due_at=when + 72 * HOUR,
        pool=["kim"],
        **known,
    )


def verdict(log: Stream, case: str, from_at: int, to_at: int, says: str = "complete") -> None:
    """What completeness says of the window of a case."""
    log.say(
        "completeness.judged", to_at + HOUR, JUDGE, case=case, window_id=f"{case}-window", source_id="S-billing",
        system_id="billing", kind="grant", grant_id=f"G-{case}", from_at=from_at, to_at=to_at, verdict=says,
    )  # fmt: skip


def review(log: Stream, case: str, when: int, *, by: str = "kim", **fields: Any) -> None:
    """A review by someone not involved. Of offline cards ``grant_id`` is ``None``."""
    grant = fields.pop("grant_id", f"G-{case}")
    said: Given = {
        "due_at": when + HOUR, "answers": {"Q01": "yes"}, "answers_missing": 0, "adverse_answers": 0,
        "emergency_upheld": 1, "accepted_activities": [], "outcome": "clean", "statement_sha256": "dd",
        "involved": ["ann", "ines"], "active_seconds": 400, "evidence_skipped": 0, "activities_seen": 2,
    }  # fmt: skip
    log.say(
        "review.submitted", when, by, case=case, review_id=f"{case}-review", grant_id=grant, system_id="billing",
        reviewer_id=by,
        **said | fields,
    )  # fmt: skip


def approved_use(log: Stream, case: str, start: int) -> None:
    """A whole use with approval: asked, approved after 5 minutes, open for 44, two actions, reviewed after 6 hours."""
    ask(log, case, start)
    approve(log, case, start + 5 * MINUTE)
    open_it(log, case, start + 6 * MINUTE)
    session(log, case, start + 10 * MINUTE, start + 40 * MINUTE)
    act(log, case, 1, start + 11 * MINUTE, "catalogue_read")
    act(log, case, 2, start + 26 * MINUTE)
    end_it(log, case, start + 50 * MINUTE)
    verdict(log, case, start + 6 * MINUTE, start + 50 * MINUTE)
    review(log, case, start + 410 * MINUTE)


def bypass_use(log: Stream, case: str, start: int, *, person: str = "ben", **fields: Any) -> None:
    """A whole use by bypass; what it owed was given before the review."""
    owed: Given = {"category": None, "reason_length": 11, "intended_classes": [], "incident_ref": None}
    ask(log, case, start, person=person, mode="bypass", **owed | fields)
    open_it(log, case, start + MINUTE, person=person, mode="bypass")
    log.say(
        "request.supplemented", start + 20 * MINUTE, person, case=case, category="availability", reason="more",
        reason_length=80, intended_classes=["data_read"], incident_ref="INC-2055",
    )  # fmt: skip
    session(log, case, start + 2 * MINUTE, start + 20 * MINUTE)
    act(log, case, 1, start + 5 * MINUTE, "data_read")
    end_it(log, case, start + 25 * MINUTE, by=person)
    verdict(log, case, start + MINUTE, start + 25 * MINUTE)
    review(log, case, start + 10 * HOUR, involved=[person])


def attestation(log: Stream, name: str, start: int, due: int) -> None:
    """A campaign over the two eligibilities: one kept, one revoked, carried out and read back."""
    known: Given = {"campaign_id": name, "duty_id": f"D-{name}", "kind": "eligibility", "system_id": "billing"}
    log.say(
        "duty.set", start - HOUR, SWEEP, duty_id=f"D-{name}", kind="campaign", subject_kind="eligibility",
        system_id="billing", due_at=due,
    )  # fmt: skip
    log.say(
        "campaign.started", start, SWEEP, snapshot_at=start, snapshot_sha256="ee", item_count=2, second_count=2,
        not_put_to_anyone=0, due_at=due, **known,
    )  # fmt: skip
    for number, person in enumerate(("ann", "ben")):
        item: Given = {"item_id": f"{name}-{person}", "campaign_id": name}
        log.say(
            "campaign.item_listed", start, SWEEP, subject_id=f"E-{person}", subject_kind="eligibility",
            person_id=person, privilege_id="write", owner_id="jon", reviewer_id="jon", due_at=due, **item,
        )  # fmt: skip
        shown = start + HOUR + number * 10 * MINUTE
        log.say("campaign.item_shown", shown, "jon", **item)
        log.say(
            "campaign.item_decided",
            shown + MINUTE,
            "jon",
            decision=("keep", "revoke")[number],
            reason_given=1,
            reason="so",
            **item,
        )
    gone = start + 2 * HOUR
    revoked: Given = {"item_id": f"{name}-ben", "campaign_id": name}
    log.say(
        "eligibility.revoked", gone, "jon", eligibility_id="E-ben", person_id="ben", system_id="billing",
        privilege_id="write", revoked_at=gone, cause="attestation",
        **_rule(gone, narrows=1) | {"changed_by": "jon", "approved_by": None, "approved_at": None},
    )  # fmt: skip
    log.say("campaign.removal_done", gone, "process:closing", done_at=gone, done_by="process:closing", **revoked)
    log.say(
        "campaign.removal_read_back",
        gone + MINUTE,
        "process:listing",
        read_back_at=gone + MINUTE,
        read_back_by="process:listing",
        access_present=0,
        **revoked,
    )
    log.say(
        "campaign.closed", gone + HOUR, "jon", closed_at=gone + HOUR, recomputed_sha256="ee", statement_sha256="ff",
        kept=1, modified=0, revoked=1, undecided=0, **known,
    )  # fmt: skip


def quarter() -> Stream:
    """A quarter in which all went well: an approved use, a refused self-approval, a bypass, an attestation."""
    log = organisation()
    approved_use(log, "C1", at("07-03", "02:00"))
    log.say(
        "request.approval_refused", at("07-03", "02:02"), "ann", case="C1", act="approve", code="not_allowed",
        kind="own approval", sentence="Nobody approves their own request.",
    )  # fmt: skip
    bypass_use(log, "C2", at("07-09", "03:00"))
    attestation(log, "K1", at("08-20"), at("08-28"))
    return log
