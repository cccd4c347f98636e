"""The only writer of the log.

``append`` puts one event into the caller's transaction. ``@action`` makes a function atomic, sees to it that exactly the declared events
are written, and records a refusal in a second transaction after the first was rolled back.
"""

import functools
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, ParamSpec, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction

from audit.events import catalogue
from audit.events.spec import UnknownEvent
from audit.log.canonical import encode
from audit.log.commitments import commit, new_salt
from audit.log.errors import LogUnavailable as LogUnavailable  # every writer meets it here
from audit.log.held import Held
from audit.log.identities import new_id
from audit.log.shape import holds_nul
from audit.log.statements import Personal, Values, write

P = ParamSpec("P")
R = TypeVar("R")
ALWAYS = frozenset({"configuration.changed", "alert.queued"})  # written beside an action's own events
NULL = "\N{SYMBOL FOR NULL}"  # instead of the character NUL, which the database takes in no text
PORTION = 500  # events of one statement where there may be any number of them
alarms = logging.getLogger("breakglass.alarm")


class Refused(Exception):
    """An act that was not done. ``code`` names the kind for machines, the sentence is for people.

    The sentence goes into the log in clear, so it names no person. Where people must be told of whom it speaks, ``logged`` is the sentence
    for the log.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str, *, about: object = None, kind: str = "", logged: str = "") -> None:
        """Keep the sentences, the object that it is about, and a finer kind for the log (``own approval``)."""
        super().__init__(sentence)
        self.sentence = sentence
        self.about = about
        self.kind = kind
        self.logged = logged or sentence


class UndeclaredEvent(AssertionError):
    """An action wrote an event that it does not declare, or did not write the one that it declares."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a person's pseudonym, or ``process:<name>``; how and when they last proved themselves (ms)."""

    id: str
    name: str = ""
    method: str | None = None
    strong_at: int | None = None

    @property
    def is_person(self) -> bool:
        """Whether a person acts and not a process."""
        return not self.id.startswith("process:")


def process(name: str) -> Actor:
    """The actor of a process of the portal, such as the sweep."""
    return Actor(id=f"process:{name}", name=name)


@dataclass
class _Frame:
    """What the running outermost action has written so far."""

    declared: set[str]
    by: Actor | None = None
    written: list[str] = field(default_factory=list)
    event_id: uuid.UUID = field(default_factory=new_id)
    held: Held = field(default_factory=Held)


_frame: ContextVar[_Frame | None] = ContextVar("action", default=None)
_clock: ContextVar[Callable[[], int] | None] = ContextVar("clock", default=None)


def now_ms() -> int:
    """Milliseconds since 1970 UTC; the demo's seeds and tests may set the clock, nothing else may."""
    given = _clock.get()
    return given() if given else time.time_ns() // 1_000_000


@contextmanager
def clock(read: Callable[[], int]) -> Iterator[None]:
    """Take times from ``read`` (ms). For the demo's past uses and for tests; refused with production settings."""
    if not (settings.PORTAL_DEMO or settings.PORTAL_TESTING):
        raise RuntimeError("The clock can be set in the demo and in tests only.")
    token = _clock.set(read)
    try:
        yield
    finally:
        _clock.reset(token)


@dataclass(frozen=True)
class Entry:
    """One event that is to be written."""

    name: str
    by: Actor
    fields: dict[str, Any]
    case: str = ""
    subject: str = ""
    at: int | None = None


def append(name: str, /, *, by: Actor, case: object = "", subject: str = "", **fields: Any) -> uuid.UUID:
    """Write one event into the current transaction and return its id.

    Raises:
        WrongFields, UnknownEvent: the event is not declared so.
        LogUnavailable: the log cannot be written; the caller's transaction is broken and must roll back. In an action it is raised
            by the next statement or, where none follows, by the action's end.
    """
    return append_many([Entry(name, by, fields, str(case), subject)])[0]


def append_many(entries: Iterable[Entry]) -> list[uuid.UUID]:
    """Write several events, in their order. See `append`."""
    rows = [_row(entry, first=place == 0) for place, entry in enumerate(entries)]
    if not rows:
        return []
    link = connections[DEFAULT_DB_ALIAS]
    if not link.in_atomic_block:
        raise RuntimeError("An event is written in the transaction of its change.")
    link.validate_no_broken_transaction()
    frame = _frame.get()
    held = frame.held if frame is not None else Held()
    held.add(rows)
    if frame is None:
        held.send()
    else:
        frame.written.extend(row[1] for row, _ in rows)
    return [row[0] for row, _ in rows]


def append_on(alias: str, entries: Sequence[Entry]) -> list[uuid.UUID]:
    """Write events into the running transaction of another role's connection, which belongs to no action; any number, in portions.

    Raises:
        LogUnavailable: the log cannot be written; the transaction is broken.
    """
    on = connections[alias]
    if not on.in_atomic_block:
        raise RuntimeError("An event is written in the transaction of its change.")
    rows = [_row(entry, first=False) for entry in entries]
    try:
        for start in range(0, len(rows), PORTION):
            write(rows[start : start + PORTION], on)
    except DatabaseError as error:
        raise LogUnavailable("The log cannot be written.") from error
    return [row[0] for row, _ in rows]


def _row(entry: Entry, *, first: bool) -> tuple[Values, Personal]:
    declared = catalogue.get(entry.name)
    if declared is None:
        raise UnknownEvent(entry.name)
    identity, at = _identity(entry.name) if first else new_id(), entry.at if entry.at is not None else now_ms()
    plain, personal = declared.split(entry.fields)
    if entry.by.is_person and entry.by.name:
        personal["by_name"] = entry.by.name
    salted = [(identity, key, new_salt(), value.replace("\x00", NULL)) for key, value in personal.items()]
    body: dict[str, Any] = {
        "v": 1,
        "id": str(identity),
        "name": entry.name,
        "at": at,
        "by": entry.by.id,
        "fields": plain,
    }
    body["personal"] = {key: commit(salt, key, value) for _, key, salt, value in salted}
    optional = {
        "method": entry.by.method,
        "strong_at": entry.by.strong_at,
        "case": entry.case,
        "subject": entry.subject,
    }
    body.update({key: value for key, value in optional.items() if value})
    data = encode(body)
    if holds_nul(data):
        data = encode(body | {"fields": _without_nul(plain)})
    return (identity, entry.name, at, entry.by.id, entry.case, entry.subject, data), salted


def _without_nul(value: Any) -> Any:
    """The same with a symbol for each NUL: to refuse it would leave what somebody did with such a text without its entry."""
    if isinstance(value, str):
        return value.replace("\x00", NULL)
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    return [_without_nul(each) for each in value] if isinstance(value, list | tuple) else value


def _identity(name: str) -> uuid.UUID:
    frame = _frame.get()
    first = frame is not None and name in frame.declared and not set(frame.written) & frame.declared
    return frame.event_id if frame is not None and first else new_id()


def running() -> tuple[Actor | None, uuid.UUID | None]:
    """Who acts in the running action, and the id that its event has or will have; nothing outside of one."""
    frame = _frame.get()
    return (frame.by, frame.event_id) if frame is not None else (None, None)


def action(*, event: str | tuple[str, ...], refused: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function with ``by=`` an audited action.

    It runs in one transaction that must write at least one of the declared events and no other. `Refused` rolls it back; the outermost
    action then writes the event ``refused`` in a transaction of its own and raises again.

    Raises:
        LogUnavailable: the event, or the refusal, could not be written; nothing was changed.
    """
    declared = {event} if isinstance(event, str) else set(event)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def acted(*args: P.args, **kwargs: P.kwargs) -> R:
            outer = _frame.get()
            if outer is not None:
                return _nested(function, declared, outer, *args, **kwargs)
            return _outermost(function, declared, refused, *args, **kwargs)

        acted.declared = declared  # type: ignore[attr-defined]  # read by the test that walks over all actions
        acted.refused = refused  # type: ignore[attr-defined]  # likewise
        return acted

    return decorate


def _nested(function: Callable[P, R], declared: set[str], outer: _Frame, *args: P.args, **kwargs: P.kwargs) -> R:
    frame = _Frame(set(declared), kwargs.get("by"), held=outer.held)  # type: ignore[arg-type]  # by= is an Actor by convention
    token = _frame.set(frame)
    try:
        with transaction.atomic():
            result = function(*args, **kwargs)
    finally:
        _frame.reset(token)
    _check(function.__name__, frame)
    outer.written.extend(frame.written)
    outer.declared |= declared
    return result


def _outermost(
    function: Callable[P, R], declared: set[str], refused: str | None, *args: P.args, **kwargs: P.kwargs
) -> R:
    frame = _Frame(set(declared), kwargs.get("by"))  # type: ignore[arg-type]  # by= is an Actor by convention
    token = _frame.set(frame)
    try:
        with transaction.atomic(), connection.execute_wrapper(frame.held):
            result = function(*args, **kwargs)
            _check(function.__name__, frame)
            frame.held.send_with_commit()
        return result
    except Refused as refusal:
        _frame.reset(token)
        token = _frame.set(None)
        if refused is not None:
            _record_refusal(refused, function.__name__, refusal, kwargs)
        raise
    except LogUnavailable:
        alarms.critical("The log refused an entry during %s; nothing was changed.", function.__name__)
        raise
    finally:
        _frame.reset(token)


def _check(name: str, frame: _Frame) -> None:
    written = set(frame.written) - (ALWAYS - frame.declared)
    if not written & frame.declared or not written <= frame.declared:
        raise UndeclaredEvent(f"{name} declares {sorted(frame.declared)} and wrote {sorted(written)}")


def _record_refusal(event: str, name: str, refusal: Refused, kwargs: dict[str, Any]) -> None:
    about = refusal.about if refusal.about is not None else _about(kwargs)
    case, subject = getattr(about, "log_case", ""), getattr(about, "log_subject", "")
    try:
        with transaction.atomic():
            append(
                event, by=kwargs["by"], case=case, subject=subject,
                act=name, code=refusal.code, kind=refusal.kind or refusal.code, sentence=refusal.logged,
            )  # fmt: skip
    except (DatabaseError, LogUnavailable) as error:
        alarms.critical("The refusal of %s could not be recorded.", name)
        raise LogUnavailable("The log cannot be written, so the refusal is not on record.") from error


def _about(kwargs: dict[str, Any]) -> object:
    return next((value for value in kwargs.values() if hasattr(value, "log_subject")), None)
