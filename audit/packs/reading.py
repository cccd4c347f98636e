"""Sealed entries up to a position, as evidence reads them: strict about their bytes, and no personal value unproved.

A name or a statement lies beside the log and could be changed there; each is held against the commitment in the entry's own
bytes, and one that does not match is not printed.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db import connection

from audit.facts.fold.entry import Entry, entry_of
from audit.log.commitments import verify_commitment
from audit.log.errors import ParseError
from audit.log.read import LoggedEvent, dated
from audit.log.shape import read_entry

CHUNK = 2000
BEGAN = "campaign.started"
DOES_NOT_MATCH = "(does not match the log)"
BODIES = """
SELECT s.index, e.body FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE s.index >= %s AND s.index < %s ORDER BY s.index LIMIT %s
"""
WHOLE = """
SELECT s.index, e.body, p.values FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
LEFT JOIN LATERAL (
  SELECT jsonb_object_agg(v.field, jsonb_build_array(encode(v.salt, 'hex'), v.value)) AS values
  FROM audit_personal_value v WHERE v.event_id = e.id
) p ON true
WHERE s.index < %s AND {where} ORDER BY s.index LIMIT %s
"""
PEOPLE = """
SELECT id FROM (
  SELECT DISTINCT found[1] AS id FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id,
  regexp_matches(convert_from(e.body, 'UTF8'), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') AS found
  WHERE s."index" < %s AND e."case" = %s) ids
WHERE EXISTS (SELECT FROM audit_event p WHERE p.subject = 'person:' || ids.id AND p.name = 'person.added') ORDER BY 1
"""
HOW_MANY = """
SELECT count(*) FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE s.index < %s AND e."case" = %s AND e.name = ANY(%s)
"""


def entries(size: int) -> Iterator[Entry]:
    """All entries below a position, in order; bytes that are no entry are left out, and their range does not verify."""
    start = 0
    while start < size:
        with connection.cursor() as cursor:
            cursor.execute(BODIES, [start, size, CHUNK])
            found = cursor.fetchall()
        if not found:
            return
        for index, body in found:
            try:
                yield entry_of(read_entry(bytes(body)), index)
            except ParseError:
                continue
        start = found[-1][0] + 1


def of_cases(size: int, cases: Collection[str]) -> Iterator[LoggedEvent]:
    """The entries of some cases, in the order of the log."""
    return _whole(size, 'e."case" = ANY(%s)', [list(cases)])


def of_case(size: int, case: str, names: Iterable[str], limit: int) -> Iterator[LoggedEvent]:
    """The first entries of some names of one case, in the order of the log."""
    return _whole(size, 'e."case" = %s AND e.name = ANY(%s)', [case, list(names)], limit)


def rest_of_case(size: int, case: str, but: Iterable[str]) -> Iterator[LoggedEvent]:
    """All entries of one case whose names are others."""
    return _whole(size, 'e."case" = %s AND NOT e.name = ANY(%s)', [case, list(but)])


def people_in(size: int, case: str) -> list[str]:
    """Pseudonyms of all people by whom an entry of one case is, or whom one names."""
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [size, case])
        return [row[0] for row in cursor.fetchall()]


def ids_in(events: Iterable[LoggedEvent]) -> Iterator[str]:
    """By whom entries are, and what they say in clear: texts in which ids stand."""
    for event in events:
        yield event.by
        yield json.dumps(event.fields)


def how_many(size: int, case: str, names: Iterable[str]) -> int:
    """How many entries of some names a case has."""
    with connection.cursor() as cursor:
        cursor.execute(HOW_MANY, [size, case, list(names)])
        return int(cursor.fetchone()[0])


def named(size: int, names: Iterable[str], *, since: int = 0, loose: bool = False) -> Iterator[LoggedEvent]:
    """Entries of some names, written at ``since`` (ms) or later; ``loose``: only those that belong to no case."""
    where = "e.name = ANY(%s) AND e.at >= %s" + (""" AND e."case" = ''""" if loose else "")
    return _whole(size, where, [list(names), since])


def of_campaign(size: int, campaign: str, names: Iterable[str]) -> Iterator[LoggedEvent]:
    """The entries of one attestation and of its lines, from its beginning on, in the order of the log.

    An entry of a line names its attestation among its fields alone: the database looks for those words in the bytes, so what belongs to others is
    neither proved nor carried.
    """
    first = next(_whole(size, "e.subject = %s AND e.name = %s", [f"campaign:{campaign}", BEGAN], 1), None)
    if first is None or first.index is None:
        return
    words = f'"campaign_id":"{campaign}"'.encode()  # RFC 8785 knows one way to write them
    mine = "s.index >= %s AND e.name = ANY(%s) AND position(%s::bytea IN e.body) > 0"
    yield from _whole(size, mine, [first.index, list(names), words])


def _whole(size: int, where: str, parameters: list[Any], limit: int | None = None) -> Iterator[LoggedEvent]:
    with connection.cursor() as cursor:
        cursor.execute(WHOLE.format(where=where), [size, *parameters, limit])
        while rows := cursor.fetchmany(CHUNK):
            read = [_event(bytes(body), index, _values(values)) for index, body, values in rows]
            yield from dated([event for event in read if event is not None])


def _values(values: Any) -> dict[str, list[str]]:
    return json.loads(values) if isinstance(values, str) else values or {}


def _event(body: bytes, index: int, values: dict[str, list[str]]) -> LoggedEvent | None:
    try:
        entry = read_entry(body)
    except ParseError:
        return None
    commitments = entry["personal"]
    return LoggedEvent(
        index, UUID(entry["id"]), entry["name"], entry["at"], entry["by"], entry.get("method"), entry.get("strong_at"),
        entry.get("case", ""), entry.get("subject", ""), entry["fields"],
        {name: _proved(commitments.get(name, ""), name, *values[name]) for name in values}, commitments,
    )  # fmt: skip


def _proved(commitment: str, name: str, salt: str, value: str) -> str:
    return value if verify_commitment(commitment, bytes.fromhex(salt), name, value) else DOES_NOT_MATCH
