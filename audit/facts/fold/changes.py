"""Changes of rules: what a policy, role, eligibility, source or key changed, and who agreed."""

from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

COLUMNS = ("narrows", "changed_by", "beneficiary_id", "approved_by", "approved_at", "effective_at")


def rule_change(facts: Facts, entry: LogEntry, kind: str) -> None:
    """One change of rules; what widens is an act that needs a strong sign-in. The founding has its own row."""
    if _of_the_founding(facts, entry):
        return
    facts.put("rule_changes", str(entry.id), kind=kind, **given(entry, *COLUMNS))
    if not entry.fields.get("narrows", 0):
        facts.act(entry, "change")


def proposed(facts: Facts, entry: LogEntry) -> None:
    """Somebody proposed a change that waits for a second person."""
    facts.act(entry, "change")


def _of_the_founding(facts: Facts, entry: LogEntry) -> bool:
    """Whether the founding process made one of its two people an administrator."""
    made = entry.name == "role.granted" and entry.fields.get("role") == "administrator"
    return made and entry.by == facts.founded_by and entry.fields.get("person_id") in facts.founders
