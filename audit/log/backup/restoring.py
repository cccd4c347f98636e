"""The way back: a backup into an empty database, in one transaction, checked before it is kept.

Nothing of the backup is believed: the manifest is signed, each file has the hash that is listed there, the tree grown from the entries
has the root that the log's key signed, and at the end the whole log is examined as `verify_log` does.
"""

import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from audit.log import merkle
from audit.log.away import AWAY
from audit.log.backup import tables
from audit.log.backup.age import Identity, NotOpened, decrypted
from audit.log.backup.manifest import Manifest
from audit.log.backup.missing import Missing, missing
from audit.log.backup.regrown import NotRegrown, Rows, begun, entries
from audit.log.backup.target import BEGINS, STAYED, BadBackup, Target, folder_of
from audit.log.canonical import parse_entry
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.erased_again import clear_rows, confirmed
from audit.log.errors import NotVerified, ParseError
from audit.log.examination import examine
from audit.log.examining_values import Gone, latest
from audit.log.held_again import hold_again, parsed, said
from audit.log.note import VerifierKey
from audit.log.publishing import read_head
from audit.log.report import Report
from audit.log.said import read_expired, read_value
from audit.log.sealing import SealingError
from audit.log.stores import Store

T = TypeVar("T")
AT_ONCE = 2048
NEW = "CREATE TEMPORARY TABLE {new} (LIKE {table}) ON COMMIT DROP"
ERASED = "SELECT body FROM audit_event WHERE name = %s"
KEEP_ERASURES = "INSERT INTO restored_erasures (event_id, field) VALUES (%s, %s)"
KEEP_EXPIRED = "INSERT INTO restored_erasures (event_id, before) VALUES (%s, %s)"
SEALED = """
INSERT INTO audit_sealed_entry ("index", event_id, leaf_hash, sealed_at)
SELECT n."index", n.event_id, n.leaf_hash,
       (SELECT signed_at FROM audit_checkpoint WHERE size > n."index" ORDER BY size LIMIT 1)
FROM restored_sealed n ORDER BY n."index"
"""
PERSONAL = """
INSERT INTO audit_personal_value (event_id, field, salt, value) SELECT v.event_id, v.field, v.salt, v.value
FROM restored_values v JOIN audit_event a ON a.id = v.event_id
WHERE NOT EXISTS (SELECT FROM restored_erasures e WHERE e.event_id = v.event_id AND (e.field = v.field OR a.at < e.before))
"""
ERASE = """
DELETE FROM audit_personal_value v USING restored_erasures e, audit_event a
WHERE a.id = v.event_id AND e.event_id = v.event_id AND (e.field = v.field OR a.at < e.before)
"""

AS_IT_WAS = "It was so when it was backed up; --damaged restores it as it was."


class NotRestored(Exception):
    """Nothing was restored, in a sentence; the database is as it was."""


@dataclass
class Restored:
    """What was restored, and what is known to be missing."""

    manifest: Manifest
    root: str
    report: Report
    left_out: int  # values of the backup that were erased since they were copied
    missing: Missing = field(default_factory=Missing)
    rows: int = 0  # of the tables that are kept as rows
    values: int = 0  # personal ones, before what was erased since the backup went
    cleared: int = 0  # rows of the portal that had come back of people who were erased since the backup


def restore(
    target: Target,
    identities: tuple[Identity, ...],
    trusted: Sequence[VerifierKey],
    keys: Sequence[VerifierKey],
    *,
    published: Store | None = None,
    backup: str = "",
    older: bool = False,
    damaged: bool = False,
) -> Restored:
    """Restore the last backup, or the named one, into the empty database of the connection, which is migrated first where it must be.

    Args:
        target: Where the backups lie.
        identities: Secret keys of age.
        trusted: Public keys of who signs backups.
        keys: The log's public keys.
        published: The published log, to say what is missing and to replay erasures that came after the backup.
        backup: Its id.
        older: Also where the published log says that a later one than the last one there was made.
        damaged: Also where the check names what was amiss in the tables beside the log when it was backed up. Files, entries and root must be those
            that were signed in any case.

    Raises:
        NotRestored: There is none, the database is not empty, it is not the last one that was made, or the backup or the restored log does not verify.
        StoreUnavailable: A store does not answer.
        AWAY: The database is away or cannot go on.
    """
    try:
        manifest = target.manifest(trusted, backup)
        if manifest is None:
            raise NotRestored(
                f"There is no backup {backup} at this place." if backup else "There is no backup at this place."
            )
        contents = target.contents(manifest)
        _prepare(manifest)
        with transaction.atomic():
            found = _restored(target, manifest, contents, identities, keys, published)
            if not (backup or older):
                _need_the_last(found)
            if not found.report.ok and not damaged:
                raise NotRestored(f"The restored log does not verify. {' '.join(found.report.sentences())} {AS_IT_WAS}")
    except (ParseError, NotVerified, BadBackup, NotRegrown, NotOpened, SealingError) as error:
        raise NotRestored(str(error)) from error
    except AWAY:
        raise
    except (DatabaseError, psycopg.Error) as error:  # its text may repeat what it refused
        raise NotRestored(f"The database refuses what the backup holds ({type(error).__name__}).") from None
    return found


def _need_the_last(found: Restored) -> None:
    later = [each for each in found.missing.made if each[0] > found.manifest.size]
    if later:
        _, identity, place = later[-1]
        raise NotRestored(
            f"The published log says that backup {identity} was made later, in {place}; the last one here is {found.manifest.id}. "
            "This place was set back, or it is an older copy. Restore the later one; where it is lost, restore this one with --older."
        )


def _prepare(manifest: Manifest) -> None:
    if _holds_something():
        raise NotRestored("The database is not empty. A backup is restored into an empty one only.")
    call_command("migrate", interactive=False, verbosity=0)
    if tables.migrations() != manifest.migrations:
        raise NotRestored(
            "The backup was made by another version of the portal. Restore with that version, and upgrade afterwards. "
            f"It had {', '.join(manifest.migrations)}."
        )


def _holds_something() -> bool:
    """Whether there are rows, or tables of somebody else."""
    names = set(connection.introspection.table_names())
    if "django_migrations" not in names:
        return bool(names)
    wanted = [table.name for table in tables.kept_tables() if table.name not in tables.FILLED_BY_MIGRATING]
    with connection.cursor() as cursor:
        for name in (*wanted, *names & set(tables.OF_SEALER)):
            cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name)))
            if cursor.fetchone()[0]:
                return True
    return False


def _restored(
    target: Target, manifest: Manifest, contents: dict[str, str], identities: tuple[Identity, ...],
    keys: Sequence[VerifierKey], published: Store | None,
) -> Restored:  # fmt: skip
    own = folder_of(manifest.id)
    last = _checkpoint(target.file(f"{own}/checkpoint", _listed(contents, f"{own}/checkpoint")), manifest, keys)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        _temporary(cursor, "restored_sealed", "audit_sealed_entry", "ALTER COLUMN sealed_at DROP NOT NULL")
        _temporary(cursor, "restored_values", "audit_personal_value")
        cursor.execute(
            "CREATE TEMPORARY TABLE restored_erasures (event_id uuid, field text, before bigint) ON COMMIT DROP"
        )
        _notes(target, contents)
        _entries(target.log, _begins(target, contents, own), last, keys)
        rows = _tables(target, manifest, contents, identities)
        cursor.execute(SEALED)
        _values(target, contents, identities)
        left_out = _put_what_was_not_erased(cursor)
        values = tables.values_held()
        found = missing(published, last, keys)
        left_out += _erase_as_published(cursor, found)
        _sequences(cursor, target.file(f"{own}/sequences", _listed(contents, f"{own}/sequences")))
        hold_again([*said(), *parsed(found.holds)])
        cleared = clear_rows(found.people)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return Restored(
        manifest,
        last.root.hex(),
        examine(keys, gone=Gone(frozenset(found.erasures), latest(found.expired))),
        left_out,
        found,
        rows,
        values,
        cleared,
    )


def _put_what_was_not_erased(cursor: Any) -> int:
    """The personal values of the backup but those that its own log says are erased; how many these were."""
    cursor.executemany(KEEP_ERASURES, _told(cursor, "personal_value.erased", read_value))
    expired = _told(cursor, "personal_values.expired", read_expired)
    cursor.executemany(KEEP_EXPIRED, [each for listed in expired for each in listed])
    cursor.execute("SELECT count(*) FROM restored_values")
    held: int = cursor.fetchone()[0]
    cursor.execute(PERSONAL)
    return held - int(cursor.rowcount)


def _erase_as_published(cursor: Any, found: Missing) -> int:
    """Erase what the log that was published since says is erased; how many values these were."""
    found.believe(confirmed(cursor))
    cursor.executemany(KEEP_ERASURES, list(found.erasures))
    cursor.executemany(KEEP_EXPIRED, list(found.expired))
    cursor.execute(ERASE)
    return int(cursor.rowcount)


def _told(cursor: Any, name: str, read: Callable[[bytes], T]) -> list[T]:
    """What the entries of this name say that can be read: one that cannot must not end every restore."""
    cursor.execute(ERASED, [name])
    found = []
    for (body,) in cursor.fetchall():
        with contextlib.suppress(ParseError):
            found.append(read(bytes(body)))
    return found


def _temporary(cursor: Any, new: str, table: str, change: str = "") -> None:
    run = cursor.execute
    run(sql.SQL(NEW).format(new=sql.Identifier(new), table=sql.Identifier(table)))
    if change:
        run(f"ALTER TABLE {new} {change}")


def _listed(contents: dict[str, str], path: str) -> str:
    try:
        return contents[path]
    except KeyError:
        raise BadBackup(f"{path} is not among the files of the backup.") from None


def _checkpoint(data: bytes, manifest: Manifest, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint:
    found = verify_checkpoint(parse_checkpoint(data), keys)
    if found.size != manifest.size:
        raise BadBackup(f"The manifest speaks of {manifest.size} entries and the checkpoint of {found.size}.")
    return found


def _notes(target: Target, contents: dict[str, str]) -> None:
    for kind, table, columns in (
        ("checkpoints", "audit_checkpoint", "size, root, note, signed_at"),
        ("cosignatures", "audit_cosignature", "size, witness, line, signed_at"),
    ):
        for path in sorted(contents, key=lambda each: each.rpartition("/")[2]):
            if path.rpartition("/")[2].startswith(f"{kind}-"):
                tables.copy_in(table, sql.SQL(columns), target.file(path, contents[path]))


def _begins(target: Target, contents: dict[str, str], own: str) -> int:
    """Where the log of the backup begins; the places of the entries before it that stay are laid beside those that are read."""
    if f"{own}/{BEGINS}" not in contents:
        return 0
    path = f"{own}/{STAYED}"
    tables.copy_in(
        "restored_sealed", sql.SQL('"index", event_id, leaf_hash'), target.file(path, _listed(contents, path))
    )
    return int(target.file(f"{own}/{BEGINS}", contents[f"{own}/{BEGINS}"]))


def _entries(store: Store, begins: int, last: VerifiedCheckpoint, keys: Sequence[VerifierKey]) -> None:
    """The events as their bytes say, the indexes and hashes, and the tiles; only up to the checkpoint of the backup."""
    head = read_head(store, keys)
    if head is None or head.checkpoint.size < last.size:
        raise BadBackup("The log beside the backup is shorter than the backup.")
    tree = begun(store, begins, head.checkpoint.size, _keep_tiles)
    waiting: list[tuple[int, bytes]] = []
    for index, entry in entries(store, begins, last.size, head.checkpoint.size):
        tree.add(merkle.leaf_hash(entry))
        waiting.append((index, entry))
        if len(waiting) == AT_ONCE:
            _keep_entries(waiting)
            waiting.clear()
    _keep_entries(waiting)
    tree.finish(last)


def _keep_entries(rows: Sequence[tuple[int, bytes]]) -> None:
    events = 'COPY audit_event (id, name, at, "by", "case", subject, body) FROM STDIN'
    places = 'COPY restored_sealed ("index", event_id, leaf_hash) FROM STDIN'
    said = [(index, data, _entry(index, data)) for index, data in rows]
    with connection.cursor() as cursor:
        with cursor.copy(events) as copy:
            for _, data, entry in said:
                columns = (entry["name"], entry["at"], entry["by"], entry.get("case", ""), entry.get("subject", ""))
                copy.write_row((uuid.UUID(entry["id"]), *columns, data))
        with cursor.copy(places) as copy:
            for index, data, entry in said:
                copy.write_row((index, uuid.UUID(entry["id"]), merkle.leaf_hash(data)))


def _entry(index: int, data: bytes) -> dict[str, Any]:
    try:
        entry = parse_entry(data)
        uuid.UUID(entry["id"]), entry["name"], entry["at"], entry["by"]
    except (ParseError, LookupError, ValueError, TypeError) as error:
        raise BadBackup(f"What stands at {index} in the log of the backup is not an entry.") from error
    return entry


def _keep_tiles(found: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy('COPY audit_tile (level, "index", hashes) FROM STDIN') as copy:
        for (level, index), hashes in found.items():
            copy.write_row((level, index, hashes))


def _tables(target: Target, manifest: Manifest, contents: dict[str, str], identities: tuple[Identity, ...]) -> int:
    """Fill them; how many rows they got."""
    rows = 0
    own = folder_of(manifest.id)
    described = target.file(f"{own}/tables", _listed(contents, f"{own}/tables")).decode()
    known = {table.name: table for table in tables.kept_tables()}
    with connection.cursor() as cursor:
        for name in tables.FILLED_BY_MIGRATING:
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    for line in described.splitlines():
        name, _, columns = line.partition(" ")
        if name not in known or set(columns.split(",")) != set(known[name].columns):
            raise BadBackup(f"The table {name} of the backup has other columns than that of this version.")
        listed = sql.SQL(", ").join(map(sql.Identifier, columns.split(",")))
        for path in sorted(path for path in contents if path.startswith(f"{own}/{name}.")):
            data = decrypted(target.file(path, contents[path]), identities)
            rows += tables.copy_in(name, listed, data)
    return rows


def _values(target: Target, contents: dict[str, str], identities: tuple[Identity, ...]) -> None:
    columns = sql.SQL("event_id, field, salt, value")
    for path in sorted(contents):
        if path.startswith("personal/") or path.rpartition("/")[2].startswith("personal-"):
            tables.copy_in("restored_values", columns, decrypted(target.file(path, contents[path]), identities))


def _sequences(cursor: Any, data: bytes) -> None:
    for line in data.decode().splitlines():
        name, _, value = line.partition(" ")
        cursor.execute("SELECT setval(quote_ident(%s)::regclass, %s)", [name, int(value)])
