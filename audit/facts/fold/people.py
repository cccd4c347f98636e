"""People and the founding of the portal."""

from audit.facts.fold.changes import forget_founding_roles
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

KNOWN = ("joined_at", "manager_id", "third_party", "sponsor_id", "sponsor_active", "contract_end")


def founded(facts: Facts, entry: LogEntry) -> None:
    """The founding is one change of rules with two people."""
    first, second = (*entry.fields["administrators"], None, None)[:2]
    facts.founders, facts.founded_by = tuple(entry.fields["administrators"]), entry.by
    facts.put(
        "rule_changes", str(entry.id), kind="founding", narrows=0, changed_by=first, approved_by=second,
        approved_at=entry.at, effective_at=entry.at,
    )  # fmt: skip
    forget_founding_roles(facts)


def added(facts: Facts, entry: LogEntry) -> None:
    """A person is known."""
    facts.put("people", entry.fields["person_id"], **given(entry, *KNOWN))


def left(facts: Facts, entry: LogEntry) -> None:
    """A person left. Whom they sponsored is judged by that time, see the view of openings: an earlier use had its sponsor."""
    facts.put("people", entry.fields["person_id"], left_at=entry.fields["left_at"])


def sponsored(facts: Facts, entry: LogEntry) -> None:
    """Another word on sponsor and contract; the one before held until then, and what was said at first stays in people."""
    person = entry.fields["person_id"]
    for key, row in list(facts.each("sponsorships")):
        if row["person_id"] == person and row["to_at"] is None:
            facts.put("sponsorships", key, to_at=entry.at)
    facts.put(
        "sponsorships", str(entry.id), person_id=person, sponsor_id=entry.fields["sponsor_id"],
        contract_end=entry.fields["contract_end"], from_at=entry.at, to_at=None,
    )  # fmt: skip


def manager_set(facts: Facts, entry: LogEntry) -> None:
    """Whom a person reports to from now on; nobody, where none is named."""
    facts.put("people", entry.fields["person_id"], manager_id=entry.fields.get("manager_id"))


def moved(facts: Facts, entry: LogEntry) -> None:
    """A person moved to other work; the last time counts."""
    facts.put("people", entry.fields["person_id"], moved_at=entry.fields["moved_at"])


def imported(facts: Facts, entry: LogEntry) -> None:
    """The personnel system answered."""
    facts.personnel_taken.append(entry.fields["taken_at"])


HANDLERS = {
    "portal.founded": founded,
    "person.added": added,
    "person.left": left,
    "person.moved": moved,
    "person.sponsored": sponsored,
    "person.manager_set": manager_set,
    "personnel.imported": imported,
}
