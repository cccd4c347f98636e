"""What was erased after the moment to which a database was set back is erased again: by the entries that say so, once they are back.

The portal clears its own rows; audit imports nothing of it, so a setting names the function.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string

from audit.log.errors import ParseError
from audit.log.said import Erased, read_erased, read_expired, read_value

T = TypeVar("T")
SAYING = """
SELECT e.body, e.at FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = %s AND s."index" >= %s ORDER BY s."index"
"""
VALUES = """
DELETE FROM audit_personal_value v USING unnest(%s::uuid[], %s::text[]) AS x (event_id, field)
WHERE v.event_id = x.event_id AND v.field = x.field
"""
EXPIRED = """
DELETE FROM audit_personal_value v USING unnest(%s::uuid[], %s::bigint[]) AS x (event_id, before), audit_event e
WHERE v.event_id = x.event_id AND e.id = x.event_id AND e.at < x.before
"""


def erase_since(cursor: Any, first: int) -> int:
    """Erase what the entries from this index on say was erased; how many values and rows. In the caller's transaction, as the owner."""
    gone = [value for value, _ in _said(cursor, "personal_value.erased", first, read_value)]
    cursor.execute(VALUES, [[event for event, _ in gone], [field for _, field in gone]])
    values = int(cursor.rowcount)
    expired = [each for listed, _ in _said(cursor, "personal_values.expired", first, read_expired) for each in listed]
    cursor.execute(EXPIRED, [[event for event, _ in expired], [before for _, before in expired]])
    values += int(cursor.rowcount)
    both = confirmed(cursor)
    done = _said(cursor, "erasure.done", first, read_erased)
    return values + clear_rows({said.person: at for said, at in done if said in both})


def confirmed(cursor: Any) -> set[Erased]:
    """The erasures that two people said yes to: an ``erasure.done`` is believed only beside one of them."""
    return {said for said, _ in _said(cursor, "erasure.confirmed", 0, read_erased)}


def _said(cursor: Any, name: str, first: int, read: Callable[[bytes], T]) -> list[tuple[T, int]]:
    """What the entries of this name say from an index on, and when (ms); those that cannot be read are passed over."""
    cursor.execute(SAYING, [name, first])
    found = []
    for body, at in cursor.fetchall():
        with contextlib.suppress(ParseError):
            found.append((read(bytes(body)), at))
    return found


def clear_rows(people: Mapping[str, int]) -> int:
    """Let the portal erase from its own rows those who were erased at a time (ms), by pseudonym: how many rows it cleared."""
    return int(import_string(settings.AUDIT_ERASED_AGAIN_BY)(people)) if people else 0


def cut_since(first: int) -> int:
    """Let the portal carry out again the cuts of which the entries from this index on speak; how many."""
    return int(import_string(settings.AUDIT_CUT_AGAIN_BY)(first))
