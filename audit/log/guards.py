"""Who could alter what is stored of the log: looked up twice a day by worker or watch, and put on record.

Every database has superusers and an owner of its tables; against them stand witnesses and the published log, not this check. They are
left out, unless the portal itself runs as one of them.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from audit.log.append import Actor, action, append, now_ms, process
from audit.log.guarded import look
from audit.log.read import last_named_of
from audit.log.stores import StoreUnavailable
from audit.log.stores.bucket import BucketStore
from audit.log.stores.directory import DirectoryStore
from audit.log.stores.opening import open_store

CHECKED = "log.guards_checked"
STORES = ("database", "tiles")
KEY_READ = "the process that looks can read the sealer's key"
EVERY_MS = 12 * 60 * 60 * 1000  # half of the catalogue's guard_check_hours, so that none is missed by a late start
GUARDS = process("guards")
UNCHANGED = ("audit_event", "audit_sealed_entry", "audit_checkpoint", "audit_cosignature", "audit_timestamp")
OURSELVES = """
SELECT c.relname, r.rolname FROM pg_roles r, pg_class c WHERE c.oid = ANY(%s::regclass[]) AND r.rolname = current_user
AND (r.rolsuper OR pg_has_role(r.oid, c.relowner, 'USAGE')) ORDER BY 1
"""


@dataclass(frozen=True)
class Looked:
    """What a check of one store found; nothing where it could not be read. ``found`` names who, for people."""

    store: str
    alter_rights: int | None
    other_writers: int | None
    guards_on: bool
    found: tuple[str, ...] = ()


def run_due() -> int:
    """Look where the last look is half a day old; how many stores were looked at."""
    stores = ["database", *(["tiles"] if settings.PORTAL_LOG_STORE else [])]
    due = [each for each in stores if _is_due(each)]
    for each in due:
        record(by=GUARDS, looked=of_database() if each == "database" else of_tiles())
    return len(due)


def _is_due(store: str) -> bool:
    last = last_named_of(f"guards:{store}", ["log.guards_checked"])
    return last is None or last.at + EVERY_MS <= now_ms()


def of_database() -> Looked:
    """By the database's own catalogue, so a membership in another role counts too; see ``guarded.py``."""
    with connection.cursor() as cursor:
        found = look(cursor)
        cursor.execute(OURSELVES, [list(UNCHANGED)])
        ours = [f"{role}, as which the portal runs, owns {table}" for table, role in cursor.fetchall()]
    sentences = (*found.off, *found.altering, *ours, *found.writing)
    return Looked("database", len(found.altering) + len(ours), len(found.writing), not found.off, sentences)


def of_tiles() -> Looked:
    """Of a directory, whether this process or others than its owner may write there; of a bucket, whether its lock is on."""
    try:
        store = open_store(settings.PORTAL_LOG_STORE)
        if isinstance(store, DirectoryStore):
            return _of_folder(store.folder)
        if isinstance(store, BucketStore):
            store.check()
            return Looked("tiles", None, None, True)
    except (StoreUnavailable, ValueError, OSError) as error:
        return Looked("tiles", None, None, False, (f"the store could not be looked at: {error}"[:400],))
    return Looked("tiles", None, None, False, ("a store of this kind cannot be looked at",))


def _of_folder(folder: Path) -> Looked:
    shared = bool(folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))
    mine = os.access(folder, os.W_OK)
    found = (
        *(["the web process may write there"] if mine else []),
        *(["others than its owner may write there"] if shared else []),
    )
    return Looked("tiles", int(mine), int(shared), not shared, found)


def key_apart() -> bool:
    """Whether this process, which is not the sealer, was given no key that it could read."""
    path = os.environ.get("PORTAL_LOG_KEY_FILE", "")
    return not path or not os.access(path, os.R_OK)


def amiss(fields: Mapping[str, Any]) -> list[str]:
    """What an entry of a look names that could alter the log; nothing where all is as it should be."""
    return [*fields["found"], *([] if fields["sealing_key_apart"] else [KEY_READ])]


@action(event="log.guards_checked")
def record(*, by: Actor, looked: Looked) -> None:
    """What was found."""
    append(
        "log.guards_checked", by=by, subject=f"guards:{looked.store}", store=looked.store, alter_rights=looked.alter_rights,
        other_writers=looked.other_writers, guards_on=looked.guards_on, sealing_key_apart=key_apart(), found=list(looked.found)[:20],
    )  # fmt: skip
