"""How each process, the outbox, the log, the sources and the disk go, as rows for an operator."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from audit.log.heartbeats import all_beats
from audit.log.read import last_of_subjects, position
from portal.clock import moment, now
from portal.health.broker import broker_trouble
from portal.notifications.queries import Backlog, backlog
from portal.people.models import Person
from portal.reconciliation.sources import Source, declared
from portal.systems.heartbeats import KIND as HEARTBEAT

HEALTHY, LATE, DOWN, UNKNOWN = "healthy", "late", "down", "unknown"
PROCESS_LATE = timedelta(seconds=12)  # each says every five seconds, or more often, that it lives
SEAL_LATE = timedelta(seconds=10)
MAIL_LATE = timedelta(seconds=60)
HEARTBEAT_GRACE = timedelta(seconds=45)  # on the way there and back
LEAST_FREE = 0.1  # of the disk

PROCESSES: Sequence[tuple[str, str, str]] = (
    ("sealer", "Sealer", "Events are written and wait unsealed. Opening follows the policy."),
    ("worker", "Worker", "Mails, dossiers and packs come later. Watch still ends what is due."),
    ("beat", "Beat", "Work on a schedule comes later. Watch still ends what is due."),
    ("watch", "Watch", "The second sweep, the targets' watchdogs and heartbeats rest. Beat still ends what is due."),
    ("gather", "Gather", "Records wait on the targets. Verdicts say pending."),
    ("sweep:beat", "Last sweep by beat", "Beat or a worker does not run. The sweep by watch ends what is due."),
    ("sweep:watch", "Last sweep by watch", "Watch does not run. The sweep by beat ends what is due."),
)


@dataclass(frozen=True)
class Sign:
    """A heartbeat: when, and what was said with it."""

    at: datetime
    detail: Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """One line of the page: how it goes, since when that is known, and what it means while it is not well."""

    name: str
    state: str
    at: datetime | None
    says: str


def may_see(viewer: Person) -> bool:
    """Administrators, auditors and owners see the status."""
    return viewer.has_perm("audit.view_status")


def processes(beats: Mapping[str, Sign], at: datetime) -> list[Row]:
    """Each process by its last heartbeat."""
    return [_process(name, label, meaning, beats.get(name), at) for name, label, meaning in PROCESSES]


def _process(name: str, label: str, meaning: str, row: Sign | None, at: datetime) -> Row:
    if row is None:
        return Row(label, UNKNOWN, None, f"It was never seen. {meaning}")
    if at - row.at > PROCESS_LATE:
        return Row(label, DOWN, row.at, meaning)
    trouble = _troubles(name, row.detail)
    return Row(label, LATE if trouble else HEALTHY, row.at, trouble)


def _troubles(name: str, detail: Mapping[str, object]) -> str:
    """What a process that lives says of itself."""
    if name == "watch":
        stuck = [job for job, course in detail.items() if isinstance(course, dict) and course.get("trouble")]
        return f"In trouble: {', '.join(sorted(stuck))}." if stuck else ""
    if name == "gather":
        return " ".join(sorted({str(each) for each in detail.values() if each}))
    return str(detail.get("trouble") or "")


def log_row(at: datetime) -> Row:
    """How far the log is sealed."""
    log = position()
    signed = moment(log.signed_at) if log.signed_at is not None else None
    if log.waiting_since is not None and at - moment(log.waiting_since) > SEAL_LATE:
        return Row("Last seal", LATE, signed, f"An event waits since {moment(log.waiting_since):%H:%M:%S} UTC.")
    return Row("Last seal", HEALTHY if signed else UNKNOWN, signed, f"{log.size} events are sealed.")


def outbox_row(at: datetime) -> Row:
    """What waits to be sent."""
    waiting: Backlog = backlog()
    if not waiting.waiting:
        return Row("Outbox", HEALTHY, None, "Nothing waits.")
    late = waiting.oldest_at is not None and at - waiting.oldest_at > MAIL_LATE
    failed = f", {waiting.in_trouble} of them failed once or more" if waiting.in_trouble else ""
    return Row(
        "Outbox",
        LATE if late else HEALTHY,
        waiting.oldest_at,
        f"{waiting.waiting} waiting{failed}; the oldest since then.",
    )


def broker_row() -> Row:
    """Whether the broker answers."""
    trouble = broker_trouble()
    says = f"It does not answer ({trouble}). What is due is done by watch; the rest comes later." if trouble else ""
    return Row("Broker", DOWN if trouble else HEALTHY, None, says)


def disk_row() -> Row:
    """Room on the disk of the data folder."""
    usage = shutil.disk_usage(settings.PORTAL_DATA if settings.PORTAL_DATA.exists() else settings.BASE_DIR)
    free = usage.free / usage.total
    says = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} GiB are free ({free:.0%})."
    return Row("Disk", HEALTHY if free >= LEAST_FREE else LATE, None, says)


def source_rows(beats: Mapping[str, Sign], at: datetime) -> list[Row]:
    """Each source by the last heartbeat that came back through the target's own log."""
    sources = declared()
    seen = last_of_subjects([source.log_subject for source in sources], "source.heartbeat_seen")
    came = {subject: moment(event.fields["seen_at"]) for subject, event in seen.items()}
    return [
        _source(source, came.get(source.log_subject), beats.get(f"{HEARTBEAT}:{source.id}"), at) for source in sources
    ]


def _source(source: Source, came: datetime | None, tried: Sign | None, at: datetime) -> Row:
    name, trouble = source.system.name, str(tried.detail.get("trouble", "")) if tried else ""
    if source.counting == "none":
        return Row(name, "not_covered", None, "Its log is out of the portal's reach.")
    if came is None:
        return Row(name, UNKNOWN, None, trouble or "No heartbeat has come back yet.")
    if at - came > source.every + HEARTBEAT_GRACE:
        return Row(name, DOWN, came, trouble or "Heartbeats are sent and do not come back.")
    return Row(name, LATE if trouble else HEALTHY, came, trouble)


def status() -> Mapping[str, list[Row]]:
    """The whole page. The number of queries is the same for one source and for many."""
    at = now()
    beats = {row.process: Sign(row.at, row.detail) for row in all_beats()}
    return {
        "processes": processes(beats, at),
        "parts": [log_row(at), outbox_row(at), broker_row(), disk_row()],
        "sources": source_rows(beats, at),
    }
