"""Alerts, downloads, keys and restores."""

from audit.facts.fold.changes import rule_change
from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts, Taken, given


def queued(facts: Facts, entry: LogEntry) -> None:
    """Somebody is to be told."""
    facts.put("alerts", entry.fields["alert_id"], **given(entry, "grant_id", "recipient_id", "channel", "receipts"))


def sent(facts: Facts, entry: LogEntry) -> None:
    """An alert left the portal; the first time counts. Where the channel gives receipts, it says when the receiver confirmed it."""
    alert = entry.fields["alert_id"]
    known = facts.get("alerts", alert)
    names = ("grant_id", "recipient_id", "channel", "receipts")
    facts.put(
        "alerts", alert, sent_at=known.get("sent_at") or entry.fields["sent_at"],
        delivered_at=known.get("delivered_at") or entry.fields.get("delivered_at"), **given(entry, *names),
    )  # fmt: skip


def acknowledged(facts: Facts, entry: LogEntry) -> None:
    """The recipient has seen it, so by then it had been delivered."""
    alert = facts.get("alerts", entry.fields["alert_id"])
    if alert.get("acknowledged_at") is None:
        facts.put(
            "alerts", entry.fields["alert_id"], delivered_at=alert.get("delivered_at") or entry.at,
            acknowledged_at=entry.at, **given(entry, "grant_id", "recipient_id"),
        )  # fmt: skip


def pack_requested(facts: Facts, entry: LogEntry) -> None:
    """A pack was asked for: of which systems."""
    facts.packs[entry.fields["pack_id"]] = frozenset(entry.fields["systems"])


def downloaded(facts: Facts, entry: LogEntry) -> None:
    """A pack was downloaded. What the event says of role, link and redaction is the portal's own word, so it is no fact."""
    key = str(entry.id)
    facts.put("downloads", key, at=entry.at, **given(entry, "pack_id", "person_id", "purpose_given"))
    facts.taken[key] = Taken(facts.packs.get(entry.fields["pack_id"], frozenset()))


def dossier_downloaded(facts: Facts, entry: LogEntry) -> None:
    """The dossier of a case was downloaded; no purpose is asked for it."""
    key, system = str(entry.id), facts.get("requests", entry.case).get("system_id")
    facts.put("downloads", key, at=entry.at, pack_id=entry.fields["dossier_id"], **given(entry, "person_id"))
    facts.taken[key] = Taken(frozenset({system} if system else ()), entry.case)


def key_added(facts: Facts, entry: LogEntry) -> None:
    """A key came into use."""
    rule_change(facts, entry, "key")


def restored(facts: Facts, entry: LogEntry) -> None:
    """A backup was restored for trial, or could not be; an entry that does not verify shows neither."""
    if not facts.damaged:
        facts.restores.append((entry.at, int(entry.name == "backup.rehearsed")))


HANDLERS = {
    "alert.queued": queued,
    "alert.sent": sent,
    "alert.acknowledged": acknowledged,
    "pack.requested": pack_requested,
    "pack.downloaded": downloaded,
    "dossier.downloaded": dossier_downloaded,
    "key.added": key_added,
    "backup.rehearsed": restored,
    "backup.rehearsal_failed": restored,
}
