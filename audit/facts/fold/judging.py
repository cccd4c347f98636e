"""Reviews, campaigns, duties and findings."""

from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, Row, given

REVIEW = (
    "grant_id", "due_at", "answers_missing", "adverse_answers", "emergency_upheld", "accepted_activities",
    "statement_sha256",
)  # fmt: skip
MARKS = ("risk", "evidence_opened", "same_reason")
CAMPAIGN = (
    "kind", "system_id", "snapshot_at", "snapshot_sha256", "item_count", "second_count", "not_put_to_anyone", "due_at",
)  # fmt: skip


def review_due(facts: Facts, entry: LogEntry) -> None:
    """A use is to be reviewed."""
    facts.put("reviews", entry.fields["review_id"], **given(entry, "grant_id", "due_at"))


def review_submitted(facts: Facts, entry: LogEntry) -> None:
    """A reviewer judged a use; the first judgement stands."""
    review, reviewer = entry.fields["review_id"], entry.fields["reviewer_id"]
    if facts.get("reviews", review).get("submitted_at") is not None:
        return
    facts.put("reviews", review, reviewer_id=reviewer, submitted_at=entry.at, **given(entry, *REVIEW))
    facts.put("reviews", review, accepted_activities=_accepted(facts, entry))
    facts.act(entry, "review", entry.case or None)
    _judged(facts, entry, review, kind="review", subject=_user(facts, entry), involved=facts.involved[entry.case])
    _sat(facts, entry, review)


def offline_review_due(facts: Facts, entry: LogEntry) -> None:
    """In older logs: a declared use of offline cards is to be reviewed. Nothing was opened, so there is no grant that it belongs to."""
    facts.put("reviews", entry.fields["review_id"], **given(entry, "due_at"))


def offline_reviewed(facts: Facts, entry: LogEntry) -> None:
    """In older logs: somebody judged it in one act. How long it was on their screen was not measured, so there is no sitting."""
    review = entry.fields["review_id"]
    names = ("reviewer_id", "due_at", "answers_missing", "adverse_answers", "emergency_upheld", "statement_sha256")
    facts.put("reviews", review, submitted_at=entry.at, accepted_activities=[], **given(entry, *names))
    facts.act(entry, "review", entry.case or None)
    _judged(facts, entry, review, kind="review", subject=_user(facts, entry), involved=facts.involved[entry.case])


def _user(facts: Facts, entry: LogEntry) -> str | None:
    """Whose use it was: of offline cards there is no grant, and who declared it used them."""
    grant = facts.get("grants", entry.fields.get("grant_id", ""))
    return grant.get("person_id") or facts.get("requests", entry.case).get("responder_id")


def second_asked(facts: Facts, entry: LogEntry) -> None:
    """A second reviewer is to look at what the first found."""
    facts.change("reviews", entry.fields["review_id"], second_due_at=entry.fields["due_at"])


def second_submitted(facts: Facts, entry: LogEntry) -> None:
    """And did. Whoever judged first had a hand in what is judged now."""
    review = entry.fields["review_id"]
    row = facts.get("reviews", review)
    if row.get("second_submitted_at") is not None:
        return
    facts.change(
        "reviews", review, second_reviewer_id=entry.fields["reviewer_id"], second_submitted_at=entry.at,
        second_agrees=int(entry.fields["agrees"]),
    )  # fmt: skip
    facts.act(entry, "review", entry.case or None)
    first = {str(row["reviewer_id"])} if row.get("reviewer_id") else set()
    _judged(
        facts, entry, f"{review}:second", kind="review", subject=_user(facts, entry), involved=facts.involved[entry.case] | first
    )  # fmt: skip
    _sat(facts, entry, f"{review}:second")


def acts_accepted(facts: Facts, entry: LogEntry) -> None:
    """A reviewer accepted actions outside the intent; it counts when the review is submitted."""
    facts.acceptances[entry.fields["review_id"]][entry.fields["acceptance_id"]] = dict(entry.fields)


def acceptance_taken_back(facts: Facts, entry: LogEntry) -> None:
    """And no longer does."""
    facts.acceptances[entry.fields["review_id"]].pop(entry.fields["acceptance_id"], None)


def _accepted(facts: Facts, entry: LogEntry) -> list[str]:
    """Ids that the review names, and all of the groups that it accepted, each up to its entry of the log."""
    standing = facts.acceptances[entry.fields["review_id"]].values()
    ids = set(entry.fields["accepted_activities"]).union(*(each["activities"] for each in standing))
    groups = [each for each in standing if "class" in each]
    if groups:
        for table, key in facts.case_rows[entry.case]:
            if table == "activities" and any(_in_group(facts, key, each) for each in groups):
                ids.add(key)
    return sorted(ids)


def change_recorded(facts: Facts, entry: LogEntry) -> None:
    """Change control knows of changes of a use: all of the named classes up to an entry of the log."""
    record = entry.fields["change_record_id"]
    facts.put("change_records", record, **given(entry, "raised_at", "approved_by", "disposition"))
    groups = [{"class": kind, "upto": entry.fields["upto"]} for kind in entry.fields["kinds"]]
    for table, key in list(facts.case_rows[entry.case]):
        if table == "activities" and any(_in_group(facts, key, each) for each in groups):
            facts.put("change_links", f"{record}:{key}", change_record_id=record, activity_id=key)


def privacy_decided(facts: Facts, entry: LogEntry) -> None:
    """The privacy decision on a use; when it was first made counts, what it says last."""
    grant = entry.fields["grant_id"]
    first = facts.get("triages", grant).get("decided_at")
    facts.put(
        "triages", grant, decided_at=entry.at if first is None else first, aware_at=entry.fields.get("aware_at"),
        delay_reason_given=facts.get("triages", grant).get("delay_reason_given", 0),
        **given(entry, "reason_given", "breach", "risk_unlikely"),
    )  # fmt: skip


def privacy_notified(facts: Facts, entry: LogEntry) -> None:
    """A breach was notified."""
    facts.change("triages", entry.fields["grant_id"], **given(entry, "notified_at", "delay_reason_given"))


def _in_group(facts: Facts, key: str, group: Row) -> bool:
    row = facts.get("activities", key)
    session = group.get("session_id")
    return (
        row.get("class") == group["class"]
        and session in (None, row.get("session_id"))
        and facts.act_index.get(key, 0) <= group["upto"]
    )


def _judged(facts: Facts, entry: LogEntry, key: str, *, kind: str, subject: str | None, involved: set[str]) -> None:
    """Who judged, and everyone who had a hand in what was judged, by the log and by the portal's own list."""
    manager = facts.get("people", entry.by).get("manager_id")
    facts.put(
        "judgements", key, kind=kind, judge_id=entry.by, judge_manager_id=manager, lines_known=int(manager is not None),
        involved_ids=sorted(involved | set(entry.fields.get("involved", ()))), subject_id=subject, at=entry.at,
    )  # fmt: skip


def _sat(facts: Facts, entry: LogEntry, review: str) -> None:
    seconds = entry.fields.get("active_seconds")
    facts.put(
        "sittings", review, kind="review", judge_id=entry.by, at=entry.at, row_count=1, active_seconds=seconds,
        actions=entry.fields.get("activities_seen", 0), evidence_skipped=entry.fields.get("evidence_skipped"),
        median_seconds=seconds, bulk_over_mixed_risk=0, same_comment_rows=0,
    )  # fmt: skip


def campaign_started(facts: Facts, entry: LogEntry) -> None:
    """An attestation began with its list."""
    facts.put("campaigns", entry.fields["campaign_id"], **given(entry, *CAMPAIGN), **_unmatched(entry))


def _unmatched(entry: LogEntry) -> Row:
    """Rows of one side alone. Before it was told row by row there are at least as many as the counts differ by."""
    second = entry.fields.get("second_count")
    if second is None:
        return {}
    told = [entry.fields[name] for name in ("only_listed", "only_elsewhere") if name in entry.fields]
    return {"unmatched": sum(told) if told else abs(second - entry.fields["item_count"])}


def campaign_closed(facts: Facts, entry: LogEntry) -> None:
    """An attestation was closed, and did its duty."""
    facts.put("campaigns", entry.fields["campaign_id"], **given(entry, "closed_at", "recomputed_sha256"))
    facts.act(entry, "attest")
    facts.change("duties", entry.fields["duty_id"], done_at=entry.fields["closed_at"], ok=1)


def item_listed(facts: Facts, entry: LogEntry) -> None:
    """One line of an attestation."""
    names = ("campaign_id", "subject_id", "owner_id", "reviewer_id", "due_at")
    facts.put("items", entry.fields["item_id"], **given(entry, *names))
    if "person_id" in entry.fields:
        facts.item_people[entry.fields["item_id"]] = entry.fields["person_id"]


def item_reassigned(facts: Facts, entry: LogEntry) -> None:
    """A line went to another judge, or to nobody; whoever it was put to now owns it and has not seen it."""
    item = entry.fields["item_id"]
    _put_to(facts, item, entry.fields.get("to_id"))
    facts.change("items", item, owner_id=entry.fields["owner_id"], shown_at=None)


def _put_to(facts: Facts, item: str, to: str | None) -> None:
    """Count anew how many lines of the attestation are put to nobody."""
    row = facts.get("items", item)
    campaign = row.get("campaign_id")
    nobody = facts.get("campaigns", campaign).get("not_put_to_anyone")
    if campaign is not None and nobody is not None:
        moved = (to is None) - (row.get("reviewer_id") is None)
        facts.change("campaigns", campaign, not_put_to_anyone=nobody + moved)
    facts.change("items", item, reviewer_id=to)


def item_shown(facts: Facts, entry: LogEntry) -> None:
    """A line was put before its reviewer; the first time counts."""
    item = entry.fields["item_id"]
    shown = facts.get("items", item).get("shown_at")
    facts.change("items", item, shown_at=entry.at if shown is None else shown)


def item_decided(facts: Facts, entry: LogEntry) -> None:
    """A line was decided. A transfer names its owner, who then decides."""
    item, decision = entry.fields["item_id"], entry.fields["decision"]
    if decision == "transfer":
        _put_to(facts, item, entry.fields.get("to_id"))
    facts.change(
        "items", item, decision=decision, decided_at=entry.at, reviewer_id=entry.by,
        **given(entry, "reason_given", "delegated_by"),
    )  # fmt: skip
    if decision == "transfer":
        facts.change("items", item, owner_id=entry.fields.get("to_id"), shown_at=None)
        return
    facts.item_marks[item] = {name: entry.fields[name] for name in MARKS if name in entry.fields}
    facts.act(entry, "attest")
    granted_by = facts.get("eligibilities", facts.get("items", item).get("subject_id")).get("granted_by")
    person = facts.item_people.get(item)
    hands = {each for each in (granted_by, person) if each}
    _judged(facts, entry, item, kind="item", subject=person, involved=hands)


def bulk_kept(facts: Facts, entry: LogEntry) -> None:
    """Lines were kept together; over mixed risk that is a signal."""
    if entry.fields["mixed_risk"]:
        facts.mixed_bulks.add((entry.fields["campaign_id"], entry.by))


def removal_done(facts: Facts, entry: LogEntry) -> None:
    """A decision to remove was carried out."""
    facts.put("remedies", entry.fields["item_id"], **given(entry, "done_at", "done_by"))


def removal_read_back(facts: Facts, entry: LogEntry) -> None:
    """The target was listed after a removal. The first answer stands: what was there although it was said to be gone is not mended by going later."""
    item = entry.fields["item_id"]
    if facts.get("remedies", item).get("read_back_at") is None:
        facts.put("remedies", item, **given(entry, "read_back_at", "read_back_by", "access_present"))


def duty_set(facts: Facts, entry: LogEntry) -> None:
    """Something is owed on a schedule."""
    facts.put(
        "duties",
        entry.fields["duty_id"],
        **given(entry, "kind", "subject_kind", "system_id", "due_at", "days_since_previous"),
    )


def drill_judged(facts: Facts, entry: LogEntry) -> None:
    """How a drill went, as its sheet was found; the duties are worked out from it (see ``schedule``)."""
    facts.drills[entry.case] = {
        "system_id": entry.fields["system_id"],
        "over_at": entry.fields["over_at"],
        "worked": int(entry.fields["worked"]),
    }


def finding_raised(facts: Facts, entry: LogEntry) -> None:
    """There is something to put right; given an owner at once, it was assigned at once."""
    assigned = entry.at if "owner_id" in entry.fields else None
    facts.put(
        "findings", entry.fields["finding_id"], subject_id=entry.fields["about_id"], raised_at=entry.at,
        cause_given=0, response_given=0,
        **{"assigned_at": assigned} | given(entry, "test_id", "owner_id", "due_at", "assigned_at"),
    )  # fmt: skip


def finding_assigned(facts: Facts, entry: LogEntry) -> None:
    """A finding has an owner; when it first had one counts. A date that comes later with it was moved by whoever gave it."""
    finding = entry.fields["finding_id"]
    row = facts.get("findings", finding)
    first, before, due_at = row.get("assigned_at"), row.get("due_at"), entry.fields.get("due_at")
    moved = {"extended_by": entry.by} if before is not None and due_at is not None and due_at > before else {}
    facts.change("findings", finding, assigned_at=first or entry.at, **given(entry, "owner_id", "due_at"), **moved)


def finding_answered(facts: Facts, entry: LogEntry) -> None:
    """Cause and response were given."""
    facts.change("findings", entry.fields["finding_id"], **given(entry, "cause_given", "response_given"))


def finding_moved(facts: Facts, entry: LogEntry) -> None:
    """A finding's date was moved."""
    facts.change("findings", entry.fields["finding_id"], **given(entry, "due_at", "extended_by"))


def finding_closed(facts: Facts, entry: LogEntry) -> None:
    """A finding was closed."""
    facts.change("findings", entry.fields["finding_id"], closed_at=entry.at, **given(entry, "retest_ok"))


HANDLERS = {
    "review.due": review_due,
    "review.acts_accepted": acts_accepted,
    "review.acceptance_taken_back": acceptance_taken_back,
    "review.submitted": review_submitted,
    "offline.review_due": offline_review_due,
    "offline.reviewed": offline_reviewed,
    "review.second_asked": second_asked,
    "review.second_submitted": second_submitted,
    "change.recorded": change_recorded,
    "privacy.decided": privacy_decided,
    "privacy.notified": privacy_notified,
    "campaign.started": campaign_started,
    "campaign.item_listed": item_listed,
    "campaign.item_reassigned": item_reassigned,
    "campaign.item_shown": item_shown,
    "campaign.item_decided": item_decided,
    "campaign.bulk_kept": bulk_kept,
    "campaign.removal_done": removal_done,
    "campaign.removal_read_back": removal_read_back,
    "campaign.closed": campaign_closed,
    "drill.judged": drill_judged,
    "duty.set": duty_set,
    "finding.raised": finding_raised,
    "finding.assigned": finding_assigned,
    "finding.answered": finding_answered,
    "finding.due_moved": finding_moved,
    "finding.closed": finding_closed,
}
