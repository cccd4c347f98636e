"""How an event is declared: its name, its fields, which of them are personal, since when.

The canonical bytes of an event can never be changed afterwards, so fields are only ever added.
Kinds: ``id`` and ``text`` are strings, ``int`` an integer, ``time`` milliseconds since 1970 UTC, ``bool`` 0 or 1, ``list`` and ``map``
hold integers and strings only. A personal field goes into the bytes as a salted commitment; its value lies apart and can be erased.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

KINDS = frozenset({"id", "text", "int", "time", "bool", "list", "map"})


class UnknownEvent(LookupError):
    """No event of that name is declared."""


class WrongFields(ValueError):
    """An event was given fields that it does not declare, or lacks one that it must have."""


@dataclass(frozen=True)
class Field:
    """One field of an event."""

    name: str
    kind: str = "text"
    personal: bool = False
    optional: bool = False
    since: int = 1


@dataclass(frozen=True)
class EventType:
    """One kind of event, named as a thing and a verb in the past tense."""

    name: str
    says: str
    fields: tuple[Field, ...]
    since: int = 1
    by_name: dict[str, Field] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Index the fields once; a field of unknown kind is a mistake of ours."""
        for each in self.fields:
            if each.kind not in KINDS:
                raise ValueError(f"{self.name}.{each.name}: kind {each.kind}")
            self.by_name[each.name] = each

    @property
    def personal(self) -> tuple[str, ...]:
        """Names of the personal fields."""
        return tuple(each.name for each in self.fields if each.personal)

    def split(self, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Part the given values into plain fields and personal ones; ``None`` means not given.

        Raises:
            WrongFields: a field is not declared, is missing, or has the wrong type.
        """
        plain: dict[str, Any] = {}
        personal: dict[str, str] = {}
        for key, value in given.items():
            declared = self.by_name.get(key)
            if declared is None:
                raise WrongFields(f"{self.name} has no field {key}")
            if value is None:
                continue
            if declared.personal:
                personal[key] = str(value)
            else:
                plain[key] = _typed(self.name, declared, value)
        for each in self.fields:
            if not each.optional and each.name not in plain and each.name not in personal:
                raise WrongFields(f"{self.name} needs {each.name}")
        return plain, personal


def _typed(event: str, declared: Field, value: Any) -> Any:
    if declared.kind == "bool":
        return int(bool(value))
    if declared.kind in ("int", "time"):
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongFields(f"{event}.{declared.name} is not an integer")
        return value
    if declared.kind == "list":
        return list(value)
    if declared.kind == "map":
        return dict(value)
    return str(value)


def fields(declared: str) -> tuple[Field, ...]:
    """Read fields from a short line: ``"reason*? minutes:int system:id"``; ``*`` personal, ``?`` optional."""
    return tuple(_field(word) for word in declared.split())


def _field(word: str) -> Field:
    optional, word = word.endswith("?"), word.rstrip("?")
    name, _, kind = word.partition(":")
    personal = name.endswith("*") or kind.endswith("*")
    return Field(name.rstrip("*"), kind.rstrip("*") or "text", personal, optional)


def family(*rows: tuple[str, str, str]) -> tuple[EventType, ...]:
    """Declare the events of one family: name, sentence, fields."""
    return tuple(EventType(name, says, fields(declared)) for name, says, declared in rows)


def index(families: Iterable[Iterable[EventType]]) -> dict[str, EventType]:
    """Put all families into one table; a name declared twice is a mistake of ours."""
    table: dict[str, EventType] = {}
    for each in (event for members in families for event in members):
        if each.name in table:
            raise ValueError(f"{each.name} is declared twice")
        table[each.name] = each
    return table
