"""How one event becomes one line in plain words. Made when it is read, never stored.

A presenter is a sentence with the event's fields in braces, and parts that are left out where one of their fields is not given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from audit.cases import error_codes, words
from audit.cases.inert import one_line
from audit.events import catalogue
from audit.events.glossary import LEFT_OUT
from audit.log.read import LoggedEvent
from audit.moments import dates, utc

ERASED = "(erased)"
# Fields that hold pseudonyms of people; some may hold a process or an address instead.
PEOPLE = frozenset({
    "responder_id", "person_id", "recipient_id", "reviewer_id", "owner_id", "to_id", "granted_by", "changed_by", "approved_by",
    "beneficiary_id", "ended_by", "asked_by", "written_by", "confirmed_by", "delegated_by", "extended_by", "done_by", "read_back_by", "manager_id",
    "sponsor_id", "before_sponsor_id", "lent_by", "custodian_id", "before_id", "rotated_by", "tested_by", "asked", "told", "skipped", "pool", "involved",
    "recipients", "administrators", "offered_by", "members",
})  # fmt: skip
ONLY_IF_SO = frozenset({"unsealed"})
"""Fields that say something only where they are true."""
WRITTEN = frozenset({"reasons", "ranges", "says", "differences"})
"""Fields that hold sentences with times in them."""
TABLES: dict[str, dict[str, str]] = {
    "mode": words.MODES, "criterion": words.CRITERIA, "category": words.CATEGORIES, "class": words.CLASSES,
    "outcome": words.OUTCOMES | words.JUDGED, "intended_classes": words.CLASSES, "kind": words.ALERTS, "cause": words.ENDS, "factor": words.METHODS,
    "owed": LEFT_OUT,
}  # fmt: skip
Names = Mapping[str, str]


@dataclass(frozen=True)
class Line:
    """One event for the reader. ``by`` is a name; ``index`` is missing until it is sealed; ``method`` says how they proved who they are."""

    event_id: str
    name: str
    at: int
    index: int | None
    title: str
    by: str
    text: str
    icon: str
    tone: str
    method: str = ""


@dataclass(frozen=True)
class Presenter:
    """The words for one kind of event. ``looks`` may choose icon and tone by what the event says."""

    title: str
    parts: tuple[str, ...] = ()
    icon: str = "circle-dashed"
    tone: str = "quiet"
    looks: Callable[[LoggedEvent], tuple[str, str] | None] = field(default=lambda _: None, repr=False)

    def line(self, event: LoggedEvent, names: Names) -> Line:
        """The event in words."""
        icon, tone = self.looks(event) or (self.icon, self.tone)
        said = Said(event, names)
        parts = [part for each in (self.title, *self.parts) if (part := said.fill(each))]
        title, text = (parts[0], " · ".join(part.rstrip(".") for part in parts[1:])) if parts else (event.name, "")
        method = words.METHODS.get(event.method or "", one_line(event.method or ""))
        return Line(
            str(event.id), event.name, event.at, event.index, title, said.person(event.by), text, icon, tone, method
        )


class Said:
    """An event's fields as words."""

    def __init__(self, event: LoggedEvent, names: Names) -> None:
        """Keep what is needed."""
        self.event, self.names = event, names

    def fill(self, sentence: str) -> str:
        """The sentence with its fields; nothing where one of them is not given."""
        known = {name: self.word(name) for _, name, _, _ in Formatter().parse(sentence) if name}
        if any(value is None for value in known.values()):
            return ""
        return Formatter().vformat(sentence, (), known)

    def word(self, name: str) -> str | None:
        """One field in words; ``None`` where it is not given or empty."""
        if name in self.event.personal or name in self.event.commitments:
            return one_line(self.event.says(name)) or None
        value = self.event.fields.get(name)
        if value is None or value in ("", [], {}) or (name in ONLY_IF_SO and not value):
            return None
        if isinstance(value, list):
            return ", ".join(self._one(name, each) for each in value)
        if isinstance(value, dict):
            return ", ".join(f"{key}: {one_line(str(each))}" for key, each in sorted(value.items()))
        return self._one(name, value)

    def _one(self, name: str, value: Any) -> str:
        kind = self._kind(name)
        if name in PEOPLE:
            return self.person(str(value))
        if kind == "time" and isinstance(value, int):
            return utc(value)
        if kind == "bool":
            return "yes" if value else "no"
        if name == "minutes" and isinstance(value, int):
            return words.minutes(value)
        text = str(value)
        if name == "state_code":
            return error_codes.in_words(one_line(text))
        if name in WRITTEN:
            return dates(one_line(text))
        return TABLES.get(name, {}).get(text) or one_line(text)

    def _kind(self, name: str) -> str:
        declared = catalogue.get(self.event.name)
        found = declared.by_name.get(name) if declared else None
        return found.kind if found else "text"

    def person(self, actor: str) -> str:
        """A name; where there is none any more, the beginning of the pseudonym and that it was erased."""
        return name_of(
            actor, self.names, erased="by_name" in self.event.commitments and "by_name" not in self.event.personal
        )


def name_of(actor: str, names: Names, *, erased: bool = True) -> str:
    """The name behind a pseudonym, a process or an address."""
    if actor.startswith("process:"):
        return words.process_name(actor)
    if actor in names:
        return one_line(names[actor], 120)
    if actor.startswith("list:"):
        return f"The {one_line(actor.removeprefix('list:'), 80)} list"
    if actor.startswith("webhook:"):
        return f"The receiver {one_line(actor.removeprefix('webhook:'), 8)}"
    if len(actor) != 36:
        return one_line(actor, 120)
    return f"{ERASED} {actor[:8]}" if erased else f"person {actor[:8]}"


def say(title: str, *parts: str, icon: str = "circle-dashed", tone: str = "quiet",
        looks: Callable[[LoggedEvent], tuple[str, str] | None] | None = None) -> Presenter:  # fmt: skip
    """A presenter in one line of a table."""
    return Presenter(title, parts, icon, tone, looks or (lambda _: None))


def refused(about: str) -> Presenter:
    """An act that was not done."""
    return say(f"Refused: an act on {about}", "{sentence}", icon="ban")
