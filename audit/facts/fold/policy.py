"""Policy versions. One that was only proposed is no policy yet."""

from audit.facts.fold.changes import proposed, rule_change
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

COLUMNS = (
    "system_id", "sha256", "written_by", "approved_by", "approved_at", "effective_from", "review_due_at",
    "modes", "criteria", "figures",
)  # fmt: skip


def approved(facts: Facts, entry: LogEntry) -> None:
    """A version is in force, and ends the one of its system that was in force before it."""
    system, start = entry.fields["system_id"], entry.fields["effective_from"]
    for key, row in list(facts.each("policies")):
        replaced = key == entry.fields.get("replaces_id") or row.get("system_id") == system
        if replaced and row.get("effective_to") is None and row["effective_from"] <= start:
            facts.put("policies", key, effective_to=start)
    facts.put("policies", entry.fields["policy_id"], effective_to=None, **given(entry, *COLUMNS))
    rule_change(facts, entry, "policy")


def confirmed(facts: Facts, entry: LogEntry) -> None:
    """The version was looked at and left as it is: the look has a date of its own, and the version keeps its own."""
    said = entry.fields
    facts.put(
        "policy_confirmations", str(entry.id), policy_id=said["policy_id"], confirmed_by=said["confirmed_by"], confirmed_at=said["confirmed_at"],
        due_at=said["due_at"],
    )  # fmt: skip
    facts.act(entry, "attest")


HANDLERS = {"policy.proposed": proposed, "policy.approved": approved, "policy.confirmed": confirmed}
