"""Dated roles and eligibilities."""

from audit.facts.fold.changes import administrator_made, proposed, rule_change
from audit.facts.fold.entry import LogEntry, is_person
from audit.facts.fold.state import Facts, given


def role_granted(facts: Facts, entry: LogEntry) -> None:
    """A person holds a role, to its end where one was set."""
    columns = given(entry, "person_id", "role", "system_id", "granted_at", "granted_by")
    facts.put("roles", entry.fields["role_id"], ended_at=entry.fields.get("to_at"), **columns)
    if entry.fields["role"] == "administrator" and not is_person(entry.by):
        administrator_made(facts, entry)
    else:
        rule_change(facts, entry, "role")


def role_ended(facts: Facts, entry: LogEntry) -> None:
    """A role ended, at the latest when it was to end anyway."""
    role = entry.fields["role_id"]
    planned = facts.get("roles", role).get("ended_at")
    ended = entry.fields["ended_at"]
    facts.put(
        "roles", role, ended_at=ended if planned is None else min(planned, ended),
        **given(entry, "person_id", "role", "system_id"),
    )  # fmt: skip
    rule_change(facts, entry, "role")


def role_shortened(facts: Facts, entry: LogEntry) -> None:
    """A role ends earlier than it was to end."""
    role, to_at = entry.fields["role_id"], entry.fields["to_at"]
    planned = facts.get("roles", role).get("ended_at")
    facts.put(
        "roles", role, ended_at=to_at if planned is None else min(planned, to_at),
        **given(entry, "person_id", "role", "system_id"),
    )  # fmt: skip
    rule_change(facts, entry, "role")


def eligible(facts: Facts, entry: LogEntry) -> None:
    """A person is on the list for a privilege."""
    names = ("person_id", "system_id", "privilege_id", "granted_by", "granted_at", "expires_at")
    facts.put("eligibilities", entry.fields["eligibility_id"], **given(entry, *names))
    rule_change(facts, entry, "eligibility")


def revoked(facts: Facts, entry: LogEntry) -> None:
    """A person left the list; the first time counts."""
    key = entry.fields["eligibility_id"]
    known = facts.get("eligibilities", key).get("revoked_at")
    names = ("person_id", "system_id", "privilege_id")
    facts.put("eligibilities", key, revoked_at=known or entry.fields["revoked_at"], **given(entry, *names))
    rule_change(facts, entry, "eligibility")


def shortened(facts: Facts, entry: LogEntry) -> None:
    """A place on the list ends earlier."""
    facts.put("eligibilities", entry.fields["eligibility_id"], expires_at=entry.fields["expires_at"])
    rule_change(facts, entry, "eligibility")


def reconfirmed(facts: Facts, entry: LogEntry) -> None:
    """A place on the list was looked at and kept."""
    facts.change("eligibilities", entry.fields["eligibility_id"], reconfirmed_at=entry.at)


HANDLERS = {
    "role.proposed": proposed,
    "role.granted": role_granted,
    "role.ended": role_ended,
    "role.shortened": role_shortened,
    "eligibility.proposed": proposed,
    "eligibility.granted": eligible,
    "eligibility.revoked": revoked,
    "eligibility.shortened": shortened,
    "eligibility.reconfirmed": reconfirmed,
}
