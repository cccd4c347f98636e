"""Systems, privileges, sources, and listings of targets."""

from audit.facts.fold.changes import proposed, rule_change
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

SYSTEM = (
    "owner_id", "criticality", "personal_data", "in_scope_from", "in_scope_to", "connector", "reads_back",
    "lists_access",
)  # fmt: skip


def described(facts: Facts, entry: LogEntry) -> None:
    """A system came into scope, or its description changed."""
    facts.put("systems", entry.fields["system_id"], **given(entry, *SYSTEM))
    if entry.fields.get("major"):
        facts.major_changes[entry.fields["system_id"]].append(entry.at)


def source_declared(facts: Facts, entry: LogEntry) -> None:
    """A source reports from now on; declared again, it replaces what was declared before."""
    source = facts.sources.setdefault(entry.fields["source_id"], {"since": entry.at})
    source.update(system_id=entry.fields["system_id"], until=None)
    rule_change(facts, entry, "source")


def source_withdrawn(facts: Facts, entry: LogEntry) -> None:
    """A source reports no longer."""
    facts.sources.setdefault(entry.fields["source_id"], {"since": entry.at}).update(
        system_id=entry.fields["system_id"], until=entry.at
    )
    rule_change(facts, entry, "source")


def listed(facts: Facts, entry: LogEntry) -> None:
    """A listing was taken."""
    listing = facts.listings[entry.fields["listing_id"]]
    listing.system, listing.at = entry.fields["system_id"], entry.fields["taken_at"]


def login_listed(facts: Facts, entry: LogEntry) -> None:
    """One elevated right that a listing found on the target."""
    listing = facts.listings[entry.fields["listing_id"]]
    facts.put(
        "access_matches", str(entry.id), at=listing.at if listing.at is not None else entry.at, seen_in_target=1,
        **given(entry, "listing_id", "system_id", "person_id", "privilege_id", "seen_in_log", "request_count"),
    )  # fmt: skip
    if "grant_id" in entry.fields:
        listing.grants.add(entry.fields["grant_id"])


HANDLERS = {
    "system.registered": described,
    "system.changed": described,
    "system.change_proposed": proposed,
    "source.declared": source_declared,
    "source.withdrawn": source_withdrawn,
    "target.listed": listed,
    "target.login_listed": login_listed,
}
