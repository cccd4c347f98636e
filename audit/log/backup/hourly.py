"""Backups are made each hour where a place for them is set. An outage is one entry of the log, however long it is, and so is its end.

Making one is work on files, or with a bucket, outside of any transaction that writes; what came of it is written afterwards.
"""

import logging

import psycopg
from django.conf import settings
from django.db import DatabaseError

from audit.log.addresses import spoken
from audit.log.append import Actor, action, append, now_ms, process
from audit.log.backup.configured import TROUBLE, NotConfigured, is_configured, maker
from audit.log.backup.making import BeingMade
from audit.log.backup.version import is_noted, note_version
from audit.log.backup.writing import Made
from audit.log.backup_times import BACKUP, FAILED, MADE, MINUTE_MS, every_ms, last_of, noted, outage_of
from audit.log.heartbeats import beat
from audit.log.stores import StoreUnavailable

alarms = logging.getLogger("breakglass.alarm")
BACKER = process("backup")
TRIED = "backups:tried"
"""Heartbeat of the last try, with its time and what it met; a try that broke off has one too."""
AGAIN_MS = 10 * MINUTE_MS  # between two tries that fail
UNREADABLE = (DatabaseError, psycopg.Error)
KEPT = "Earlier backups stand as they were."
TO_DO = "Look at the place and the settings of backups, then run manage.py backup. It is tried again every ten minutes."


def run_due() -> int:
    """Make a backup where the last one is an hour old, as the settings say, or of another version; how many were made."""
    if not is_configured() or not _is_due():
        return 0
    _tried("")
    try:
        make_one(by=BACKER)
    except BeingMade:
        return 0
    except (NotConfigured, *TROUBLE, *UNREADABLE) as error:
        _tried(sentence_of(error))
        return 0
    return 1


def make_one(*, by: Actor, address: str = "") -> Made:
    """Make one and put on record what came of it; ``address`` in the place of the setting's.

    Raises:
        NotConfigured, one of TROUBLE, one of UNREADABLE: None was made; that is on record, unless it was so before.
    """
    place = address or settings.PORTAL_BACKUP_TO
    try:
        made = maker(address).make()
    except BeingMade:
        raise
    except (NotConfigured, *TROUBLE, *UNREADABLE) as error:
        if outage_of(BACKUP) is None:
            alarms.error("No backup could be made: %s", sentence_of(error))
            note_failed(by=by, code=type(error).__name__, sentence=sentence_of(error), place=place)
        raise
    before = last_of(BACKUP)
    if made.not_cut and not (before and before.fields.get("not_cut")):
        alarms.error("A backup was made, but what was cut is still in it: %s", made.not_cut)
    note_made(by=by, made=made, place=place)
    if place == settings.PORTAL_BACKUP_TO:
        note_version()
    return made


@action(event=MADE)
def note_made(*, by: Actor, made: Made, place: str) -> None:
    """What was made. It ends an outage, if there was one."""
    outage = outage_of(BACKUP)
    append(
        MADE, by=by, subject=subject_of(made.id), backup_id=made.id, size=made.size, log_root=made.root, rows=made.rows,
        values=made.values, files=made.files, bytes=made.bytes, took_ms=made.took_ms, place=spoken(place),
        manifest_sha256=made.manifest_sha256, outage_from=outage.at if outage else None,
        not_cut=made.not_cut or None,
    )  # fmt: skip


@action(event=FAILED)
def note_failed(*, by: Actor, code: str, sentence: str, place: str) -> None:
    """What was not made. No sentence here holds a secret, or a value of the database."""
    last = last_of(BACKUP)
    append(
        FAILED, by=by, code=code, sentence=sentence, kept=KEPT, to_do=TO_DO, place=spoken(place), last_at=last.at if last else None
    )  # fmt: skip


def subject_of(backup: str) -> str:
    """How the log names a backup."""
    return f"backup:{backup}"


def sentence_of(error: Exception) -> str:
    """What went wrong, for people. What the database says of an error may repeat a value, so only its kind is said."""
    if isinstance(error, UNREADABLE):
        return f"The database did not give its rows ({type(error).__name__})."
    if isinstance(error, StoreUnavailable):
        return f"The place for backups cannot be written or read. {error}"
    return str(error)


def _is_due() -> bool:
    """A backup that was made by hand in another place is none of this one's. Who may write heartbeats alone keeps none from being made."""
    made, after = last_of(BACKUP), now_ms() - every_ms()
    if made is not None and made.at > after and is_noted(after):
        return False
    return bool(noted(TRIED).get("at", 0) + AGAIN_MS <= now_ms())


def _tried(trouble: str) -> None:
    beat(TRIED, {"at": now_ms(), "trouble": trouble})
