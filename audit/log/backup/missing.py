"""What others have seen of the log and a backup does not hold: everything that was sealed after it, from the published bundles."""

import contextlib
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from audit.log import merkle, tiles
from audit.log.backup.regrown import NotRegrown, entries
from audit.log.backup_times import MADE
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.held_again import SAID
from audit.log.logged import event_of
from audit.log.note import VerifierKey
from audit.log.publishing import SetBack, read_head
from audit.log.said import Erased, read_erased, read_expired, read_value
from audit.log.stores import Store
from audit.log.tiles import TileName

UNREADABLE = "cannot be read"


@dataclass(frozen=True)
class Lacking:
    """One entry that is missing: its index, name, time (ms) and case, empty where it is of none."""

    index: int
    name: str
    at: int
    case: str


@dataclass
class Missing:
    """The entries from the first to the last index, each of them, and what they say was erased."""

    asked: bool = False  # whether a published log was looked at
    from_index: int = 0
    to_index: int = -1
    entries: list[Lacking] = field(default_factory=list)
    erasures: set[tuple[uuid.UUID, str]] = field(default_factory=set)
    holds: list[bytes] = field(default_factory=list)  # entries on legal holds
    expired: set[tuple[uuid.UUID, int]] = field(default_factory=set)  # written before that time (ms)
    made: list[tuple[int, str, str]] = field(default_factory=list)  # backups: their entries, their ids, their places
    confirmed: set[Erased] = field(default_factory=set)
    done: dict[Erased, int] = field(default_factory=dict)  # when (ms)
    people: dict[str, int] = field(
        default_factory=dict
    )  # those whom two people had erased since, by pseudonym: when (ms)

    def believe(self, confirmed: Collection[Erased]) -> None:
        """Fill `people`, with the confirmations that lie before the missing entries."""
        both = {*confirmed, *self.confirmed}
        self.people = {said.person: at for said, at in self.done.items() if said in both}

    @property
    def count(self) -> int:
        """How many entries are missing."""
        return self.to_index + 1 - self.from_index

    def sentences(self) -> list[str]:
        """For people; times are said by the caller."""
        if not self.asked:
            return ["No published log was given, so nobody can say here what was sealed after the backup."]
        if not self.count:
            return ["The published log holds nothing that the backup does not."]
        named = ", ".join(
            f"{count} {name}" for name, count in sorted(Counter(each.name for each in self.entries).items())
        )
        return [
            f"{self.count} entries are published and not restored: {self.from_index} to {self.to_index}.",
            f"They are {named}.",
        ]


def missing(published: Store | None, last: VerifiedCheckpoint, keys: Sequence[VerifierKey]) -> Missing:
    """What lies between the last checkpoint of a backup and the published one.

    Raises:
        NotVerified: What is published is another log, or one that began otherwise.
        NotRegrown: A bundle is missing or damaged.
    """
    if published is None:
        return Missing(from_index=last.size, to_index=last.size - 1)
    try:
        head = read_head(published, keys)
    except SetBack as error:
        raise NotVerified(str(error)) from error
    size = head.checkpoint.size if head else 0
    if head is None or size <= last.size:
        return Missing(True, last.size, last.size - 1)
    _check_grown(published, last, head.checkpoint)
    found = Missing(True, last.size, size - 1)
    for index, data in entries(published, last.size, size, size):
        try:
            event = event_of(data, index)
        except ParseError:
            found.entries.append(Lacking(index, UNREADABLE, 0, ""))
            continue
        found.entries.append(Lacking(index, event.name, event.at, event.case))
        if event.name == MADE:
            found.made.append((event.fields["size"], event.fields["backup_id"], event.fields["place"]))
        if event.name in SAID:
            found.holds.append(data)
        with contextlib.suppress(ParseError):  # what says nothing that can be read erases nothing
            _note_erasure(found, event.name, event.at, data)
    return found


def _note_erasure(found: Missing, name: str, at: int, data: bytes) -> None:
    if name == "personal_value.erased":
        found.erasures.add(read_value(data))
    elif name == "personal_values.expired":
        found.expired.update(read_expired(data))
    elif name == "erasure.confirmed":
        found.confirmed.add(read_erased(data))
    elif name == "erasure.done":
        found.done[read_erased(data)] = at


def _check_grown(store: Store, last: VerifiedCheckpoint, head: VerifiedCheckpoint) -> None:
    """What is published begins with what the backup holds."""

    def fetch(level: int, index: int, width: int) -> bytes:
        path = tiles.path(TileName(level, index, width))
        data = store.read(path)
        if data is None:
            raise NotRegrown(f"{path} is missing.")
        return data

    try:
        merkle.verify_consistency(tiles.consistency_proof(last.size, head.size, fetch), last.root, head.root)
    except (ParseError, NotVerified) as error:
        raise NotVerified("What is published is not the log of this backup: it began otherwise.") from error
