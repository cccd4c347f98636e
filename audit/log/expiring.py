"""Personal values whose class is kept for less than the entries are: they go when their time has come, with the eraser's role."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connections

from audit.events import catalogue
from audit.events.retention import DAY_MS, ENTRIES, class_of
from audit.log.append import Entry, append_on, now_ms, process
from audit.log.read import named

EXPIRED = "personal_values.expired"
ERASER = process("eraser")
AT_ONCE = 500  # entries of one event
DUE = """
SELECT e.id FROM audit_event e
WHERE e.name = ANY(%(names)s) AND e.at < %(before)s AND NOT e."case" = ANY(%(cases)s) AND NOT e."by" = ANY(%(people)s)
AND EXISTS (SELECT FROM audit_personal_value v WHERE v.event_id = e.id)
AND NOT EXISTS (SELECT FROM unnest(%(people)s::text[]) AS p (id) WHERE position(convert_to(p.id, 'UTF8') IN e.body) > 0)
ORDER BY e.at LIMIT %(most)s
"""


def expire(alias: str, *, terms: Mapping[str, int], cases: Collection[str], people: Collection[str]) -> int:
    """Erase, in the caller's transaction, what is due of one class whose term is shorter than that of entries; of how many entries. 0: nothing is due.

    Nothing goes of these cases and people: those under a hold, and cases that are open.

    Raises:
        DatabaseError: the role has no right to, or the database cannot.
        LogUnavailable: the event cannot be written.
    """
    until = _trusted_now(alias)
    for kind, days in terms.items():
        if days >= terms[ENTRIES]:  # it goes with its entries, when two people say so
            continue
        before = until - days * DAY_MS
        names = [name for name in catalogue if class_of(name).key == kind]
        given: dict[str, Any] = {
            "names": names,
            "before": before,
            "cases": list(cases),
            "people": list(people),
            "most": AT_ONCE,
        }
        with connections[alias].cursor() as cursor:
            cursor.execute(DUE, given)
            found = [row[0] for row in cursor.fetchall()]
            if not found:
                continue
            cursor.execute("DELETE FROM audit_personal_value WHERE event_id = ANY(%s)", [found])
        append_on(
            alias,
            [Entry(EXPIRED, ERASER, {"kind": kind, "before": before, "event_ids": [str(each) for each in found]})],
        )
        return len(found)
    return 0


def _trusted_now(alias: str) -> int:
    """The time (ms), but no later than the sealer last sealed: a clock of ours that jumped ahead makes nothing old."""
    with connections[alias].cursor() as cursor:
        cursor.execute('SELECT sealed_at FROM audit_sealed_entry ORDER BY "index" DESC LIMIT 1')
        row = cursor.fetchone()
    return min(now_ms(), row[0] if row else 0)


def said_terms() -> dict[str, int]:
    """The terms as the log last said them; nothing where it never did."""
    last = named(["retention.set"])
    return dict(last[-1].fields["terms"]) if last else {}
