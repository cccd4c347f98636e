"""Erasing personal values: salt and value are deleted with the eraser's database role; the entries, and so every proof, stay as they are.

Whoever sets a legal hold takes the same lock, so an erasure sees the hold, or the hold comes after it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from audit.events.about import ways
from audit.log.append import Actor, Entry, append_on, process
from audit.log.databases import as_role
from audit.log.erased import subject_of

LOCK = 0x65726173  # "eras"
ERASED = "personal_value.erased"
ERASER: Actor = process("eraser")

# Whatever is said of a person, or by them, and every other text that holds their mail address or full name. A name alone does not make
# another's name theirs: where people are named, only the pseudonym counts.
FIND = """
SELECT DISTINCT v.event_id, v.field
FROM audit_personal_value v JOIN audit_event e ON e.id = v.event_id
LEFT JOIN unnest(%(names)s::text[], %(fields)s::text[], %(ways)s::text[]) AS r(name, field, way)
  ON r.field = v.field AND r.name IN (e.name, '')
WHERE (r.way = 'by' AND e."by" = %(person)s)
  OR (r.way = 'case' AND e."case" = ANY(%(cases)s))
  OR (r.way NOT IN ('by', 'case') AND jsonb_exists(convert_from(e.body, 'UTF8')::jsonb #> ARRAY['fields', r.way], %(person)s))
  OR (v.field <> 'by_name' AND NOT (e.name = 'person.added' AND v.field = 'name')
      AND EXISTS (SELECT 1 FROM unnest(%(words)s::text[]) AS w WHERE strpos(lower(v.value), lower(w)) > 0))
ORDER BY v.event_id, v.field
"""
CASES = """
SELECT e."case" FROM audit_event e
WHERE e.name = 'request.made' AND convert_from(e.body, 'UTF8')::jsonb #>> ARRAY['fields', 'responder_id'] = %s
"""
DELETE = """
DELETE FROM audit_personal_value v USING unnest(%s::uuid[], %s::text[]) AS d(event_id, field)
WHERE v.event_id = d.event_id AND v.field = d.field
"""


# Entries from which something goes, or went already by this erasure, that are of a held case or person, or name a held person.
HELD = """
SELECT e."case", e."by" FROM audit_event e
WHERE (e.id = ANY(%(events)s) OR e.id IN (
  SELECT substr(s.subject, 7)::uuid FROM audit_event s
  WHERE s.name = %(name)s AND convert_from(s.body, 'UTF8')::jsonb #>> ARRAY['fields', 'erasure_id'] = %(erasure)s))
AND (e."case" = ANY(%(cases)s) OR e."by" = ANY(%(people)s)
  OR EXISTS (SELECT FROM unnest(%(people)s::text[]) AS p (id) WHERE position(convert_to(p.id, 'UTF8') IN e.body) > 0))
LIMIT 1
"""
COUNT = """
SELECT count(*) FROM audit_event WHERE name = %s AND convert_from(body, 'UTF8')::jsonb #>> ARRAY['fields', 'erasure_id'] = %s
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
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def values_about(alias: str, person: str, words: Collection[str]) -> list[Found]:
    """All values about a person that are still held: by what each field is about, and by the words that name them in any text."""
    names, fields, found_by = map(list, zip(*ways(), strict=True))
    with connections[alias].cursor() as cursor:
        cursor.execute(CASES, [person])
        cases = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            FIND, {"names": names, "fields": fields, "ways": found_by, "person": person, "cases": cases, "words": list(words)}
        )  # fmt: skip
        return [Found(*row) for row in cursor.fetchall()]


def need_unheld(
    alias: str, *, found: Collection[Found], cases: Collection[str], people: Collection[str], erasure_id: UUID
) -> None:
    """See to it that no hold protects an entry from which this erasure takes something, or took it when it began.

    Raises:
        HeldUp: one does.
    """
    given: dict[str, Any] = {
        "events": [each.event_id for each in found], "name": ERASED, "erasure": str(erasure_id), "cases": list(cases), "people": list(people),
    }  # fmt: skip
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
    with connections[alias].cursor() as cursor:
        cursor.execute(COUNT, [ERASED, str(erasure_id)])
        return int(cursor.fetchone()[0])


def _delete(alias: str, found: Sequence[Found]) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(DELETE, [[each.event_id for each in found], [each.field for each in found]])
        if cursor.rowcount != len(found):
            raise RuntimeError(f"{len(found)} values were found and {cursor.rowcount} deleted.")
