"""Changes of rules: what a policy, role, eligibility, source or key changed, and who agreed."""

from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

COLUMNS = ("narrows", "changed_by", "beneficiary_id", "approved_by", "approved_at", "effective_at")


def rule_change(facts: Facts, entry: LogEntry, kind: str) -> None:
    """One change of rules; what widens is an act that needs a strong sign-in."""
    facts.put("rule_changes", str(entry.id), kind=kind, **given(entry, *COLUMNS))
    if not entry.fields.get("narrows", 0):
        facts.act(entry, "change")


def proposed(facts: Facts, entry: LogEntry) -> None:
    """Somebody proposed a change that waits for a second person."""
    facts.act(entry, "change")


def administrator_made(facts: Facts, entry: LogEntry) -> None:
    """A process made somebody administrator: at the founding, which has one row of its own for both people."""
    facts.put("rule_changes", str(entry.id), kind="role", **given(entry, *COLUMNS))
    facts.made_administrators.append((str(entry.id), entry.by, entry.fields["person_id"]))
    forget_founding_roles(facts)


def forget_founding_roles(facts: Facts) -> None:
    """Leave out the roles that the founding gave; its events may come before or after those of the roles."""
    for event, by, person in facts.made_administrators:
        if by == facts.founded_by and person in facts.founders:
            facts.rows["rule_changes"].pop(event, None)
