"""Of which version of the portal the last backup is, by its migrations: one version restores no backup of another.

After an upgrade the last backup is of the version before. That is no trouble of a backup: the next one is of this version.
"""

from audit.log.append import now_ms
from audit.log.backup import tables
from audit.log.backup.configured import NotConfigured, signers_of_backups, target_at
from audit.log.backup_times import noted
from audit.log.errors import NotVerified, ParseError
from audit.log.heartbeats import beat
from audit.log.stores import StoreUnavailable

MADE_BY = "backups:version"
"""Heartbeat of the last backup that was made at the place of the settings, with its migrations."""

PUT_OFF = (
    "The last backup was made by another version of the portal, before an upgrade, and one version restores no backup of another. "
    "Nothing was tried, and nothing failed. The worker makes a backup of this version within minutes (manage.py backup does so at once), "
    "and the rehearsal follows."
)


class PutOff(Exception):
    """Nothing was tried, in a sentence: there is no backup yet that this version could restore."""


def note_version() -> None:
    """That a backup of this version lies there now."""
    beat(MADE_BY, {"at": now_ms(), "migrations": list(tables.migrations())})


def is_noted(after: int) -> bool:
    """Whether the last backup at the place of the settings is known to be of this version and made after that time (ms)."""
    last = noted(MADE_BY)
    return last.get("at", 0) > after and last.get("migrations") == list(tables.migrations())


def need_this_version(address: str) -> None:
    """Demand that the last backup at a place is not known to be another version's: what cannot be read is for the restore to find out.

    Raises:
        PutOff: It is.
    """
    try:
        manifest = target_at(address).manifest(signers_of_backups())
    except (NotConfigured, ParseError, NotVerified, StoreUnavailable):
        return
    if manifest is not None and manifest.migrations != tables.migrations():
        raise PutOff(PUT_OFF)
