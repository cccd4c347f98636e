"""Personal values of entries that came back from what is published, taken from backups that were made before the database was set back.

An entry comes back without its values; a backup that is newer than the database may hold them. Each must have the hash that its entry
commits to, so nothing of a backup is believed. What was erased or had expired stays away, and so does whatever is about people who were
erased since: their erasure could name no value that was not held.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql

from audit.log.append import append, process
from audit.log.backup import tables
from audit.log.backup.age import Identity, NotOpened, decrypted
from audit.log.backup.manifest import Manifest
from audit.log.backup.target import BACKUPS, PERSONAL, RANGE, BadBackup, Target, folder_of
from audit.log.commitments import verify_commitment
from audit.log.erasing import lock, values_about
from audit.log.errors import NotVerified, ParseError
from audit.log.examining_values import Examined, Gone, Value, lost_values, read_gone
from audit.log.logged import events_of
from audit.log.models import PersonalValue, SealedEntry
from audit.log.note import VerifierKey
from audit.log.said import Erased, read_erased

RESTORED = "log.values_restored"
BRINGER = process("recovery")
AT_ONCE = 2048
WAITING = "audit_personal_value."
DECIDED = "SELECT body FROM audit_event WHERE name = %s"
IDENTITIES = """
SELECT e.body, e.id, e.name, e.at, e."case", e.subject, s."index" FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e.name LIKE 'person.%%'
"""
NAMING = ("name", "email")
Row = tuple[UUID, str, bytes, str]  # event, field, salt, value


@dataclass
class Again:
    """What came of it; counts are of single values."""

    back: int = 0
    lost: int = 0  # in no backup that can be read, or not the one to which the entry commits
    left_out: int = 0  # about people who were erased since
    backups: list[str] = field(default_factory=list)  # from which some came, the newest first
    unread: list[str] = field(default_factory=list)  # why a backup could not be read, in a sentence


@dataclass
class Found:
    """What the backups held of the values that are wanted, and what names those who were erased since."""

    values: dict[Value, tuple[bytes, str, str]] = field(default_factory=dict)  # salt, value, backup
    words: set[str] = field(default_factory=set)


def restore_values(target: Target, identities: tuple[Identity, ...], trusted: Sequence[VerifierKey]) -> Again:
    """Bring back what the newest backups hold of the values that are lost. As the owner of the database.

    The backups are read before the transaction begins; what is wanted is looked up again in it, under the lock of whoever erases.

    Args:
        target: Where the backups lie.
        identities: Secret keys of age.
        trusted: Public keys of who signs backups.

    Raises:
        StoreUnavailable: The place does not answer.
    """
    done = Again()
    people = _erased_people()
    wanted, numbers = _wanted()
    if not wanted:
        return done
    naming = _identities(people)
    found = _looked_for(
        target,
        identities,
        trusted,
        wanted,
        numbers | {each // RANGE for each in naming.values()},
        set(naming),
        done,
    )
    with transaction.atomic():
        lock()
        wanted, _ = _wanted()
        _keep(done, {value: held for value, held in found.values.items() if value in wanted}, found.words)
        done.lost = len(wanted) - done.back - done.left_out
        append(RESTORED, by=BRINGER, back=done.back, lost=done.lost, left_out=done.left_out, backups=done.backups)
    return done


def _wanted() -> tuple[dict[Value, str], set[int]]:
    """The commitments to what is lost, and the numbers of the ranges in which a backup keeps it."""
    gone, wanted, numbers = read_gone(Gone()), dict[Value, str](), set[int]()
    for first, last in gone.came_back:
        for chunk in _entries(first, last):
            lost = lost_values(chunk, gone)
            wanted |= lost
            events = {event for event, _ in lost}
            numbers |= {each.index // RANGE for each in chunk if each.id in events}
    return wanted, numbers


def _entries(first: int, last: int) -> Iterator[list[Examined]]:
    """Those that are held between two indexes, both included; the range itself may reach beyond them."""
    start = first
    while True:
        rows = SealedEntry.objects.filter(index__gte=start, index__lte=last).order_by("index")
        chunk = [
            Examined(index, event, bytes(body))
            for index, event, body in rows.values_list("index", "event_id", "event__body")[:AT_ONCE]
        ]
        if not chunk:
            return
        yield chunk
        start = chunk[-1].index + 1


def _erased_people() -> list[str]:
    """Those whom two people had erased, by pseudonym."""
    return [said.person for said in {*_decided("erasure.done")} & {*_decided("erasure.confirmed")}]


def _decided(name: str) -> Iterator[Erased]:
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, [name])
        for (body,) in cursor.fetchall():
            with contextlib.suppress(ParseError):
                yield read_erased(bytes(body))


def _identities(people: Sequence[str]) -> dict[UUID, int]:
    """The entries that say what these people are called, with their indexes; one that cannot be read says nothing."""
    found, wanted = dict[UUID, int](), set(people)
    with connection.chunked_cursor() as cursor:
        cursor.execute(IDENTITIES, [])
        while rows := cursor.fetchmany(AT_ONCE):
            found |= {
                each.id: each.index
                for each in events_of(rows)
                if each.index is not None and each.fields.get("person_id") in wanted
            }
    return found


def _looked_for(
    target: Target, identities: tuple[Identity, ...], trusted: Sequence[VerifierKey], wanted: dict[Value, str],
    numbers: set[int], naming: set[UUID], done: Again,
) -> Found:  # fmt: skip
    """From the newest backup back, until nothing is missing. One that cannot be read is passed over and named."""
    found, read = Found(), set[str]()
    for folder in sorted(target.rest.passing(BACKUPS), reverse=True):
        if len(found.values) == len(wanted):
            break
        backup = folder.rpartition("/")[2].removesuffix(".p")
        try:
            manifest = target.manifest(trusted, backup)
            if manifest is None:  # it broke off
                continue
            for rows in _values(target, manifest, identities, numbers, read):
                _note(found, rows, wanted, naming, backup)
        except (BadBackup, NotOpened, NotVerified, ParseError) as error:
            done.unread.append(f"{backup}: {error}")
    return found


def _values(
    target: Target, manifest: Manifest, identities: tuple[Identity, ...], numbers: set[int], read: set[str]
) -> Iterator[list[Row]]:
    """What a backup holds of some ranges, and of entries that waited to be sealed when it was made; no file twice."""
    contents, own = target.contents(manifest), folder_of(manifest.id)
    waiting = _columns(target.file(f"{own}/tables", contents[f"{own}/tables"])) if f"{own}/tables" in contents else ""
    for path in sorted(contents.keys() - read):
        name = path.removeprefix(f"{own}/")
        is_waiting = name.startswith(WAITING) and bool(waiting)
        if is_waiting or _range_of(name) in numbers:
            read.add(path)
            columns = waiting if is_waiting else "event_id,field,salt,value"
            yield _rows(columns, decrypted(target.file(path, contents[path]), identities))


def _range_of(name: str) -> int:
    """Of which range of entries a file holds the values; -1 where it is another file."""
    for start in (f"{PERSONAL}/", f"{PERSONAL}-"):
        if name.startswith(start):
            return int(name.removeprefix(start)[:6])
    return -1


def _columns(described: bytes) -> str:
    lines = (line.partition(" ") for line in described.decode().splitlines())
    return next((columns for name, _, columns in lines if f"{name}." == WAITING), "")


def _rows(columns: str, data: bytes) -> list[Row]:
    """Let the database read its own format."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE restored_values (LIKE audit_personal_value)")
        tables.copy_in("restored_values", sql.SQL(", ").join(map(sql.Identifier, columns.split(","))), data)
        cursor.execute("SELECT event_id, field, salt, value FROM restored_values")
        found = [(event, name, bytes(salt), value) for event, name, salt, value in cursor.fetchall()]
        cursor.execute("DROP TABLE restored_values")
        return found


def _note(found: Found, rows: Sequence[Row], wanted: dict[Value, str], naming: set[UUID], backup: str) -> None:
    for event, name, salt, value in rows:
        key = event, name
        if key in wanted and key not in found.values and verify_commitment(wanted[key], salt, name, value):
            found.values[key] = salt, value, backup
        if event in naming and name in NAMING and ("@" in value or " " in value.strip()):
            found.words.add(value)


def _keep(done: Again, values: dict[Value, tuple[bytes, str, str]], words: set[str]) -> None:
    """Write them, and take those away again that are about somebody who was erased."""
    PersonalValue.objects.bulk_create(
        [PersonalValue(event_id=event, field=name, salt=salt, value=value) for (event, name), (salt, value, _) in values.items()],
        batch_size=AT_ONCE,
    )  # fmt: skip
    about = {
        (each.event_id, each.field) for person in _erased_people() for each in values_about("default", person, words)
    }
    away = about & values.keys()
    _take_away(away)
    done.back, done.left_out = len(values) - len(away), len(away)
    done.backups = sorted({values[key][2] for key in values.keys() - away}, reverse=True)


def _take_away(values: set[Value]) -> None:
    with connection.cursor() as cursor:
        given: list[Any] = [[event for event, _ in values], [name for _, name in values]]
        cursor.execute(
            "DELETE FROM audit_personal_value v USING unnest(%s::uuid[], %s::text[]) AS x (event_id, field)"
            " WHERE v.event_id = x.event_id AND v.field = x.field",
            given,
        )
