"""One entry of the log as the fold reads it: canonical fields only, never a personal value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class LogEntry(Protocol):
    """What the fold asks of an entry; an event as the log's readers give it fits as well."""

    @property
    def index(self) -> int | None:
        """Its place in the log."""

    @property
    def id(self) -> object:
        """Its id; ``str`` of it is what facts hold."""

    @property
    def name(self) -> str:
        """The event's name."""

    @property
    def at(self) -> int:
        """When it happened, milliseconds since 1970 UTC."""

    @property
    def by(self) -> str:
        """The pseudonym of a person, or ``process:`` and a name."""

    @property
    def method(self) -> str | None:
        """How the person last proved themselves."""

    @property
    def strong_at(self) -> int | None:
        """When they did."""

    @property
    def case(self) -> str:
        """The access request, or nothing."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """Plain fields."""

    @property
    def commitments(self) -> Mapping[str, str]:
        """Commitments of personal fields, in hex."""


@dataclass(frozen=True)
class Entry:
    """An entry read from its canonical bytes."""

    index: int | None
    id: str
    name: str
    at: int
    by: str
    method: str | None = None
    strong_at: int | None = None
    case: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    commitments: Mapping[str, str] = field(default_factory=dict)


def entry_of(body: Mapping[str, Any], index: int | None = None) -> Entry:
    """An entry from a parsed body, as ``audit.log.canonical.parse_entry`` gives it."""
    return Entry(
        index=index,
        id=body["id"],
        name=body["name"],
        at=body["at"],
        by=body["by"],
        method=body.get("method"),
        strong_at=body.get("strong_at"),
        case=body.get("case", ""),
        fields=body.get("fields", {}),
        commitments=body.get("personal", {}),
    )


def is_person(by: str) -> bool:
    """Whether a person acted and not a process."""
    return not by.startswith("process:")
