"""Reading cases from the log: a constant number of statements, however much was done.

What was done on the target may be much: of those entries the bytes alone are read, and personal values only of the actions that are shown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

from django.db import connection

from audit.cases.case import Case
from audit.cases.done import Activity
from audit.cases.fold import fold, with_secret
from audit.cases.fold.grants import REPLACED
from audit.cases.presenters import Names, people_in
from audit.log.commitments import verify_commitment
from audit.log.erased import ERASED, in_words, when_erased
from audit.log.errors import ParseError
from audit.log.logged import event_of, events_of
from audit.log.read import LoggedEvent, dated, of_subject, person_names

BULK = ("activity.recorded", "activity.outcome_learned")
MOST_BULK, MOST_OTHERS = 50_000, 20_000
MOST_COUNTED = 5_000
"""Entries of what was done that are read for the row of a list; whoever repeats a statement must not fill the memory of what follows the log."""
COLUMNS = """
SELECT e.body, e.id, e.name, e.at, e."case", e.subject, s.index, q.seq FROM audit_event e
LEFT JOIN audit_sealed_entry s ON s.event_id = e.id LEFT JOIN audit_queue q ON q.event_id = e.id WHERE e."case" = %s
"""
ORDER = "at, index NULLS LAST, seq"
SELECT_CASE = f"""
SELECT body, id, name, at, "case", subject, index FROM (
  ({COLUMNS} AND NOT e.name = ANY(%s) ORDER BY {ORDER} LIMIT %s) UNION ALL ({COLUMNS} AND e.name = ANY(%s) ORDER BY {ORDER} LIMIT %s)
) entries ORDER BY {ORDER}
"""  # noqa: S608 - constants of this module
SEALED = """
SELECT e.body, e.id, e.name, e.at, e."case", e.subject, s.index FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e."case" = %s AND e.name = ANY(%s) ORDER BY e.at, s.index LIMIT %s
"""
SELECT_SEALED = f"SELECT * FROM (({SEALED}) UNION ALL ({SEALED})) entries ORDER BY at, index"  # noqa: S608 - constants of this module


@dataclass(frozen=True)
class Record:
    """A case as it is shown: its fold, the entries that are told line by line, the names of its people.

    ``cut``: it has more entries than are read for a page. ``mark`` changes when anything is added or sealed, see `mark_of`.
    """

    case: Case
    events: tuple[LoggedEvent, ...]
    names: Names
    cut: bool = False
    mark: str = ""


def record_of(case_id: object) -> Record | None:
    """One case, with personal values but for what was done on the target (see `with_statements`). Three statements, one more for a
    secret that was shown; nothing without entries.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_CASE, [str(case_id), list(BULK), MOST_OTHERS, str(case_id), list(BULK), MOST_BULK])
        events = list(events_of(cursor.fetchall()))
    if not events:
        return None
    told = _with_personal([event for event in events if event.name not in BULK])
    by_id = {event.id: event for event in told}
    case = fold(case_id, (by_id.get(event.id, event) for event in events))
    if case.grant is not None and case.grant.secret_known:
        case = with_secret(case, of_subject(f"sealed:{case.grant.account_id}", REPLACED))
    cut = len(told) >= MOST_OTHERS or len(events) - len(told) >= MOST_BULK
    sealed = sum(event.index is not None for event in events)
    return Record(case, tuple(told), case.by_names | person_names(people_in(told)), cut, f"{len(events)}-{sealed}")


def mark_of(case_id: object) -> str:
    """How many entries a case has, and how many of them are sealed: the log only grows, so the same mark means the same case. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT count(*), count(s.index) FROM audit_event e LEFT JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e."case" = %s',
            [str(case_id)],
        )
        return "{}-{}".format(*cursor.fetchone())


def with_statements(activities: Sequence[Activity]) -> list[Activity]:
    """The actions with their statements and objects. One statement, and one more where values were erased."""
    ids = [UUID(each.event_id) for each in activities]
    read = cache(_commitments)  # once for this call: an action has several values, and each comes with its bytes
    values = _personal(SELECT_WITH_BODY, ids, lambda _, body: read(bytes(body)))
    when = when_erased(each for each in ids if each not in values)
    return [_filled(each, values.get(key, {}), when.get(key)) for key, each in zip(ids, activities, strict=True)]


def sealed_case(case_id: str, names: Iterable[str]) -> tuple[Case, bool]:
    """A case of its sealed entries, without personal values: those of ``names``, and what was done on the target as far as it is counted.

    Also whether more was done than is counted. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SEALED, [case_id, list(names), MOST_OTHERS, case_id, list(BULK), MOST_COUNTED + 1])
        events = list(events_of(cursor))
    counted = [event for event in events if event.name in BULK]
    if len(counted) <= MOST_COUNTED:
        return fold(case_id, events), False
    return fold(case_id, (event for event in events if event is not counted[-1])), True


def _filled(activity: Activity, values: dict[str, str], erased_at: int | None) -> Activity:
    """``(erased)``, with its date, stands where a value was written and is there no more."""
    gone = in_words(erased_at)
    statement, thing = (gone if each == ERASED else each for each in (activity.statement, activity.object))
    return replace(activity, statement=values.get("statement", statement), object=values.get("object", thing))


def _with_personal(events: list[LoggedEvent]) -> list[LoggedEvent]:
    committed = {event.id: event.commitments for event in events if event.commitments}
    values = _personal(SELECT_PERSONAL, list(committed), lambda event_id, *_: committed[event_id])
    return dated(
        [replace(event, personal=values.get(event.id, {})) if event.commitments else event for event in events]
    )


SELECT_PERSONAL = "SELECT field, salt, value, event_id FROM audit_personal_value WHERE event_id = ANY(%s)"
SELECT_WITH_BODY = """
SELECT v.field, v.salt, v.value, v.event_id, e.body
FROM audit_personal_value v JOIN audit_event e ON e.id = v.event_id WHERE v.event_id = ANY(%s)
"""


def _personal(
    statement: str, ids: list[UUID], committed: Callable[..., Mapping[str, str]]
) -> dict[UUID, dict[str, str]]:
    """Values that their entries committed to; what was laid there afterwards, or in another's place, is no part of them."""
    found: dict[UUID, dict[str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids])
        for name, salt, value, event_id, *body in cursor.fetchall():
            commitment = committed(event_id, *body).get(name)
            if commitment is not None and verify_commitment(commitment, bytes(salt), name, value):
                found.setdefault(event_id, {})[name] = value
    return found


def _commitments(body: bytes) -> Mapping[str, str]:
    """None of bytes that no reader can read. The database reads none at all: it ends at any that is not JSON."""
    try:
        return event_of(body).commitments
    except ParseError:
        return {}
