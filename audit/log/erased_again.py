"""What was erased after the moment to which a database was set back is erased again: by the entries that say so, once they are back.

The portal clears its own rows; audit imports nothing of it, so a setting names the function.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

VALUES = """
DELETE FROM audit_personal_value v USING (
  SELECT convert_from(e.body, 'UTF8')::jsonb -> 'fields' AS said FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
  WHERE e.name = 'personal_value.erased' AND s."index" >= %s
) x WHERE v.event_id = (x.said ->> 'event_id')::uuid AND v.field = x.said ->> 'field'
"""
PEOPLE = """
SELECT convert_from(e.body, 'UTF8')::jsonb #>> '{fields,person_id}', e.at FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e.name = 'erasure.done' AND s."index" >= %s
"""


def erase_since(cursor: Any, first: int) -> int:
    """Erase what the entries from this index on say was erased; how many values and rows. In the caller's transaction, as the owner."""
    cursor.execute(VALUES, [first])
    values = int(cursor.rowcount)
    cursor.execute(PEOPLE, [first])
    return values + clear_rows(dict(cursor.fetchall()))


def clear_rows(people: Mapping[str, int]) -> int:
    """Let the portal erase from its own rows those who were erased at a time (ms), by pseudonym: how many rows it cleared."""
    return int(import_string(settings.AUDIT_ERASED_AGAIN_BY)(people)) if people else 0
