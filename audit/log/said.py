"""The few entries on which programs act without asking anybody: a cut, and what was erased. No Django.

They cannot be taken back once they are sealed, so they are read here alone, and with distrust: whoever can write events can write any of
these. The sealer refuses one that cannot be read; everything else passes over it.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from audit.log.canonical import parse_entry
from audit.log.errors import ParseError

WIDTH = 256  # entries of a bundle
LEAST_KEPT_MS = 2555 * 24 * 60 * 60 * 1000
"""`ENTRIES_DAYS`, which no setting shortens."""
LEAST_HELD_MS = 400 * 24 * 60 * 60 * 1000
"""The shortest term of what is personal in an entry: `floors`."""


@dataclass(frozen=True, order=True)
class Cut:
    """What a ``log.cut`` says; times in ms. It names the entries before ``minimum``, written from ``from_at`` to ``to_at``."""

    minimum: int
    at: int
    from_index: int
    from_at: int
    to_at: int
    asked_by: str
    approved_by: str
    keep_until: int = 0  # until when all of them were promised
    place: int = -1  # the index of the entry that says it
    cut_id: str = ""


@dataclass(frozen=True)
class Decision:
    """What one person's ``cut.proposed`` or ``cut.approved`` says: of which cut and minimum, who, and at which index."""

    cut_id: str
    minimum: int
    by: str
    place: int
    asked_by: str = ""  # in an approval: who proposed


@dataclass(frozen=True)
class Erased:
    """What an ``erasure.confirmed`` or ``erasure.done`` says of two people and of a third."""

    erasure: str
    person: str
    asked_by: str
    approved_by: str


def read_cut(data: bytes, place: int = -1) -> Cut:
    """The cut that the bytes of an entry say.

    Raises:
        ParseError: They say none, or one that contradicts itself: of part of a bundle, within the term, or by one person.
    """
    at, fields = _parts(data, "log.cut")
    minimum, begins = _number(fields, "minimum_index"), _number(fields, "from_index")
    from_at, to_at = _number(fields, "from_at"), _number(fields, "to_at")
    asked_by, approved_by = _text(fields, "asked_by"), _text(fields, "approved_by")
    if minimum % WIDTH or minimum <= begins or begins < 0:
        raise ParseError(f"It cuts from entry {begins} to {minimum}, which are no whole bundles.")
    keep_until = _number(fields, "keep_until")
    if max(to_at + LEAST_KEPT_MS, keep_until) > at:
        raise ParseError("It cuts what had not been kept for its time.")
    if asked_by == approved_by:
        raise ParseError("Who asked for it approved it.")
    return Cut(
        minimum, at, begins, from_at, to_at, asked_by, approved_by, keep_until, place, str(fields.get("cut_id", ""))
    )


def read_decision(data: bytes, place: int) -> Decision:
    """One person's word for a cut.

    Raises:
        ParseError: It is none, or a process said it.
    """
    body, fields = _body(data, "cut.proposed", "cut.approved")
    by = _text(body, "by")
    if by.startswith("process:"):
        raise ParseError("A process decides on no cut.")
    asked_by = _text(fields, "asked_by") if body["name"] == "cut.approved" else ""
    return Decision(_text(fields, "cut_id"), _number(fields, "minimum_index"), by, place, asked_by)


def decided_by_two(cut: Cut, decisions: Iterable[Decision]) -> bool:
    """Whether entries before the cut's say that the one proposed it whom it names, and then the other approved it."""
    ours = [each for each in decisions if (each.cut_id, each.minimum) == (cut.cut_id, cut.minimum)]
    return any(
        asked.by == cut.asked_by == yes.asked_by != yes.by == cut.approved_by and asked.place < yes.place < cut.place
        for asked in ours for yes in ours if yes.asked_by and not asked.asked_by
    )  # fmt: skip


def read_hold(data: bytes) -> tuple[str, str, str]:
    """The hold that a ``hold.set`` speaks of, and its case or its person, the other empty; ParseError where it says none."""
    _, fields = _body(data, "hold.set")
    case, person = fields.get("case_id"), fields.get("person_id")
    if isinstance(case, str) == isinstance(person, str):
        raise ParseError("It holds neither a case nor a person, or both.")
    return _text(fields, "hold_id"), case or "", person or ""


def read_lifted(data: bytes) -> str:
    """The hold that a ``hold.lifted`` ends; ParseError where not two people said so."""
    body, fields = _body(data, "hold.lifted")
    asked_by, by = _text(fields, "asked_by"), _text(body, "by")
    if asked_by == by or by.startswith("process:") or fields.get("approved_by") != by:
        raise ParseError("It was not two people who lifted it.")
    return _text(fields, "hold_id")


def read_value(data: bytes) -> tuple[uuid.UUID, str]:
    """The event and the field whose value a ``personal_value.erased`` says is gone; ParseError where it says none."""
    _, fields = _parts(data, "personal_value.erased")
    field = _text(fields, "field")
    if "\0" in field:  # the database holds no such field, and takes no such text
        raise ParseError("Its field is none that is held.")
    return uuid.UUID(_id(fields, "event_id")), field


def read_expired(data: bytes) -> list[tuple[uuid.UUID, int]]:
    """The events whose values a ``personal_values.expired`` says are gone, each with the time (ms) before which they must have been written.

    Raises:
        ParseError: It says none, or what had not been kept for its time.
    """
    at, fields = _parts(data, "personal_values.expired")
    before, ids = _number(fields, "before"), fields.get("event_ids")
    if before + LEAST_HELD_MS > at:
        raise ParseError("It lets go what had not been kept for its time.")
    if not isinstance(ids, list):
        raise ParseError("Its event_ids are no list.")
    return [(uuid.UUID(_id({"event_ids": each}, "event_ids")), before) for each in ids]


def read_erased(data: bytes) -> Erased:
    """Whom two people had erased; ParseError where it is nobody, or where they are not two others."""
    _, fields = _parts(data, "erasure.confirmed", "erasure.done")
    said = Erased(
        _text(fields, "erasure_id"), _id(fields, "person_id"), _text(fields, "asked_by"), _text(fields, "approved_by")
    )
    if len({said.person, said.asked_by, said.approved_by}) < 3:
        raise ParseError("It was not two others who said so.")
    return said


READERS: Mapping[str, Callable[[bytes], object]] = {
    "log.cut": read_cut,
    "personal_value.erased": read_value,
    "personal_values.expired": read_expired,
    "erasure.confirmed": read_erased,
    "erasure.done": read_erased,
}


def _parts(data: bytes, *names: str) -> tuple[int, Mapping[str, Any]]:
    body, fields = _body(data, *names)
    return _number(body, "at"), fields


def _body(data: bytes, *names: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    body = parse_entry(data)
    fields = body.get("fields")
    if body.get("name") not in names or not isinstance(fields, dict):
        raise ParseError(f"It is no {' or '.join(names)} with fields.")
    return body, fields


def _number(said: Mapping[str, Any], name: str) -> int:
    if not isinstance(value := said.get(name), int):
        raise ParseError(f"Its {name} is no integer.")
    return value


def _text(said: Mapping[str, Any], name: str) -> str:
    if not isinstance(value := said.get(name), str) or not value:
        raise ParseError(f"Its {name} is no text.")
    return value


def _id(said: Mapping[str, Any], name: str) -> str:
    try:
        return str(uuid.UUID(_text(said, name)))
    except ValueError as error:
        raise ParseError(f"Its {name} is no id.") from error
