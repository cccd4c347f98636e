"""How each process, the outbox, the log, the sources and the disk go, as rows for an operator."""

import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from audit.log.heartbeats import all_beats
from audit.log.read import last_of_subjects, position
from portal.clock import moment, now
from portal.health.backup_rows import backup_rows
from portal.health.broker import broker_trouble
from portal.health.log_rows import check_row, guards_row, published_row, timestamps_row, witnesses_row
from portal.health.parts import PARTS, PROCESSES, About
from portal.health.rows import DOWN, HEALTHY, LATE, NOT_COVERED, UNKNOWN, Row, Sign, row
from portal.jobs import BEAT, TASK, WATCH, WORKS, overdue_after
from portal.notifications.queries import Backlog, backlog
from portal.people.models import Person
from portal.reconciliation.sources import Source, declared
from portal.systems.heartbeats import KIND as HEARTBEAT

PROCESS_LATE = timedelta(seconds=12)  # each says every five seconds, or more often, that it lives
SEAL_LATE = timedelta(seconds=10)
MAIL_LATE = timedelta(seconds=60)
HEARTBEAT_GRACE = timedelta(seconds=45)  # on the way there and back
LEAST_FREE = 0.1  # of the disk

QUICK_S = 60  # jobs of the worker that come at least so often; slower ones may not have come since a restart


def may_see(viewer: Person) -> bool:
    """Administrators, auditors and owners see the status."""
    return viewer.has_perm("audit.view_status")


def processes(beats: Mapping[str, Sign], at: datetime) -> list[Row]:
    """Each process by its last heartbeat."""
    return [_process(name, about, beats, at) for name, about in PROCESSES.items()]


def _process(name: str, about: About, beats: Mapping[str, Sign], at: datetime) -> Row:
    seen = beats.get(name)
    if seen is None:
        return row(about, UNKNOWN, None, "It was never seen.")
    if at - seen.at > PROCESS_LATE:
        return row(about, DOWN, seen.at, "It gives no sign of life.")
    trouble = _troubles(name, beats, at)
    return row(about, LATE if trouble else HEALTHY, seen.at, trouble)


def _troubles(name: str, beats: Mapping[str, Sign], at: datetime) -> str:
    """What a process that lives says of itself, and which of its jobs have not come to an end for long."""
    detail = beats[name].detail
    if name == "watch":
        return _of_watch(detail, at)
    if name == "worker":
        return _hanging(_stuck_tasks(beats, at))
    if name == "gather":
        return " ".join(sorted({str(each) for each in detail.values() if each}))
    return str(detail.get("trouble") or "")


def _of_watch(detail: Mapping[str, object], at: datetime) -> str:
    courses = {job: course for job, course in detail.items() if isinstance(course, dict)}
    failing = sorted(job for job, course in courses.items() if course.get("trouble"))
    stuck = {}
    for job, course in courses.items():
        since, longest = course.get("done_at") or course.get("since"), overdue_after(job, WATCH)
        if job not in failing and since and longest and at - moment(since) > longest:
            stuck[job] = moment(since)
    said = (f"In trouble: {', '.join(failing)}." if failing else "", _hanging(stuck))
    return " ".join(each for each in said if each)


def _stuck_tasks(beats: Mapping[str, Sign], at: datetime) -> dict[str, datetime]:
    """Without beat nothing is sent to the worker, and its own line says so."""
    sender = beats.get("beat")
    if sender is None or at - sender.at > PROCESS_LATE:
        return {}
    stuck = {}
    for work in WORKS:
        done, longest = beats.get(f"{TASK}:{work.name}"), overdue_after(work.name, BEAT)
        if done and longest and work.beat_s <= QUICK_S and at - done.at > longest:
            stuck[work.name] = done.at
    return stuck


def _hanging(stuck: Mapping[str, datetime]) -> str:
    told = (f"{name} has not come to an end since {_words(since)}" for name, since in sorted(stuck.items()))
    return " ".join(f"Hangs: {each}." for each in told)


def _words(when: datetime) -> str:
    return f"{when:%-d %b %Y, %H:%M:%S} UTC"


def log_row(at: datetime) -> Row:
    """How far the log is sealed."""
    log = position()
    signed = moment(log.signed_at) if log.signed_at is not None else None
    about = PARTS["seal"]
    if log.waiting_since is not None and at - moment(log.waiting_since) > SEAL_LATE:
        return row(about, LATE, signed, f"An event waits since {_words(moment(log.waiting_since))}.")
    return row(about, HEALTHY if signed else UNKNOWN, signed, f"{log.size} events are sealed.")


def _log_rows(beats: Mapping[str, Sign], at: datetime) -> list[Row]:
    sealer = beats.get("sealer")
    published, witnesses = published_row(sealer, at), witnesses_row(sealer, at)
    found = (log_row(at), published, witnesses, timestamps_row(at), check_row(at), guards_row(at))
    return [each for each in found if each is not None]


def outbox_row(at: datetime) -> Row:
    """What waits to be sent."""
    waiting: Backlog = backlog()
    if not waiting.waiting:
        return row(PARTS["outbox"], HEALTHY, None, "Nothing waits.")
    late = waiting.oldest_at is not None and at - waiting.oldest_at > MAIL_LATE
    failed = f", {waiting.in_trouble} of them failed once or more" if waiting.in_trouble else ""
    return row(
        PARTS["outbox"],
        LATE if late else HEALTHY,
        waiting.oldest_at,
        f"{waiting.waiting} waiting{failed}; the oldest since then.",
    )


def broker_row() -> Row:
    """Whether the broker answers."""
    trouble = broker_trouble()
    says = f"It does not answer ({trouble})." if trouble else "It answers."
    return row(PARTS["broker"], DOWN if trouble else HEALTHY, None, says)


def disk_row() -> Row:
    """Room on the disk of the data folder."""
    usage = shutil.disk_usage(settings.PORTAL_DATA if settings.PORTAL_DATA.exists() else settings.BASE_DIR)
    free = usage.free / usage.total
    says = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} GiB are free ({free:.0%})."
    return row(PARTS["disk"], HEALTHY if free >= LEAST_FREE else LATE, None, says)


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
        return Row(name, NOT_COVERED, None, "Its log is out of the portal's reach.")
    if came is None:
        return Row(name, UNKNOWN, None, trouble or "No heartbeat has come back yet.")
    if at - came > source.every + HEARTBEAT_GRACE:
        return Row(name, DOWN, came, trouble or "Heartbeats are sent and do not come back.")
    return Row(name, LATE if trouble else HEALTHY, came, trouble)


def status() -> Mapping[str, list[Row]]:
    """The whole page, what needs somebody first. The number of queries is the same for one source and for many."""
    at = now()
    beats = {row.process: Sign(row.at, row.detail) for row in all_beats()}
    parts = [*_log_rows(beats, at), *backup_rows(at), outbox_row(at), broker_row(), disk_row()]
    sources = source_rows(beats, at)
    return {
        "processes": _needing_first(processes(beats, at)), "parts": _needing_first(parts),
        "sources": [each for each in sources if each.needs_somebody], "well": [each for each in sources if not each.needs_somebody],
    }  # fmt: skip


def _needing_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda each: not each.needs_somebody)
