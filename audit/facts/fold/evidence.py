"""Alerts, downloads and keys."""

from audit.facts.fold.changes import rule_change
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, given

DOWNLOAD = (
    "pack_id", "person_id", "in_role_and_scope", "purpose_given", "link_expires_at", "redaction_profile",
    "required_profile",
)  # fmt: skip


def queued(facts: Facts, entry: LogEntry) -> None:
    """Somebody is to be told."""
    facts.put("alerts", entry.fields["alert_id"], **given(entry, "grant_id", "recipient_id", "channel", "receipts"))


def sent(facts: Facts, entry: LogEntry) -> None:
    """An alert left the portal; the first time counts."""
    alert = entry.fields["alert_id"]
    first = facts.get("alerts", alert).get("sent_at")
    names = ("grant_id", "recipient_id", "channel", "receipts")
    facts.put("alerts", alert, sent_at=first or entry.fields["sent_at"], **given(entry, *names))


def acknowledged(facts: Facts, entry: LogEntry) -> None:
    """The recipient has seen it, so by then it had been delivered."""
    alert = facts.get("alerts", entry.fields["alert_id"])
    if alert.get("acknowledged_at") is None:
        facts.put(
            "alerts", entry.fields["alert_id"], delivered_at=alert.get("delivered_at") or entry.at,
            acknowledged_at=entry.at, **given(entry, "grant_id", "recipient_id"),
        )  # fmt: skip


def downloaded(facts: Facts, entry: LogEntry) -> None:
    """A pack was downloaded."""
    facts.put("downloads", str(entry.id), at=entry.at, **given(entry, *DOWNLOAD))


def key_added(facts: Facts, entry: LogEntry) -> None:
    """A key came into use."""
    rule_change(facts, entry, "key")


HANDLERS = {
    "alert.queued": queued,
    "alert.sent": sent,
    "alert.acknowledged": acknowledged,
    "pack.downloaded": downloaded,
    "key.added": key_added,
}
