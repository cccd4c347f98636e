"""Access requests, approvals, and what was refused."""

from audit.events import catalogue
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

ASKED = (
    "responder_id", "system_id", "privilege_id", "mode", "category", "criterion", "reason_length", "reason_repeats",
    "intended_classes", "incident_ref", "minutes", "policy_id", "policy_sha256",
)  # fmt: skip
OWED = ("category", "intended_classes", "incident_ref")


def made(facts: Facts, entry: LogEntry) -> None:
    """A responder asked. A bypass opens by it, so asking is the act; else the portal opens after the approval."""
    bypass = entry.fields.get("mode") == "bypass"
    status = "approved" if bypass else "awaiting"
    facts.put("requests", entry.case, requested_at=entry.at, status=status, **given(entry, *ASKED))
    facts.involved[entry.case].add(entry.fields["responder_id"])
    if bypass:
        facts.act(entry, "open", entry.case)


def supplemented(facts: Facts, entry: LogEntry) -> None:
    """What a bypass owed was given. It is owed until the review: what comes later changes no fact."""
    if any(review.get("submitted_at") for review in _reviews(facts, entry.case)):
        return
    said = max(facts.get("requests", entry.case).get("reason_length", 0), entry.fields.get("reason_length", 0))
    facts.change("requests", entry.case, reason_length=said, **given(entry, *OWED))


def _reviews(facts: Facts, case: str) -> list[dict[str, object]]:
    keys = [key for table, key in facts.case_rows[case] if table == "reviews"]
    return [facts.get("reviews", key) for key in keys]


def approved(facts: Facts, entry: LogEntry) -> None:
    """An approver said yes."""
    _decided(facts, entry, "approve")
    facts.act(entry, "approve", entry.case)
    if entry.fields.get("approvals", 1) >= entry.fields.get("approvals_needed", 1):
        facts.change("requests", entry.case, status="approved")


def declined(facts: Facts, entry: LogEntry) -> None:
    """An approver said no, which ends the request."""
    _decided(facts, entry, "decline")
    facts.change("requests", entry.case, status="declined")
    _refusal(facts, entry, "declined", terminal=1)


def _decided(facts: Facts, entry: LogEntry, decision: str) -> None:
    facts.put(
        "approvals", entry.fields.get("approval_id", str(entry.id)), request_id=entry.case, approver_id=entry.by,
        decision=decision, decided_at=entry.at, **given(entry, "delegated_by", "refusal_id"),
    )  # fmt: skip
    facts.involved[entry.case].add(entry.by)


def lapsed(facts: Facts, entry: LogEntry) -> None:
    """Nobody answered in time, which ends the request."""
    facts.change("requests", entry.case, status="lapsed")
    _refusal(facts, entry, "lapsed", terminal=1)


def withdrawn(facts: Facts, entry: LogEntry) -> None:
    """The responder took the request back; nothing was refused."""
    facts.change("requests", entry.case, status="withdrawn")


def refused(facts: Facts, entry: LogEntry) -> None:
    """An act was refused."""
    _refusal(facts, entry, entry.fields["kind"], terminal=0)


def not_made(facts: Facts, entry: LogEntry) -> None:
    """A request was refused before it stood; its case, if it has one, never opens."""
    _refusal(facts, entry, entry.fields["kind"], terminal=int(entry.case not in facts.rows["requests"]))


def _refusal(facts: Facts, entry: LogEntry, kind: str, *, terminal: int) -> None:
    facts.put("refusals", str(entry.id), request_id=entry.case or None, kind=kind, terminal=terminal, at=entry.at)


REFUSED = tuple(name for name in catalogue if name.endswith(".act_refused"))

HANDLERS = {
    "request.made": made,
    "request.supplemented": supplemented,
    "request.approved": approved,
    "request.declined": declined,
    "request.withdrawn": withdrawn,
    "request.lapsed": lapsed,
    "request.refused": not_made,
    "request.approval_refused": refused,
    **dict.fromkeys(REFUSED, refused),
}
