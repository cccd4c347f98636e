"""What things are called, as the log says up to a position: people, systems, privileges, sources. Erased names are absent."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from audit.log.read import LoggedEvent
from audit.packs.reading import named

NAMED_BY = {
    "person.added": "person_id", "system.registered": "system_id", "system.changed": "system_id", "privilege.added": "privilege_id",
    "source.declared": "source_id",
}  # fmt: skip
NAMING = tuple(NAMED_BY)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Source:
    """A source of activity."""

    id: str
    system_id: str
    kind: str
    counting: str


@dataclass
class Known:
    """Names by id."""

    people: dict[str, str] = field(default_factory=dict)
    systems: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    privileges: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)  # id to the index of the entry that last named it
    systems_of: dict[str, str] = field(default_factory=dict)  # privilege to system

    def said_of(self, systems: Collection[str]) -> set[int]:
        """The entries that name these systems and their privileges."""
        mine = set(systems) | {each for each, system in self.systems_of.items() if system in systems}
        return {index for each, index in self.said.items() if each in mine}

    def naming(self, texts: Iterable[str]) -> set[int]:
        """The entries that name whatever has its id in these texts."""
        return {self.said[each] for text in texts for each in UUID.findall(text) if each in self.said}

    def name(self, identity: str) -> str:
        """What an id is called, or its beginning."""
        found = self.people.get(identity) or self.systems.get(identity) or self.privileges.get(identity)
        if found is None and identity in self.sources:
            source = self.sources[identity]
            return f"{source.kind} of {self.systems.get(source.system_id, source.system_id)}"
        return found or identity

    def words(self, text: str) -> str:
        """A text in which every known id is followed by its name."""
        return UUID.sub(lambda found: self._beside(found[0]), text)

    def _beside(self, identity: str) -> str:
        name = self.name(identity)
        return identity if name == identity else f"{name} ({identity[:8]})"


def known_at(size: int) -> Known:
    """All names up to a position."""
    return known_of(named(size, NAMING))


def logins_since(size: int, since: int) -> dict[str, str]:
    """Logins on targets by the id of the grant that used it, or of the line of a listing that named it."""
    found: dict[str, str] = {}
    for event in named(size, ("grant.activated", "target.login_listed"), since=since):
        listed = event.name == "target.login_listed"
        found[str(event.id) if listed else event.fields["grant_id"]] = (
            event.says("login") if listed else event.fields["login"]
        )
    return found


def known_of(events: Iterable[LoggedEvent]) -> Known:
    """Names that some events give; what is said later counts."""
    found = Known()
    for event in events:
        _take(found, event)
    return found


def _take(found: Known, event: LoggedEvent) -> None:
    given = event.fields
    if event.index is not None:
        found.said[given[NAMED_BY[event.name]]] = event.index
    if event.name == "person.added" and ("name" in event.personal or event.erased_at is not None):
        found.people[given["person_id"]] = event.says("name")
    elif event.name.startswith("system."):
        found.systems[given["system_id"]] = given["name"]
        found.owners[given["system_id"]] = given["owner_id"]
    elif event.name == "privilege.added":
        found.privileges[given["privilege_id"]] = given["name"]
        found.systems_of[given["privilege_id"]] = given["system_id"]
    elif event.name == "source.declared":
        source = Source(given["source_id"], given["system_id"], given["kind"], given["counting"])
        found.sources[source.id] = source


def only(systems: Collection[str], found: Known) -> dict[str, str]:
    """Names of the chosen systems."""
    return {each: found.systems.get(each, each) for each in systems}
