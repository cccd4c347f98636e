"""One backup: the log as it is published, personal values and the portal's tables encrypted, and the signed manifest last.

Everything is read at one moment of the database. What is there already is not written again: full ranges of 4,096 entries are written
once, their personal values anew when they grow old, so that no copy outlives what `Keeping` says.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DatabaseError, connection
from psycopg import sql

from audit.log.append import now_ms
from audit.log.backup import tables
from audit.log.backup.age import Recipient, encrypted
from audit.log.backup.manifest import Manifest, new_id, sha256, signed, time_of, write_contents
from audit.log.backup.target import (
    BACKUPS,
    BEGINS,
    CHECKPOINTS,
    DAY_MS,
    HEAD,
    PERSONAL,
    RANGE,
    STAYED,
    BadBackup,
    Target,
    folder_of,
    personal_folder,
    written_at,
)
from audit.log.cuts import begins_at, minimum_index
from audit.log.cutting import StillLocked, cut_published
from audit.log.errors import NotVerified, ParseError
from audit.log.locks import Lock, alone
from audit.log.note import VerifierKey
from audit.log.publishing import publish_once
from audit.log.sealing import SealingError
from audit.log.signing import SignerKey
from audit.log.stores import StoreUnavailable

VALUES = """
SELECT v.event_id, v.field, v.salt, v.value FROM audit_personal_value v JOIN audit_sealed_entry s ON s.event_id = v.event_id
WHERE s."index" >= {} AND s."index" < {} ORDER BY s."index", v.field
"""
NOTES = {
    "checkpoints": "SELECT size, root, note, signed_at FROM audit_checkpoint WHERE size > {} AND size <= {} ORDER BY size",
    "cosignatures": "SELECT size, witness, line, signed_at FROM audit_cosignature WHERE size > {} AND size <= {} ORDER BY size, witness",
}


PLACES = 'SELECT "index", event_id, leaf_hash FROM audit_sealed_entry WHERE "index" < {} ORDER BY "index"'


class NotMade(Exception):
    """No backup was made, in a sentence; what was there stands."""


class BeingMade(NotMade):
    """Somebody else makes one at this moment."""


@dataclass(frozen=True)
class Keeping:
    """How long backups are kept, and how old a copy of a personal value may become; days."""

    keep_days: int = 7
    erasure_days: int = 30

    def rewrite_after_ms(self) -> int:
        """From which age on values are written anew: older backups rest on the old copy for as long as they are kept."""
        return max(0, self.erasure_days - self.keep_days - 1) * DAY_MS


@dataclass
class Made:
    """A backup that was made: its name and size, what it holds, and what it wrote."""

    id: str
    size: int
    root: str
    rows: int = 0  # of the tables that are kept as rows
    values: int = 0  # personal ones, of sealed entries and of those that wait
    manifest_sha256: str = ""
    files: int = 0
    bytes: int = 0
    erased: int = 0  # folders that had passed
    not_cut: str = ""  # why bundles that no kept backup rests on are there still
    took_ms: int = 0


@dataclass
class _Writing:
    """What a backup in the making has listed so far."""

    target: Target
    made: Made
    now: int
    recipients: tuple[Recipient, ...]
    keeping: Keeping
    known: dict[str, str]  # of the backup before
    listed: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, data: bytes) -> None:
        self.target.rest.put({path: data})
        self.listed[path] = sha256(data)
        self.made.files += 1
        self.made.bytes += len(data)

    def put_own(self, name: str, data: bytes) -> None:
        self.put(f"{folder_of(self.made.id)}/{name}", data)

    def again(self, start: str) -> bool:
        """List what the backup before has below this path; whether there was any."""
        found = {path: digest for path, digest in self.known.items() if path.startswith(start)}
        self.listed |= found
        return bool(found)


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
    with _alone(), tables.one_moment():
        now = now_ms()
        before = target.head()
        known = _known(target, ours)
        published = publish_once(connection, target.log, keys)
        if published is None:
            raise NotMade("Nothing was ever sealed, so there is no log to back up.")
        last = published.checkpoint
        writing = _Writing(target, Made(new_id(now), last.size, last.root.hex()), now, recipients, keeping, known)
        writing.put_own("checkpoint", published.data)
        _ranges(writing)
        _stayed(writing)
        _tables(writing)
        writing.made.values = tables.values_held()
        migrations = tables.migrations()
    contents = write_contents(writing.listed)
    target.rest.put({f"{folder_of(writing.made.id)}/contents": contents})
    manifest = signed(Manifest(writing.made.id, now, last.size, sha256(contents), migrations), signer)
    target.rest.put({f"{folder_of(writing.made.id)}/{HEAD}": manifest})
    target.rest.move_head(before, manifest)
    writing.made.manifest_sha256 = sha256(manifest)
    kept = _kept(target, ours, now, keeping)
    writing.made.erased = _erase_passed(target, kept)
    writing.made.not_cut = _cut(target, kept, last.size)
    writing.made.took_ms = round((time.monotonic() - begun) * 1000)
    return writing.made


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


def _ranges(writing: _Writing) -> None:
    """Checkpoints and personal values, cut by the index of the entries; the last range is not full and is written each time."""
    full = (writing.made.size - 1) // RANGE
    for number in range(full + 1):
        start, end = number * RANGE, min((number + 1) * RANGE, writing.made.size)
        for kind, query in NOTES.items():
            if number < full and writing.again(f"{CHECKPOINTS}/{kind}-{number:06}-"):
                continue
            data = b"".join(tables.copied_out(_between(query, start, end)))
            name = f"{kind}-{number:06}-{sha256(data)[:16]}"
            if number < full:
                writing.put(f"{CHECKPOINTS}/{name}", data)
            else:
                writing.put_own(name, data)
        if number == full:
            writing.put_own(f"personal-{number:06}.age", encrypted(_values(start, end), writing.recipients))
        elif not _fresh(writing, number):
            path = f"{personal_folder(number, writing.made.id)}/values.age"
            writing.put(path, encrypted(_values(start, end), writing.recipients))


def _stayed(writing: _Writing) -> None:
    """Where the log begins, and the places of the entries that stay before; their rows are among the tables."""
    begins = begins_at()
    if begins:
        writing.put_own(BEGINS, f"{begins}\n".encode())
        writing.put_own(STAYED, b"".join(tables.copied_out(sql.SQL(PLACES).format(sql.Literal(begins)))))


def _values(start: int, end: int) -> bytes:
    return b"".join(tables.copied_out(_between(VALUES, start, end)))


def _between(query: str, start: int, end: int) -> sql.Composed:
    return sql.SQL(query).format(sql.Literal(start), sql.Literal(end))


def _fresh(writing: _Writing, number: int) -> bool:
    """Whether the values of a full range lie there, not too old; then they are listed as they are."""
    start = f"{PERSONAL}/{number:06}-"
    found = [path.rpartition("/")[0] for path in writing.known if path.startswith(start)]
    if not found or writing.now - written_at(found[0]) > writing.keeping.rewrite_after_ms():
        return False
    return writing.again(start)


def _tables(writing: _Writing) -> None:
    described = []
    for table in tables.kept_tables():
        for part, data in enumerate(tables.read(table)):
            writing.made.rows += tables.rows_in(data)
            writing.put_own(f"{table.name}.{part:03}.age", encrypted(data, writing.recipients))
        described.append(f"{table.name} {','.join(table.columns)}\n")
    writing.put_own("tables", "".join(described).encode())
    lines = (f"{name} {value}\n" for name, value in tables.sequences().items())
    writing.put_own("sequences", "".join(lines).encode())


Kept = dict[str, dict[str, str]]
"""The files of each backup that is kept, by its folder."""


def _kept(target: Target, ours: Sequence[VerifierKey], now: int, keeping: Keeping) -> Kept:
    kept = {}
    for folder in target.rest.passing(BACKUPS):
        manifest = _kept_manifest(target, ours, folder, now, keeping)
        if manifest is not None:
            kept[folder] = target.contents(manifest)
    head = target.manifest(ours)
    if head is None or folder_of(head.id) not in kept:
        raise BadBackup("The backup that was just made is not there.")
    return kept


def _erase_passed(target: Target, kept: Kept) -> int:
    """Backups that have been kept for long enough, what a broken off one left, and values that no kept one rests on."""
    needed = {path.rpartition("/")[0] for contents in kept.values() for path in contents}
    passed = [folder for folder in target.rest.passing(BACKUPS) if folder not in kept]
    passed += [folder for folder in target.rest.passing(PERSONAL) if folder not in needed]
    target.rest.erase(passed)
    return len(passed)


def _cut(target: Target, kept: Kept, size: int) -> str:
    """Remove the bundles below a cut once every kept backup says itself that it begins there; why they stay, if that is in trouble.

    What the event says is not enough: a backup that was made before the rows went has its entries nowhere else.
    """
    try:
        with connection.cursor() as cursor:
            if min(_begins(target, folder, contents) for folder, contents in kept.items()) >= minimum_index(
                cursor, below=size
            ):
                cut_published(cursor, target.log, size)
    except (StillLocked, SealingError, StoreUnavailable, BadBackup) as error:
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
        if now - time_of(identity) > keeping.keep_days * DAY_MS:
            return None
        manifest = target.manifest(ours, identity)
        if manifest is not None:
            target.contents(manifest)
        return manifest
    except (ParseError, NotVerified, BadBackup):
        return None
