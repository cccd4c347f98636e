"""Which backups are kept, and what goes with those that have been kept for long enough."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError, connection

from audit.log.backup.manifest import Manifest, time_of
from audit.log.backup.target import BACKUPS, BEGINS, DAY_MS, PERSONAL, BadBackup, Target, folder_of
from audit.log.cuts import minimum_index
from audit.log.cutting import StillLocked, cut_published
from audit.log.errors import NotVerified, ParseError
from audit.log.holds import HoldsBusy
from audit.log.note import VerifierKey
from audit.log.sealing import SealingError
from audit.log.stores import StoreUnavailable


@dataclass(frozen=True)
class Keeping:
    """How long backups are kept, and how old a copy of a personal value may become; days."""

    keep_days: int = 7
    erasure_days: int = 30

    def rewrite_after_ms(self) -> int:
        """From which age on values are written anew: older backups rest on the old copy for as long as they are kept."""
        return max(0, self.erasure_days - self.keep_days - 1) * DAY_MS


Kept = dict[str, dict[str, str]]
"""The files of each backup that is kept, by its folder."""


def kept_backups(target: Target, ours: Sequence[VerifierKey], now: int, keeping: Keeping) -> Kept:
    """Those that are young enough and whole, at this time (ms).

    Raises:
        BadBackup: The last one is not among them.
    """
    kept = {}
    for folder in target.rest.passing(BACKUPS):
        manifest = _kept_manifest(target, ours, folder, now, keeping)
        if manifest is not None:
            kept[folder] = target.contents(manifest)
    head = target.manifest(ours)
    if head is None or folder_of(head.id) not in kept:
        raise BadBackup("The backup that was just made is not there.")
    return kept


def erase_passed(target: Target, kept: Kept) -> int:
    """Backups that have been kept for long enough, what a broken off one left, and values that no kept one rests on."""
    needed = {path.rpartition("/")[0] for contents in kept.values() for path in contents}
    passed = [folder for folder in target.rest.passing(BACKUPS) if folder not in kept]
    passed += [folder for folder in target.rest.passing(PERSONAL) if folder not in needed]
    target.rest.erase(passed)
    return len(passed)


def cut_log(target: Target, kept: Kept, size: int) -> str:
    """Remove the bundles below a cut once every kept backup says itself that it begins there; why they stay, if that is in trouble.

    What the event says is not enough: a backup that was made before the rows went has its entries nowhere else.
    """
    try:
        with connection.cursor() as cursor:
            if min(_begins(target, folder, contents) for folder, contents in kept.items()) >= minimum_index(
                cursor, below=size
            ):
                cut_published(cursor, target.log, size)
    except (StillLocked, SealingError, StoreUnavailable, HoldsBusy, BadBackup) as error:
        return str(error)
    except DatabaseError as error:  # its text may repeat a value
        return f"The database does not say where the log begins ({type(error).__name__})."
    return ""


def _begins(target: Target, folder: str, contents: dict[str, str]) -> int:
    path = f"{folder}/{BEGINS}"
    return int(target.file(path, contents[path])) if path in contents else 0


def _kept_manifest(
    target: Target, ours: Sequence[VerifierKey], folder: str, now: int, keeping: Keeping
) -> Manifest | None:
    identity = folder.rpartition("/")[2].removesuffix(".p")
    try:
        if not -DAY_MS <= now - time_of(identity) <= keeping.keep_days * DAY_MS:  # one of the future would never pass
            return None
        manifest = target.manifest(ours, identity)
        if manifest is not None:
            target.contents(manifest)
        return manifest
    except (ParseError, NotVerified, BadBackup):
        return None
