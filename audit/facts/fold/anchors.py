"""Who outside vouches for the log, and who could alter what is stored of it."""

from audit.facts.fold.entry import LogEntry
from audit.facts.fold.state import Facts

WITNESS, AUTHORITY, STORE = "witness", "timestamp", "locked store"


def witnessed(facts: Facts, entry: LogEntry) -> None:
    """A witness has cosigned a checkpoint."""
    _anchor(facts, entry, WITNESS, ok=bool(entry.fields["ok"]))


def not_witnessed(facts: Facts, entry: LogEntry) -> None:
    """One is listed, and vouches for nothing now."""
    facts.put("checkpoints", str(entry.id), anchor_kind=WITNESS, anchored_at=None, anchor_ok=0)


def timestamped(facts: Facts, entry: LogEntry) -> None:
    """An authority put a time under a checkpoint; it was verified before it was kept."""
    _anchor(facts, entry, AUTHORITY, ok=True)


def not_timestamped(facts: Facts, entry: LogEntry) -> None:
    """One is set, and vouches for nothing now."""
    facts.put("checkpoints", str(entry.id), anchor_kind=AUTHORITY, anchored_at=None, anchor_ok=0)


def lock_read_back(facts: Facts, entry: LogEntry) -> None:
    """Whoever keeps the bucket vouches for what is locked there: it is as it was, and stays."""
    _anchor(facts, entry, STORE, ok=bool(entry.fields["ok"]))


def _anchor(facts: Facts, entry: LogEntry, kind: str, *, ok: bool) -> None:
    facts.put(
        "checkpoints", str(entry.id), size=entry.fields["size"], anchor_kind=kind, anchored_at=entry.fields["at"], anchor_ok=int(ok)
    )  # fmt: skip


def guards_checked(facts: Facts, entry: LogEntry) -> None:
    """Somebody's rights on a store were looked up; which check of the schedule this was is computed afterwards."""
    said = {
        name: entry.fields.get(name) for name in ("alter_rights", "other_writers", "guards_on", "sealing_key_apart")
    }
    facts.guards[entry.fields["store"]].append({"done_at": entry.at, **said})


HANDLERS = {
    "log.witnessed": witnessed,
    "log.not_witnessed": not_witnessed,
    "log.timestamped": timestamped,
    "log.timestamp_failed": not_timestamped,
    "log.lock_read_back": lock_read_back,
    "log.guards_checked": guards_checked,
}
