"""The log checks itself once a day: everything stored, and everything published; the result is an entry of it, damage an alarm.

An outsider's check is worth more (docs/auditor/without-us.md). This one notices a fault early, while it can still be explained.
"""

import logging
import time

from django.conf import settings

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.checkpoints import public_keys
from audit.log.examination import examine
from audit.log.examining_witnesses import asked_or_why
from audit.log.locks import Lock, alone
from audit.log.read import last_one_named
from audit.log.report import Report
from audit.log.stores import HEAD, StoreUnavailable
from audit.log.stores.opening import open_store
from audit.log.timestamps.taking import roots_or_none
from audit.log.verify.sources import Source, SourceUnavailable

alarms = logging.getLogger("breakglass.alarm")
EVERY_MS = 24 * 60 * 60 * 1000
AGAIN_MS = 60 * 60 * 1000  # after a check that could not look at what is published
MOST_NAMED = 20
CHECKER = process("checker")


class StoreSource:
    """A store, read as the stand-alone verifier reads."""

    def __init__(self, address: str) -> None:
        """The store of the setting."""
        self._store = open_store(address)

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        try:
            return self._store.read(path)
        except StoreUnavailable as error:
            raise SourceUnavailable(str(error)) from error


def run_due() -> int:
    """Check where the last check is a day old, or could not look at what is published; how many checks were made. One at a time."""
    if not _is_due():
        return 0
    with alone(Lock.CHECK) as mine:
        if not mine or not _is_due():
            return 0
        check(by=CHECKER)
    return 1


def _is_due() -> bool:
    """After a check that could not look, again within the day; but only once the store answers, for a check reads everything."""
    last, now = last_one_named(["log.checked"]), now_ms()
    if last is None or last.at + EVERY_MS <= now:
        return True
    return bool(last.fields.get("unreachable")) and last.at + AGAIN_MS <= now and _answers()


def _answers() -> bool:
    source = _published_or_why()
    try:
        if source is not None:
            source.read(HEAD)
    except SourceUnavailable:
        return False
    return True


def check(*, by: Actor) -> Report:
    """Examine the stored log and the published one, and put on record what was found. Reads everything, so it takes its time.

    Raises:
        NotVerified: The public key cannot be read.
    """
    begun = time.monotonic()
    keys = public_keys()
    witnesses = asked_or_why(settings.PORTAL_LOG_WITNESSES, keys)  # first: meanwhile more may be sealed, and never less
    report = examine(keys, published=_published_or_why(), roots=roots_or_none(), witnesses=witnesses)
    record(by=by, report=report, took_ms=round((time.monotonic() - begun) * 1000))
    if not report.ok:
        alarms.critical("The log is damaged: %s", " ".join(report.sentences()[:MOST_NAMED]))
    if report.unreachable:
        alarms.critical("What is published of the log could not be checked: %s", report.unreachable)
    if report.unseen:
        alarms.critical("What witnesses have cosigned could not be looked at: %s", " ".join(report.unseen))
    return report


class _Unreadable:
    """In the place of a store whose address cannot be read: the stored log is checked all the same."""

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        raise SourceUnavailable(f"PORTAL_LOG_STORE names no store, so {path} cannot be read.")


def _published_or_why() -> Source | None:
    try:
        return published()
    except ValueError:
        return _Unreadable()


def published() -> Source | None:
    """What is published, where that is set."""
    return StoreSource(settings.PORTAL_LOG_STORE) if settings.PORTAL_LOG_STORE else None


@action(event=("log.checked", "log.damage_found"))
def record(*, by: Actor, report: Report, took_ms: int) -> None:
    """One entry for the check, and one for damage."""
    if not report.ok:
        append("log.damage_found", by=by, size=report.entries, damages=report.sentences()[:MOST_NAMED])
    append(
        "log.checked", by=by, ok=report.ok, size=report.entries, checkpoints=report.checkpoints, published=report.published,
        unreachable=bool(report.unreachable) or None, personal=report.personal_held, erased=report.personal_erased,
        waiting=report.waiting, took_ms=took_ms, whole_from=report.whole_from or None, unseen=len(report.unseen) or None,
        misdated=report.times_ahead or None,
    )  # fmt: skip
