"""One event of the log as its readers see it, read from its canonical bytes.

Bytes of another shape are passed over with an alarm: whoever may insert an event may write any, and a sealer of another version may have
sealed them. An event that waits may also say something else than the columns by which it was found.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from audit.log.erased import in_words
from audit.log.errors import ParseError
from audit.log.shape import wrong_shape

alarms = logging.getLogger("breakglass.alarm")
COLUMNS = ("body", "id", "name", "at", "case", "subject")
"""Of the table of events, in the order in which `events_of` reads them."""
MOST_TOLD = 1000
_told: set[UUID] = set()


@dataclass(frozen=True)
class LoggedEvent:
    """One entry as it was written. ``index`` is ``None`` until it is sealed; ``personal`` lacks what was erased, at ``erased_at`` (ms)."""

    index: int | None
    id: UUID
    name: str
    at: int
    by: str
    method: str | None
    strong_at: int | None
    case: str
    subject: str
    fields: dict[str, Any]
    personal: dict[str, str] = field(default_factory=dict)
    commitments: dict[str, str] = field(default_factory=dict)
    erased_at: int | None = None

    def says(self, name: str) -> str:
        """A personal value, or in plain words that it was erased, and when."""
        if name in self.personal:
            return self.personal[name]
        return in_words(self.erased_at) if name in self.commitments else ""


def event_of(body: bytes, index: int | None = None, personal: dict[str, str] | None = None) -> LoggedEvent:
    """Read one event from its canonical bytes.

    Raises:
        ParseError: They are none that a reader can read.
    """
    try:
        entry = json.loads(body)
        trouble = wrong_shape(entry) if isinstance(entry, dict) else "It is no map."
        if trouble:
            raise ParseError(trouble)
        identity = UUID(entry["id"])
    except (ValueError, RecursionError) as error:
        raise ParseError(str(error)) from error
    return LoggedEvent(
        index, identity, entry["name"], entry["at"], entry["by"], entry.get("method"), entry.get("strong_at"),
        entry.get("case", ""), entry.get("subject", ""), entry["fields"],
        {name: value for name, value in (personal or {}).items() if name in entry["personal"]},  # what was never committed to is no part of it
        entry["personal"],
    )  # fmt: skip


def events_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[LoggedEvent]:
    """The events of rows of `COLUMNS`, with the index behind where it is known."""
    for body, identity, name, at, case, subject, *index in rows:
        try:
            event = event_of(bytes(body), *index)
            if (event.id, event.name, event.at, event.case, event.subject) != (identity, name, at, case, subject):
                raise ParseError("Its columns say something else than its bytes.")
        except ParseError as error:
            _tell(identity, error)
        else:
            yield event


def _tell(identity: UUID, error: ParseError) -> None:
    """One alarm for an event, not one at each reading."""
    if identity in _told:
        return
    if len(_told) >= MOST_TOLD:
        _told.clear()
    _told.add(identity)
    alarms.critical("Event %s cannot be read and is passed over. %s", identity, error)
