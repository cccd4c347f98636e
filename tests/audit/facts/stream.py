"""Builds a log of declared events, and a small organisation with its uses, for tests of the fold.

Events are written as ``append`` writes them, so that one which is not declared, or lacks a field, cannot get in. A
stream may also hold what the portal would never do: that is what it is for.
"""

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.controls.loading import load_catalogue
from audit.controls.model import TestResult
from audit.controls.runner import prepare, run_catalogue
from audit.events import catalogue
from audit.facts.fold import UNFED, Folded, fold, readable
from audit.facts.given import Period
from audit.facts.schema import new_database
from audit.log import merkle
from audit.log.canonical import encode
from audit.log.checkpoint import Checkpoint
from audit.log.commitments import commit
from audit.log.ranges import Entry, RangeResult, StoredNote, verify_entries
from audit.log.signing import SignerKey, sign_checkpoint

SIGNER = SignerKey("log.example/test", Ed25519PrivateKey.from_private_bytes(bytes(32)))
NAMES = uuid.UUID(int=0)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def at(day: str, time: str = "00:00") -> int:
    """Milliseconds of a day of 2026 (``07-03``) and a time of it, UTC."""
    return int(datetime.strptime(f"2026-{day} {time}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp() * 1000)


PERIOD = Period(at("07-01"), at("10-01"), at("10-02"))


@dataclass
class Stream:
    """Events in order. A person's last strong sign-in is two minutes old unless told otherwise."""

    bodies: list[dict[str, Any]] = field(default_factory=list)

    def say(self, name: str, when: int, by: str, /, *, case: str = "", old: int = 2 * MINUTE, **fields: Any) -> str:
        """Add one event; gives its id."""
        plain, personal = catalogue[name].split(fields)
        identity = str(uuid.uuid5(NAMES, f"{len(self.bodies)} {name}"))
        salts = {key: f"{identity}{key}".encode()[:32].ljust(32) for key in personal}
        body = {"v": 1, "id": identity, "name": name, "at": when, "by": by, "fields": plain}
        body["personal"] = {key: commit(salts[key], key, value) for key, value in personal.items()}
        if not by.startswith("process:"):
            body |= {"method": "totp", "strong_at": when - old}
        if case:
            body["case"] = case
        self.bodies.append(body)
        return identity

    def find(self, name: str, /, **fields: Any) -> dict[str, Any]:
        """The one event of a name with these fields, to be doctored in place."""
        found = [
            body
            for body in self.bodies
            if body["name"] == name and fields.items() <= {**body["fields"], **body}.items()
        ]
        assert len(found) == 1, f"{len(found)} events {name} {fields}"
        return found[0]

    def drop(self, name: str, /, **fields: Any) -> None:
        """Take out the one event of a name with these fields."""
        self.bodies.remove(self.find(name, **fields))

    def entries(self) -> list[Entry]:
        """The events as stored entries, in the order of their times."""
        ordered = sorted(self.bodies, key=lambda body: int(body["at"]))
        return [Entry(index, encode(body)) for index, body in enumerate(ordered)]


def seal(
    entries: Sequence[Entry], *, every: int = 16, as_of: int = PERIOD.as_of, against: Sequence[Entry] | None = None
) -> list[RangeResult]:
    """What verifying says of these entries, sealed with a test key by a checkpoint for every so many.

    ``against`` are entries that lie in their place when the log is verified.
    """
    tree, notes = merkle.CompactRange(), []
    for entry in entries:
        tree.append(merkle.leaf_hash(entry.body))
        last = tree.size == len(entries)
        if last or tree.size % every == 0:
            note = sign_checkpoint(Checkpoint(SIGNER.name, tree.size, tree.root()), SIGNER)
            notes.append(StoredNote(tree.size, note, as_of if last else time_of(entry)))
    return list(verify_entries(entries if against is None else against, notes, [SIGNER.verifier()]))


def time_of(entry: Entry) -> int:
    """The time of a stored entry."""
    return next(readable([entry])).at


@dataclass(frozen=True)
class Judged:
    """A folded log: its facts, and the results of the tests."""

    db: sqlite3.Connection
    folded: Folded
    results: dict[str, TestResult]

    def rows(self, test: str) -> dict[str, str]:
        """The result of each row of a test."""
        return {row.id: row.result for row in self.results[test].rows}

    def facts(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        cursor = self.db.execute(f"SELECT * FROM {table} ORDER BY 1")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def fact(self, table: str, key: str) -> dict[str, Any]:
        """One row of a table, without what is not known."""
        found = [row for row in self.facts(table) if next(iter(row.values())) == key]
        assert len(found) == 1, f"{table} holds {len(found)} of {key}"
        return {name: value for name, value in found[0].items() if value is not None}


def judge(
    stream: Stream, *, period: Period = PERIOD, entries: Sequence[Entry] | None = None,
    ranges: Sequence[RangeResult] | None = None,
) -> Judged:  # fmt: skip
    """Seal, verify, fold and test a log."""
    stored = stream.entries() if entries is None else entries
    checked = seal(stored, as_of=period.as_of) if ranges is None else ranges
    db = new_database()
    known = load_catalogue()
    folded = fold(db, readable(stored), period=period, parameters=known.parameters, ranges=checked)
    prepare(db, known, period, unreadable=folded.unreadable, unfed=UNFED)
    return Judged(db, folded, {result.id: result for result in run_catalogue(db, known)})
