"""One timestamp in each hour (UTC) over the last checkpoint. Where the authority does not answer, all goes on without.

The log says once that it fails, and again, with an alarm, when it has failed for an hour.
"""

import hashlib
import logging
from pathlib import Path

from cryptography import x509
from django.conf import settings

from audit.log.addresses import spoken
from audit.log.append import Actor, action, append, now_ms, process
from audit.log.checkpoints import latest
from audit.log.errors import NotVerified, ParseError
from audit.log.locks import Lock, alone
from audit.log.models import Timestamp
from audit.log.note import write_note
from audit.log.read import last_one_named
from audit.log.timestamps.client import NotStamped, ask
from audit.log.timestamps.tokens import MAX_AUTHORITY, VerifiedTimestamp, parse_roots

alarms = logging.getLogger("breakglass.alarm")
HOUR_MS = 60 * 60 * 1000
LATE_MS = HOUR_MS  # after the first failure
CLOCK = process("timestamps")
STAMPED, FAILED = SAID = ("log.timestamped", "log.timestamp_failed")


def run_due() -> int:
    """Take one where this hour has none; how many were taken. One at a time, however many are asked."""
    if not settings.PORTAL_TIMESTAMP_URL or not _is_due():
        return 0
    with alone(Lock.TIMESTAMP) as mine:
        return int(mine and _is_due() and _take())


def roots() -> tuple[x509.Certificate, ...]:
    """The certificates that are trusted.

    Raises:
        NotStamped: None are set, or they cannot be read.
    """
    try:
        return parse_roots(Path(settings.PORTAL_TIMESTAMP_ROOTS).read_bytes())
    except (OSError, ParseError) as error:
        raise NotStamped(f"The certificates in PORTAL_TIMESTAMP_ROOTS cannot be read. {error}") from error


def roots_or_none() -> tuple[x509.Certificate, ...]:
    """The same; nothing where none can be had, and then no timestamp can be verified."""
    try:
        return roots() if settings.PORTAL_TIMESTAMP_ROOTS else ()
    except NotStamped:
        return ()


def last_at() -> int | None:
    """The time of the last timestamp over a checkpoint (ms)."""
    return Timestamp.objects.filter(size__isnull=False).order_by("-size").values_list("at", flat=True).first()


def _is_due() -> bool:
    """By our own clock: what the authority says of the hour may differ from it."""
    last = last_one_named([STAMPED])
    return last is None or last.at // HOUR_MS < now_ms() // HOUR_MS


def _take() -> bool:
    try:
        checkpoint = latest()
        if checkpoint is None or _has_one(checkpoint.size):
            return False
        note = write_note(checkpoint.signed.note)
        answer, found = ask(settings.PORTAL_TIMESTAMP_URL, note, roots())
    except (NotStamped, NotVerified) as error:
        _failed(str(error))
        return False
    keep(by=CLOCK, size=checkpoint.size, answer=answer, found=found)
    return True


def _has_one(size: int) -> bool:
    """Nothing was sealed since the last one: there is one answer for each checkpoint, and the log speaks of that alone."""
    return Timestamp.objects.filter(about=f"checkpoint:{size}").exists()


@action(event="log.timestamped")
def keep(*, by: Actor, size: int, answer: bytes, found: VerifiedTimestamp) -> None:
    """The checkpoint of this size was there at that time."""
    stored = row(f"checkpoint:{size}", answer, found, size)
    append(
        "log.timestamped", by=by, size=size, sha256=found.sha256.hex(), token_sha256=token_sha256(answer), at=stored.at,
        authority=stored.authority,
    )  # fmt: skip


def row(about: str, answer: bytes, found: VerifiedTimestamp, size: int | None = None) -> Timestamp:
    """What was answered, kept for good. In the action that puts it on record."""
    return Timestamp.objects.get_or_create(
        about=about,
        defaults={
            "size": size, "sha256": found.sha256, "answer": answer, "at": found.at, "authority": found.authority[:MAX_AUTHORITY],
        },
    )[0]  # fmt: skip


def token_sha256(answer: bytes) -> str:
    """The hash of an answer, by which the log knows it again."""
    return hashlib.sha256(answer).hexdigest()


@action(event="log.timestamp_failed")
def record_failure(*, by: Actor, sentence: str, late: bool = False) -> None:
    """Since the last timestamp there is none, and why; ``late``: for over an hour."""
    append("log.timestamp_failed", by=by, last_at=last_at(), sentence=spoken(sentence)[:400], late=late or None)


def _failed(sentence: str) -> None:
    """Say it to the log once, and once more, with an alarm, when it lasts."""
    last = last_one_named(SAID)
    if last is None or last.name != FAILED:
        record_failure(by=CLOCK, sentence=sentence)
    elif now_ms() - last.at >= LATE_MS and not last.fields.get("late"):
        alarms.critical("The log is not timestamped for over an hour: %s", sentence)
        record_failure(by=CLOCK, sentence=sentence, late=True)
