"""One backup: the log as it is published, personal values and the portal's tables encrypted, and the signed manifest last.

Everything is read at one moment of the database. What is there already is not written again: full ranges of 4,096 entries are written
once, their personal values anew when they grow old, so that no copy outlives what `Keeping` says.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection

from audit.log.append import now_ms
from audit.log.backup import tables
from audit.log.backup.age import Recipient
from audit.log.backup.manifest import Manifest, new_id, sha256, signed, write_contents
from audit.log.backup.passing import Keeping, cut_log, erase_passed, kept_backups
from audit.log.backup.target import HEAD, BadBackup, Target, folder_of
from audit.log.backup.writing import Made, Writing, write_ranges, write_stayed, write_tables
from audit.log.errors import NotVerified, ParseError
from audit.log.locks import Lock, alone
from audit.log.note import VerifierKey
from audit.log.publishing import publish_once
from audit.log.signing import SignerKey


class NotMade(Exception):
    """No backup was made, in a sentence; what was there stands."""


class BeingMade(NotMade):
    """Somebody else makes one at this moment."""


def make_backup(
    target: Target,
    signer: SignerKey,
    recipients: tuple[Recipient, ...],
    keys: Sequence[VerifierKey],
    keeping: Keeping,
    trusted: Sequence[VerifierKey] = (),
) -> Made:
    """Make a backup, and erase those copies that have been kept for long enough.

    Args:
        target: Where to.
        signer: Signs the manifest.
        recipients: Who can open what is encrypted.
        keys: The log's public keys.
        keeping: For how long.
        trusted: Keys that signed earlier manifests, besides the signer's own.

    Raises:
        NotMade: Nothing is sealed, another backup is being made, or another log or signer has written there.
        StoreUnavailable, Conflict, Overtaken, SealingError: See `publish_once`.
    """
    begun, ours = time.monotonic(), (signer.verifier(), *trusted)
    target.log.check()
    target.rest.check()
    with _alone():  # to the end: what another one is writing would pass for a broken off one, and be erased
        now, before = now_ms(), target.head()
        with tables.one_moment():
            writing, migrations = _written(target, recipients, keys, keeping, _known(target, ours), now)
        made = writing.made
        contents = write_contents(writing.listed)
        target.rest.put({f"{folder_of(made.id)}/contents": contents})
        manifest = signed(Manifest(made.id, now, made.size, sha256(contents), migrations), signer)
        target.rest.put({f"{folder_of(made.id)}/{HEAD}": manifest})
        target.rest.move_head(before, manifest)
        made.manifest_sha256 = sha256(manifest)
        kept = kept_backups(target, ours, now, keeping)
        made.erased = erase_passed(target, kept)
        made.not_cut = cut_log(target, kept, made.size)
    made.took_ms = round((time.monotonic() - begun) * 1000)
    return made


def _written(
    target: Target,
    recipients: tuple[Recipient, ...],
    keys: Sequence[VerifierKey],
    keeping: Keeping,
    known: dict[str, str],
    now: int,
) -> tuple[Writing, tuple[str, ...]]:
    """All but the list and the manifest; with the migrations that the rows are of."""
    published = publish_once(connection, target.log, keys)
    if published is None:
        raise NotMade("Nothing was ever sealed, so there is no log to back up.")
    last = published.checkpoint
    writing = Writing(target, Made(new_id(now), last.size, last.root.hex()), now, recipients, keeping, known)
    writing.put_own("checkpoint", published.data)
    write_ranges(writing)
    write_stayed(writing)
    write_tables(writing)
    writing.made.values = tables.values_held()
    return writing, tables.migrations()


@contextmanager
def _alone() -> Iterator[None]:
    with alone(Lock.BACKUP) as mine:
        if not mine:
            raise BeingMade("Another backup is being made.")
        yield


def _known(target: Target, ours: Sequence[VerifierKey]) -> dict[str, str]:
    """The files of the backup before; nothing where there is none, or where its list was damaged, so that all is written anew."""
    try:
        manifest = target.manifest(ours)
    except (ParseError, NotVerified) as error:
        raise NotMade(f"The manifest there is not one that this key signed. {error}") from error
    try:
        return target.contents(manifest) if manifest else {}
    except BadBackup:
        return {}
