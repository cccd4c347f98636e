"""A rehearsal: the last backup is restored into an empty database of its own, verified, held against the log, and removed again.

It runs where the secret key of age is. The restore is the operator's own command in a process of its own, so what is rehearsed is
what would be done; the live database is only asked what the backup must hold.
"""

import hashlib
import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from audit.log.addresses import spoken
from audit.log.append import Actor, action, append, now_ms, process
from audit.log.backup.configured import NotConfigured, is_configured
from audit.log.backup.hourly import subject_of
from audit.log.backup.version import PutOff, need_this_version
from audit.log.backup_times import (
    DAY_MS,
    MADE,
    REHEARSAL,
    REHEARSAL_FAILED,
    REHEARSED,
    last_of,
    noted,
    outage_of,
    rehearsal_due_at,
)
from audit.log.heartbeats import beat
from audit.log.locks import Lock, alone
from audit.log.models import StoredCheckpoint
from audit.log.read import LoggedEvent, last_named, of_subject

logger = logging.getLogger(__name__)
alarms = logging.getLogger("breakglass.alarm")
REHEARSER = process("rehearsal")
TRIED = "rehearsals:tried"
SCRATCH = "breakglass_rehearsal"
PATTERN = "template0"  # empty in any case
RESTORED = (0, 3, 4)  # exit statuses of the command: all is there; something was sealed since; nobody can say what
LEFT_OUT = ("DATABASE_OWNER_URL", "SEALER_DATABASE_URL", "ERASER_DATABASE_URL", "PORTAL_REHEARSAL_DATABASE_URL")
LOOKED_BACK = 1000  # backups, of all places: six weeks of one each hour
LONGEST = 600  # characters of a sentence of the command
PATIENCE_S = 6 * 3600  # for one restore
KEPT = "The live database and the backups were not touched; the trial's database is gone."
LEFT = (
    "The live database and the backups were not touched. The trial's database may still be there, with all that it holds of people: "
    "the next run removes it."
)
TO_DO = "Try manage.py restore by hand into an empty database; while none can be restored, make a backup into another place."


class NotRehearsed(Exception):
    """The backup could not be restored, or holds something else than the log says. ``backup`` is its id, where one was found."""

    def __init__(self, sentence: str, backup: str = "") -> None:
        """Keep both."""
        super().__init__(sentence)
        self.backup = backup


@dataclass(frozen=True)
class Rehearsal:
    """With what, and from where: addresses, and the file with the secret key of age.

    Args:
        server: A login that may make databases, with any database of the server.
    """

    address: str
    identity: Path
    server: str
    published: str = ""


def run_due() -> int:
    """Rehearse where the last one is a month old, as the settings say, and the key is here; how many were rehearsed."""
    if not (is_configured() and settings.PORTAL_REHEARSAL_IDENTITY_FILE and settings.PORTAL_REHEARSAL_DATABASE_URL):
        return 0
    _sweep()
    due_at = rehearsal_due_at()
    # the first at once: until then nobody knows whether any of it can be restored
    if due_at is None or (last_of(REHEARSAL) is not None and due_at > now_ms()):
        return 0
    if noted(TRIED).get("at", 0) + DAY_MS > now_ms():
        return 0
    try:
        need_this_version(settings.PORTAL_BACKUP_TO)
        beat(TRIED, {"at": now_ms()})
        rehearse(by=REHEARSER, with_=as_set())
    except PutOff as off:  # before the beat: it is tried with the next backup, not tomorrow
        logger.warning("%s", off)
        return 0
    except (NotRehearsed, NotConfigured):
        return 0
    return 1


def as_set(identity: str = "", server: str = "", address: str = "") -> Rehearsal:
    """What the settings say, where nothing else is given.

    Raises:
        NotConfigured: Something is missing.
    """
    given = {
        "PORTAL_BACKUP_TO": address or settings.PORTAL_BACKUP_TO,
        "PORTAL_REHEARSAL_IDENTITY_FILE": identity or settings.PORTAL_REHEARSAL_IDENTITY_FILE,
        "PORTAL_REHEARSAL_DATABASE_URL": server or settings.PORTAL_REHEARSAL_DATABASE_URL,
    }
    if missing := [name for name, value in given.items() if not value]:
        raise NotConfigured(f"{', '.join(missing)}: not set.")
    place, key, login = given.values()
    return Rehearsal(place, Path(key), login, settings.PORTAL_LOG_STORE)


def rehearse(*, by: Actor, with_: Rehearsal) -> dict[str, Any]:
    """Restore the last backup and put on record what came of it: the figures of the restore.

    Raises:
        NotRehearsed: It failed; that is on record.
        NotConfigured: Somebody else rehearses now.
        PutOff: The last backup is another version's; nothing was tried.
    """
    with _alone():
        need_this_version(with_.address)
        begun, newest = time.monotonic(), _newest(with_.address)  # before: meanwhile a newer one may be made
        try:
            found = _restored(with_)
            _hold_against_log(found, newest)
        except NotRehearsed as error:
            alarms.error("A backup could not be restored for trial: %s", error)
            note_failed(by=by, sentence=str(error), backup=error.backup, gone=_is_gone(with_.server))
            raise
        note_rehearsed(by=by, found=found, took_ms=round((time.monotonic() - begun) * 1000))
        return found


@action(event=REHEARSED)
def note_rehearsed(*, by: Actor, found: Mapping[str, Any], took_ms: int) -> None:
    """The figures. It ends an outage, if there was one."""
    outage = outage_of(REHEARSAL)
    append(
        REHEARSED, by=by, subject=subject_of(found["id"]), backup_id=found["id"], made_at=found["made_at"], size=found["size"],
        log_root=found["root"], rows=found["rows"], values=found["values"], took_ms=took_ms, missing=len(found["missing"]),
        missing_from=min((each["at"] for each in found["missing"]), default=None), erased=found["erased"], outage_from=outage.at if outage else None,
    )  # fmt: skip


@action(event=REHEARSAL_FAILED)
def note_failed(*, by: Actor, sentence: str, backup: str, gone: bool) -> None:
    """What was found instead, and whether the trial's database is gone. The sentence is the restore's own, which repeats nothing that the backup holds."""
    append(
        REHEARSAL_FAILED, by=by, subject=subject_of(backup) if backup else "", backup_id=backup or None, code="not_restored",
        sentence=sentence, kept=KEPT if gone else LEFT, to_do=TO_DO,
    )  # fmt: skip


@contextmanager
def _alone() -> Iterator[None]:
    with alone(Lock.REHEARSAL) as mine:
        if not mine:
            raise NotConfigured("Somebody else rehearses a restore at this moment.")
        yield


def _restored(with_: Rehearsal) -> dict[str, Any]:
    try:
        with _scratch(with_.server) as url:
            return _run(with_, url)
    except psycopg.Error as error:
        raise NotRehearsed(
            f"PORTAL_REHEARSAL_DATABASE_URL: no empty database could be made there ({type(error).__name__})."
        ) from None


@contextmanager
def _scratch(server: str) -> Iterator[str]:
    """An empty database, its address; it goes again, and so does what an earlier rehearsal left that was killed."""
    name = f"{_prefix()}{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as login:
        _drop_all(login)
        login.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(PATTERN)))
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            try:
                _drop_all(login)
            except psycopg.Error as error:  # the next rehearsal removes it
                alarms.error("The database of a rehearsal could not be removed: %s", type(error).__name__)


def _prefix() -> str:
    """Of this portal's names, by its log and its database: another portal may have the same login on the same server."""
    whose = f"{settings.PORTAL_LOG_ORIGIN} {connection.settings_dict['NAME']}"
    return f"{SCRATCH}_{hashlib.sha256(whose.encode()).hexdigest()[:8]}_"


def _left(login: psycopg.Connection[Any]) -> list[str]:
    """Names of databases that rehearsals of this portal have made, and no others."""
    mine = "SELECT datname FROM pg_database WHERE datname ~ %s AND datdba = current_user::regrole"
    return [name for (name,) in login.execute(mine, [f"^{_prefix()}[0-9a-f]{{12}}$"]).fetchall()]


def _is_gone(server: str) -> bool:
    try:
        with psycopg.connect(server, autocommit=True) as login:
            return not _left(login)
    except psycopg.Error:
        return False


def _sweep() -> None:
    """Remove what a rehearsal left that was killed; nothing while somebody rehearses."""
    try:
        with _alone(), psycopg.connect(settings.PORTAL_REHEARSAL_DATABASE_URL, autocommit=True) as login:
            _drop_all(login)
    except NotConfigured:
        return
    except psycopg.Error as error:
        alarms.error(
            "Whether a rehearsal left a database cannot be seen, or it cannot be removed: %s", type(error).__name__
        )


def _drop_all(login: psycopg.Connection[Any]) -> None:
    """Not by force, which only a superuser may use while autovacuum is at work there; a drop waits for that by itself."""
    for name in _left(login):
        login.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
            [name],
        )
        login.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _run(with_: Rehearsal, url: str) -> dict[str, Any]:
    """The operator's command. Its words are kept where it fails; addresses with passwords are none of them."""
    environment = {name: value for name, value in os.environ.items() if name not in LEFT_OUT} | {
        "DATABASE_URL": url, "PORTAL_BACKUP_PUBLIC_KEY": settings.PORTAL_BACKUP_PUBLIC_KEY,
    }  # fmt: skip
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", "--json", "--from", with_.address]
    command += ["--identity", str(with_.identity), "--published", with_.published]
    command += ["--older"]  # a newer one may be made meanwhile, or elsewhere: the log is asked of it below
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise NotRehearsed(f"The restore was not done after {PATIENCE_S / 3600:.0f} hours, and was ended.") from None
    if done.returncode not in RESTORED:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "It ended without a word.")
        raise NotRehearsed(last.removeprefix("CommandError: ")[:LONGEST])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _hold_against_log(found: Mapping[str, Any], newest: LoggedEvent | None = None) -> None:
    """What came back is what the live log says that this backup held, under a root that it signed, and no backup before the newest of that place."""
    said, backup = _said_of(found["id"]), found["id"]
    if said is None:
        raise NotRehearsed("The log does not know the backup that lies there: it was made by somebody else.", backup)
    if newest is not None and said.at < newest.at:
        raise NotRehearsed(
            f"The log says that backup {newest.fields['backup_id']} was made there later, and it is not the last one there: the place was set back.",
            backup,
        )
    ours = {
        "size": said.fields["size"],
        "root": said.fields["log_root"],
        "rows": said.fields["rows"],
        "values": said.fields["values"],
    }
    if wrong := [f"{name} {found[name]} instead of {value}" for name, value in ours.items() if found[name] != value]:
        raise NotRehearsed(f"The log says otherwise of this backup: {', '.join(wrong)}.", backup)
    signed = StoredCheckpoint.objects.filter(size=found["size"]).first()
    if signed is None or bytes(signed.root).hex() != found["root"]:
        raise NotRehearsed(f"The live log has another root at {found['size']} entries.", backup)


def _newest(address: str) -> LoggedEvent | None:
    """The last backup of which the log says that it was made at that place."""
    place = spoken(address).rstrip("/")
    return next(
        (each for each in reversed(last_named([MADE], LOOKED_BACK)) if each.fields["place"].rstrip("/") == place), None
    )


def _said_of(backup: str) -> LoggedEvent | None:
    return next(iter(of_subject(subject_of(backup), [MADE], 1)), None)
