"""When a value was erased that an entry committed to, and how that is said where the value stood."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

ERASED = "(erased)"

WHEN = """
SELECT substr(subject, 7)::uuid, max(at) FROM audit_event
WHERE subject = ANY(%s) AND name = 'personal_value.erased' GROUP BY subject
"""


def subject_of(event_id: object) -> str:
    """How the log names an entry whose values were erased."""
    return f"entry:{event_id}"


def when_erased(event_ids: Iterable[UUID]) -> dict[UUID, int]:
    """When (ms) a value of each of these entries was last erased, as the log says. One query, none for no entries."""
    subjects = [subject_of(each) for each in event_ids]
    if not subjects:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(WHEN, [subjects])
        return dict(cursor.fetchall())


def in_words(at: int | None) -> str:
    """What stands in a value's place: ``(erased on 29 Nov 2026)``, in UTC; without its date where the log tells of no erasure."""
    return ERASED if at is None else f"(erased on {datetime.fromtimestamp(at / 1000, UTC):%-d %b %Y})"
