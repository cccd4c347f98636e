"""Brings back from the published log what a database that was set back has lost: its entries, their places, the tree, the checkpoint.

The published log is believed as far as its checkpoint is signed and contains what is stored. Personal values are not in it:
a newer backup may hold them (`backup/values_again.py`); those that were erased since go again. What was acknowledged and never published is
not in it either: people say so (``log.range_lost``).
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log import merkle, tiles
from audit.log.append import append, process
from audit.log.canonical import parse_entry
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.erased_again import cut_since, erase_since
from audit.log.errors import NotVerified, ParseError
from audit.log.held_again import hold_again, said
from audit.log.locks import Lock, until_commit
from audit.log.note import Note, VerifierKey, write_note
from audit.log.publishing import SetBack, check_grown
from audit.log.sealing import KEEP_CHECKPOINT, KEEP_ENTRIES, KEEP_TILES, last_signed
from audit.log.tile_rows import read_tiles
from audit.log.verify.check import contains
from audit.log.verify.sources import Source

KEEP_EVENTS = """
INSERT INTO audit_event (id, name, at, "by", "case", subject, body)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bytea[])
ON CONFLICT (id) DO NOTHING
"""
SAME = "SELECT count(*) FROM audit_event e JOIN unnest(%s::uuid[], %s::bytea[]) AS said (id, body) ON e.id = said.id AND e.body = said.body"
LEAVE_QUEUE = "DELETE FROM audit_queue WHERE event_id = ANY(%s)"


RECOVERY = process("recovery")


class CannotRecover(Exception):
    """The published log cannot stand in for the stored one; why, and what to do."""


@dataclass(frozen=True)
class Recovered:
    """What was brought back: indexes from ``first`` to ``last``, both included, and the times (ms) of the first and the last entry."""

    first: int
    last: int
    from_at: int
    to_at: int

    @property
    def count(self) -> int:
        """How many entries."""
        return self.last - self.first + 1


def recover(connection: BaseDatabaseWrapper, source: Source, keys: Sequence[VerifierKey]) -> Recovered | None:
    """Bring the stored log up to the published one, in one transaction; nothing where it has all of it.

    The store is read while the transaction is open: all of it comes back or none, a person waits for it, and the sealer is stopped.

    Args:
        connection: Of a role that may write the log's tables: the owner's.
        source: The published log.
        keys: The log's public keys.

    Raises:
        CannotRecover: The published log is damaged, or another history than the stored one.
        SourceUnavailable: It does not answer.
        SealingError: The stored log does not fit its own last checkpoint.
    """
    head = _head(source, keys)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        until_commit(Lock.SEALING, connection.alias)
        last = last_signed(connection, keys)
        size = last.size if last else 0
        if last and size >= head.size:
            _check_grown(cursor, head, last)
            return None
        if last and not contains(source, head, last):
            raise CannotRecover(
                f"What is published does not contain the {size} entries that are stored: it is another history. Ask who has the key of the log."
            )
        found = _bring(cursor, source, size, head)
        hold_again(said())
        erase_since(cursor, found.first)
        cut_since(found.first)
        return found


def _check_grown(cursor: Any, published: VerifiedCheckpoint, stored: VerifiedCheckpoint) -> None:
    try:
        check_grown(cursor, published, stored)
    except SetBack as error:
        raise CannotRecover(f"It is another history. {error}") from error


def _head(source: Source, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint:
    data = source.read("checkpoint")
    if data is None:
        raise CannotRecover("Nothing is published there.")
    try:
        return verify_checkpoint(parse_checkpoint(data), keys)
    except (ParseError, NotVerified) as error:
        raise CannotRecover(f"The published checkpoint is not one of this log. {error}") from error


def _bring(cursor: Any, source: Source, size: int, head: VerifiedCheckpoint) -> Recovered:
    """Everything is written and then held against the signed root; where it differs the transaction is rolled back."""
    edge = read_tiles(cursor, tiles.right_edge(size))
    at = size
    times: list[int] = []
    for bodies in _bundles(source, size, head.size):
        leaves = [merkle.leaf_hash(body) for body in bodies]
        times += _keep(cursor, at, bodies, leaves)
        changed = tiles.grow(at, leaves, edge)
        levels, indexes = [level for level, _ in changed], [index for _, index in changed]
        cursor.execute(KEEP_TILES, [levels, indexes, list(changed.values())])
        at += len(leaves)
        edge = {key: data for key, data in (edge | changed).items() if len(data) < tiles.WIDTH * tiles.HASH_BYTES}
    if tiles.tree_root(at, lambda level, index, _: edge[level, index]) != head.root:
        raise CannotRecover(
            "The published entries do not have the root that is signed. Check what is published, and look for another copy."
        )
    ours = tuple(each for each in head.signed.note.signatures if each.name == head.origin)
    cursor.execute(KEEP_CHECKPOINT, [at, head.root, write_note(Note(head.signed.note.text, ours)).decode(), times[-1]])
    found = Recovered(size, at - 1, times[0], times[-1])
    append("log.recovered", by=RECOVERY, first=found.first, last=found.last, from_at=found.from_at, to_at=found.to_at)
    return found


@dataclass(frozen=True)
class Under:
    """A published log under a checkpoint that was kept elsewhere: its tiles may reach further than the published one says."""

    source: Source
    checkpoint: bytes

    def read(self, path: str) -> bytes | None:
        """See `Source.read`."""
        return self.checkpoint if path == "checkpoint" else self.source.read(path)


def _bundles(source: Source, start: int, end: int) -> Iterator[list[bytes]]:
    """The published entries between two sizes, bundle by bundle."""
    for index in range(start // tiles.WIDTH, (end + tiles.WIDTH - 1) // tiles.WIDTH):
        width = tiles.width(0, index, end)
        bodies = _read(source, index, width)
        yield bodies[max(0, start - index * tiles.WIDTH) :]


def _read(source: Source, index: int, width: int) -> list[bytes]:
    for each in (width, tiles.WIDTH):
        data = source.read(tiles.path(tiles.TileName(None, index, each)))
        if data is None:
            continue
        try:
            return tiles.parse_bundle(data, each)[:width]
        except ParseError as error:
            raise CannotRecover(
                f"The published entries from {index * tiles.WIDTH} on are unreadable. {error}"
            ) from error
    raise CannotRecover(
        f"The published entries from {index * tiles.WIDTH} on are missing. If the log was cut there, restore a backup first that was made after the cut."
    )


def _keep(cursor: Any, start: int, bodies: Sequence[bytes], leaves: Sequence[bytes]) -> list[int]:
    """Events whose rows came back with the database's own backup stay as they are, if they have the same bytes."""
    try:
        said = [parse_entry(body) for body in bodies]
    except ParseError as error:
        raise CannotRecover(f"A published entry after {start} is not canonical. {error}") from error
    try:
        ids = [uuid.UUID(each["id"]) for each in said]
    except (KeyError, TypeError, ValueError) as error:
        raise CannotRecover(f"A published entry after {start} has no id.") from error
    columns = [[each.get(name, "") for each in said] for name in ("name", "at", "by", "case", "subject")]
    cursor.execute(KEEP_EVENTS, [ids, *columns, list(bodies)])
    cursor.execute(SAME, [ids, list(bodies)])
    if cursor.fetchone()[0] != len(ids):
        raise CannotRecover(f"The database holds other bytes for an event that is published after entry {start}.")
    cursor.execute(KEEP_ENTRIES, [columns[1][-1], list(range(start, start + len(ids))), ids, list(leaves)])
    cursor.execute(LEAVE_QUEUE, [ids])
    return [int(each) for each in columns[1]]
