"""How an event is declared: its name, its fields, which of them are personal, since when.

The canonical bytes of an event can never be changed afterwards, so fields are only ever added.
Kinds: ``id`` and ``text`` are strings, ``int`` an integer, ``time`` milliseconds since 1970 UTC, ``bool`` 0 or 1, ``list`` and ``map``
hold integers and strings only. A personal field goes into the bytes as a salted commitment; its value lies apart and can be erased.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS: Mapping[str, type] = {"id": str, "text": str, "int": int, "time": int, "bool": int, "list": list, "map": dict}
EARLIEST, LATEST = -62_135_596_800_000, 253_402_300_799_999
"""The times (ms) that a calendar of four digits holds: the years 1 to 9999."""


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
    types: dict[str, type] = field(default_factory=dict, compare=False)
    times: list[str] = field(default_factory=list, compare=False)
    truths: list[str] = field(default_factory=list, compare=False)
    needed: set[str] = field(default_factory=set, compare=False)
    needed_personal: set[str] = field(default_factory=set, compare=False)

    def __post_init__(self) -> None:
        """Index the fields once; a field of unknown kind is a mistake of ours."""
        for each in self.fields:
            if each.kind not in KINDS:
                raise ValueError(f"{self.name}.{each.name}: kind {each.kind}")
            self.by_name[each.name] = each
            if not each.optional:
                (self.needed_personal if each.personal else self.needed).add(each.name)
            if not each.personal:
                self.types[each.name] = KINDS[each.kind]
        self.times.extend(name for name in self.types if self.by_name[name].kind == "time")
        self.truths.extend(name for name in self.types if self.by_name[name].kind == "bool")

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

    def misfit(self, plain: Mapping[str, Any], personal: Mapping[str, str]) -> str:
        """Why fields that were read are not those of this event, or nothing.

        One that is not declared is of a later version, and an optional one may be missing; what every version has is here, of its kind.
        """
        if not (plain.keys() >= self.needed and personal.keys() >= self.needed_personal):
            lacking = sorted(self.needed - plain.keys() | self.needed_personal - personal.keys())
            return f"{self.name} lacks {', '.join(lacking)}."
        types = self.types
        for name, value in plain.items():
            if type(value) is not types.get(name, type(value)):
                return f"{self.name}.{name} is no {self.by_name[name].kind}."
        for name in self.times:
            if not EARLIEST <= plain.get(name, 0) <= LATEST:
                return f"{self.name}.{name} is no time."
        for name in self.truths:
            if plain.get(name, 0) not in (0, 1):
                return f"{self.name}.{name} is no bool."
        return ""


def _typed(event: str, declared: Field, value: Any) -> Any:
    if declared.kind == "bool":
        return int(bool(value))
    if declared.kind in ("int", "time"):
        if isinstance(value, bool) or not isinstance(value, int):
            raise WrongFields(f"{event}.{declared.name} is not an integer")
        if declared.kind == "time" and not EARLIEST <= value <= LATEST:
            raise WrongFields(f"{event}.{declared.name} is in no year that a calendar has")
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
