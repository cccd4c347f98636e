"""What happened to a finding, from the log, as lines for people."""

from portal.clock import moment
from portal.findings.models import Finding
from portal.findings.queries import actor_names, history, names_of

TITLES = {
    "finding.raised": "Raised",
    "finding.assigned": "Given to an owner",
    "finding.answered": "Answered",
    "finding.due_moved": "Date moved",
    "finding.retest_asked": "To be tested again",
    "finding.retested": "Tested again",
    "finding.closed": "Closed",
    "finding.act_refused": "An act was refused",
}


def lines_of(row: Finding) -> list[dict[str, object]]:
    """Items of the component timeline. Three queries, however long it is."""
    events = history(row, TITLES)
    names = actor_names(events) | names_of({str(event.fields.get("owner_id", "")) for event in events} - {""})
    return [
        {
            "title": TITLES[event.name], "at": moment(event.at), "by": names.get(event.by, "Somebody"),
            "text": _text(event.name, event.fields, names, event.says("comment") or event.says("reason")),
        }
        for event in events
    ]  # fmt: skip


def _text(name: str, fields: dict[str, object], names: dict[str, str], said: str) -> str:
    parts = []
    if name in ("finding.raised", "finding.assigned") and "owner_id" in fields:
        parts.append(f"Owner: {names.get(str(fields['owner_id']), 'somebody')}.")
    if name in ("finding.assigned", "finding.due_moved", "finding.raised") and "due_at" in fields:
        parts.append(f"Due {moment(int(str(fields['due_at']))):%-d %b %Y, %H:%M} UTC.")
    if name == "finding.closed":
        parts.append("Tested again: it holds." if fields["retest_ok"] else "Closed without a passed retest.")
    if name == "finding.retested":
        parts.append(f"{'Passed' if fields['retest_ok'] else 'Not passed'}. {fields['says']}")
    if name == "finding.act_refused":
        parts.append(str(fields["sentence"]))
    return " ".join([*parts, said]).strip()
