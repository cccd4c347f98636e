"""Personal values lie beside the entries that commit to them: each that is held must fit, and each that is gone must have an entry that says why.

A cut takes values with their entries, and the entries that say what was erased stay through every cut; so whatever entry is held, its
value is held too, or was erased, or had expired, or did not come back with the entry when the database had been set back.
"""

import contextlib
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import connection

from audit.log.canonical import parse_entry
from audit.log.commitments import verify_commitment
from audit.log.erased import subject_of
from audit.log.errors import ParseError
from audit.log.models import PersonalValue
from audit.log.report import MOST_NAMED, Report
from audit.log.said import read_expired, read_value

T = TypeVar("T")
Value = tuple[uuid.UUID, str]  # of which event, which field
Expired = tuple[uuid.UUID, int]  # of which event, and before when it must have been written (ms)
NAMED = """
SELECT e.body, s."index" FROM audit_event e LEFT JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.name = %s
"""
ERASED = "SELECT body FROM audit_event WHERE name = 'personal_value.erased' AND subject = ANY(%s)"


@dataclass(frozen=True)
class Examined:
    """A sealed entry whose values are looked at."""

    index: int
    id: uuid.UUID
    body: bytes


@dataclass(frozen=True)
class Gone:
    """What is known to be gone: values that were erased, all values of these events where they were written before that time (ms), and those of
    entries that came back (first and last index)."""

    erased: frozenset[Value] = frozenset()
    expired: Mapping[uuid.UUID, int] = field(default_factory=dict)
    came_back: tuple[tuple[int, int], ...] = ()


def read_gone(also: Gone) -> Gone:
    """What the stored entries say of whole events and ranges, and what others say; single values are looked up as they are missed.

    A range that was signed as lost is none of them: no entry of it is held, and its indexes were given to others.
    """
    told = (each for body, _ in _named("personal_values.expired") for each in _read(read_expired, body))
    came_back = [each for body, place in _named("log.recovered") for each in _read(_came_back, body, place)]
    return Gone(also.erased, latest([*also.expired.items(), *told]), (*also.came_back, *came_back))


def examine_values(report: Report, chunk: Sequence[Examined], gone: Gone) -> None:
    """Hold what is held of some entries against their commitments, and what is not against what is said to be gone."""
    rows = PersonalValue.objects.filter(event_id__in=[entry.id for entry in chunk])
    values: dict[Value, tuple[bytes, str]] = {
        (event, name): (bytes(salt), value)
        for event, name, salt, value in rows.values_list("event_id", "field", "salt", "value")
    }
    absent: list[tuple[Examined, str]] = []
    for entry in chunk:
        for name, commitment in commitments(entry.body).items():
            held = values.pop((entry.id, name), None)
            if held is None:
                absent.append((entry, name))
            elif verify_commitment(commitment, held[0], name, held[1]):
                report.personal_held += 1
            else:
                report.personal_wrong.append(f"{entry.id} {name}")
    report.personal_wrong += [f"{event} {name}" for event, name in values]  # committed to by no entry
    _absent(report, absent, gone)


def lost_values(chunk: Sequence[Examined], gone: Gone) -> dict[Value, str]:
    """The commitments to what did not come back with some entries: it is not held, and nothing says that it was erased or had expired."""
    held = set(PersonalValue.objects.filter(event_id__in=[each.id for each in chunk]).values_list("event_id", "field"))
    absent = [
        (entry, name, said) for entry in chunk if _did_come_back(entry, gone)
        for name, said in commitments(entry.body).items() if (entry.id, name) not in held
    ]  # fmt: skip
    erased = gone.erased | _erased({entry.id for entry, *_ in absent})
    return {(entry.id, name): said for entry, name, said in absent if not _is_erased(entry, name, erased, gone)}


def _absent(report: Report, absent: Sequence[tuple[Examined, str]], gone: Gone) -> None:
    erased = gone.erased | _erased({entry.id for entry, _ in absent})
    for entry, name in absent:
        if _is_erased(entry, name, erased, gone):
            report.personal_erased += 1
        elif _did_come_back(entry, gone):
            report.personal_lost += 1
        else:
            report.personal_missing_count += 1
            named = f"entry {entry.index}, {name}"
            report.personal_missing += [named] if len(report.personal_missing) < MOST_NAMED else []


def _is_erased(entry: Examined, name: str, erased: Collection[Value], gone: Gone) -> bool:
    return (entry.id, name) in erased or _at(entry) < gone.expired.get(entry.id, 0)


def _did_come_back(entry: Examined, gone: Gone) -> bool:
    return any(first <= entry.index <= last for first, last in gone.came_back)


def latest(expired: Iterable[Expired]) -> dict[uuid.UUID, int]:
    """The latest time (ms) by event, of all entries that speak of it."""
    found: dict[uuid.UUID, int] = {}
    for event, before in expired:
        found[event] = max(before, found.get(event, 0))
    return found


def _at(entry: Examined) -> int:
    """When it was written (ms); its commitments were read, so this can be."""
    return int(parse_entry(entry.body)["at"])


def commitments(body: bytes) -> dict[str, str]:
    """The commitments of an entry by field; none of one that cannot be read."""
    try:
        personal: Any = parse_entry(body).get("personal", {})
    except ParseError:
        return {}
    return {name: str(value) for name, value in personal.items()} if isinstance(personal, dict) else {}


def _erased(events: Iterable[uuid.UUID]) -> set[Value]:
    """What entries say was erased of some events."""
    subjects = [subject_of(each) for each in events]
    if not subjects:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(ERASED, [subjects])
        return {each for (body,) in cursor.fetchall() for each in _read(_value, bytes(body))}


def _named(name: str) -> list[tuple[bytes, int | None]]:
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [name])
        return [(bytes(body), place) for body, place in cursor.fetchall()]


def _read(read: Callable[..., Iterable[T]], *said: Any) -> Iterator[T]:
    """What an entry says; nothing where that cannot be read."""
    with contextlib.suppress(ParseError, KeyError, TypeError, ValueError):
        yield from read(*said)


def _value(body: bytes) -> list[Value]:
    return [read_value(body)]


def _came_back(body: bytes, place: int | None) -> list[tuple[int, int]]:
    """Only what lies before the entry that says so: else it would excuse what is removed later."""
    said = parse_entry(body)["fields"]
    first, last = int(said["first"]), int(said["last"])
    return [(first, last)] if place is None or last < place else []
