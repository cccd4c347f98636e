"""Erasing personal values: salt and value are deleted with the eraser's database role; the entries, and so every proof, stay as they are.

Whoever sets a legal hold takes the same lock, so an erasure sees the hold, or the hold comes after it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from audit.events.about import ways
from audit.log.append import Actor, Entry, append_on, process
from audit.log.canonical import parse_entry
from audit.log.databases import as_role
from audit.log.erased import subject_of
from audit.log.errors import ParseError
from audit.log.locks import until_commit

LOCK = 0x65726173  # "eras"
ERASED = "personal_value.erased"
ERASER: Actor = process("eraser")

# Whatever is said by a person or in their cases, and every other text that holds their mail address or full name. A name alone does not make
# another's name theirs: where people are named, only the pseudonym counts.
FIND = """
SELECT DISTINCT v.event_id, v.field
FROM audit_personal_value v JOIN audit_event e ON e.id = v.event_id
LEFT JOIN unnest(%(names)s::text[], %(fields)s::text[], %(ways)s::text[]) AS r(name, field, way)
  ON r.field = v.field AND r.name IN (e.name, '')
WHERE (r.way = 'by' AND e."by" = %(person)s)
  OR (r.way = 'case' AND e."case" = ANY(%(cases)s))
  OR (v.field <> 'by_name' AND NOT (e.name = 'person.added' AND v.field = 'name')
      AND EXISTS (SELECT 1 FROM unnest(%(words)s::text[]) AS w WHERE strpos(lower(v.value), lower(w)) > 0))
"""
# Whatever is said of them: the entry names them somewhere, and where, says its text. The database reads none, for it ends at one that is
# no JSON or holds the character NUL, and whoever may insert an event may write any bytes.
NAMED = """
SELECT v.event_id, v.field, r.way, e.body
FROM audit_personal_value v JOIN audit_event e ON e.id = v.event_id
JOIN unnest(%(names)s::text[], %(fields)s::text[], %(ways)s::text[]) AS r(name, field, way) ON r.field = v.field AND r.name IN (e.name, '')
WHERE r.way NOT IN ('by', 'case') AND position(convert_to(%(person)s, 'UTF8') IN e.body) > 0
"""
NAMING = """
SELECT "case", body FROM audit_event WHERE name = %s AND position(convert_to(%s, 'UTF8') IN body) > 0
"""
DELETE = """
DELETE FROM audit_personal_value v USING unnest(%s::uuid[], %s::text[]) AS d(event_id, field)
WHERE v.event_id = d.event_id AND v.field = d.field
"""


# Entries from which something goes, or went already by this erasure, that are of a held case or person, or name a held person.
HELD = """
SELECT FROM audit_event e
WHERE e.id = ANY(%(events)s::uuid[]) AND (e."case" = ANY(%(cases)s) OR e."by" = ANY(%(people)s)
  OR EXISTS (SELECT FROM unnest(%(people)s::text[]) AS p (id) WHERE position(convert_to(p.id, 'UTF8') IN e.body) > 0))
LIMIT 1
"""


class HeldUp(Exception):
    """A legal hold on a case, or on a person who wrote or is named beside what would go, forbids the erasure; nothing was erased."""


@dataclass(frozen=True)
class Found:
    """One value that is to be erased: of which event, which field."""

    event_id: UUID
    field: str


@contextmanager
def erasing() -> Iterator[str]:
    """A transaction with the eraser's rights, alone under the lock of erasures and holds; its alias. The connection is closed afterwards.

    Raises:
        ValueError: ERASER_DATABASE_URL is not the address of a database.
    """
    with as_role("eraser", settings.ERASER_DATABASE_URL) as alias, transaction.atomic(using=alias):
        lock(alias)
        yield alias


def lock(alias: str = "default") -> None:
    """Wait for whoever erases or sets a hold, until the transaction ends."""
    until_commit(LOCK, alias)


def values_about(alias: str, person: str, words: Collection[str]) -> list[Found]:
    """All values about a person that are still held: by what each field is about, and by the words that name them in any text."""
    names, fields, found_by = map(list, zip(*ways(), strict=True))
    cases = [case for case, said in _naming(alias, "request.made", person) if said.get("responder_id") == person]
    given: dict[str, Any] = {
        "names": names,
        "fields": fields,
        "ways": found_by,
        "person": person,
        "cases": cases,
        "words": list(words),
    }
    with connections[alias].cursor() as cursor:
        cursor.execute(FIND, given)
        found = {Found(*row) for row in cursor.fetchall()}
        cursor.execute(NAMED, given)
        found |= {
            Found(event, field) for event, field, way, body in cursor.fetchall() if _names(_said(body), way, person)
        }
    return sorted(found, key=lambda each: (each.event_id, each.field))


def _naming(alias: str, name: str, word: str) -> list[tuple[str, dict[str, Any]]]:
    """The case and the plain fields of each event of that name in which a word stands somewhere."""
    with connections[alias].cursor() as cursor:
        cursor.execute(NAMING, [name, word])
        return [(case, _said(body)) for case, body in cursor.fetchall()]


def _said(body: bytes) -> dict[str, Any]:
    """The plain fields of an entry; none of bytes that are no entry."""
    try:
        said = parse_entry(bytes(body)).get("fields")
    except ParseError:
        return {}
    return said if isinstance(said, dict) else {}


def _names(said: dict[str, Any], field: str, person: str) -> bool:
    value = said.get(field)
    return value == person or (isinstance(value, list | dict) and person in value)


def _taken(alias: str, erasure_id: UUID) -> list[UUID]:
    """The events from which this erasure took something already, once for each value."""
    found: list[UUID] = []
    for _, said in _naming(alias, ERASED, str(erasure_id)):
        if said.get("erasure_id") == str(erasure_id):
            with suppress(ValueError):
                found.append(UUID(str(said.get("event_id"))))
    return found


def need_unheld(
    alias: str, *, found: Collection[Found], cases: Collection[str], people: Collection[str], erasure_id: UUID
) -> None:
    """See to it that no hold protects an entry from which this erasure takes something, or took it when it began.

    Raises:
        HeldUp: one does.
    """
    events = {*(each.event_id for each in found), *_taken(alias, erasure_id)}
    given: dict[str, Any] = {"events": list(events), "cases": list(cases), "people": list(people)}
    with connections[alias].cursor() as cursor:
        cursor.execute(HELD, given)
        if cursor.fetchone() is not None:
            raise HeldUp


def erase_person(
    alias: str, *, person: str, words: Collection[str], cases: Collection[str], people: Collection[str], erasure_id: UUID, basis: str
) -> int:  # fmt: skip
    """Erase every value about a person, each with its event, in the caller's transaction; returns how many this erasure took so far.

    Args:
        alias: The eraser's connection, under the lock.
        person: The pseudonym.
        words: What names them in a text.
        cases: Those under a legal hold.
        people: Those under a legal hold, by pseudonym.
        erasure_id: Of the erasure, for the events.
        basis: The same.

    Raises:
        HeldUp: one of them stands in an entry of these cases, by these people, or that names them.
        DatabaseError: the role has no right to, or the database cannot.
        LogUnavailable: the events cannot be written.
    """
    found = values_about(alias, person, words)
    need_unheld(alias, found=found, cases=cases, people=people, erasure_id=erasure_id)
    _delete(alias, found)
    said = {"basis": basis, "erasure_id": str(erasure_id)}
    append_on(
        alias,
        [
            Entry(ERASED, ERASER, {"event_id": str(each.event_id), "field": each.field, **said}, subject=subject_of(each.event_id))
            for each in found
        ],
    )  # fmt: skip
    return len(_taken(alias, erasure_id))


def _delete(alias: str, found: Sequence[Found]) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(DELETE, [[each.event_id for each in found], [each.field for each in found]])
        if cursor.rowcount != len(found):
            raise RuntimeError(f"{len(found)} values were found and {cursor.rowcount} deleted.")
