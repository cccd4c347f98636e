"""What was sealed is published: first the tiles and bundles that a reader of the new checkpoint needs, then the checkpoint.

The database is the truth and the store follows it. Each publication begins with the published head and holds it against the stored
log, so that nothing is published beside a history that others have seen.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log import merkle, tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.cuts import minimum_index
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Note, VerifierKey, write_note
from audit.log.outgrown import Outgrown
from audit.log.sealing import SealingError, last_signed
from audit.log.stores import HEAD, Conflict, Overtaken, Still, Store
from audit.log.tile_rows import read_tiles
from audit.log.timestamps.tokens import parse_imprint
from audit.log.witnessing import cosignature_lines

AT_ONCE = 32  # bundles that are held in memory and put together
BODIES = """
SELECT e.body FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id
WHERE s."index" >= %s AND s."index" < %s ORDER BY s."index"
"""
SIGNED = "SELECT size FROM audit_checkpoint WHERE size > %s AND size < %s"
STAMPED = """
SELECT t.size, c.note, t.answer FROM audit_timestamp t JOIN audit_checkpoint c ON c.size = t.size
WHERE t.size > %s AND t.size <= %s ORDER BY t.size LIMIT 100
"""


class SetBack(SealingError):
    """The stored log does not contain what was published; it was set back, or is another one."""


@dataclass(frozen=True)
class Head:
    """The published checkpoint: its bytes as they lie there, and what they prove."""

    data: bytes
    checkpoint: VerifiedCheckpoint


def read_head(store: Store, keys: Sequence[VerifierKey]) -> Head | None:
    """The published checkpoint; nothing where nothing was published yet.

    Raises:
        StoreUnavailable: The store does not answer.
        SetBack: What lies there is not a checkpoint of this log.
    """
    data = store.read(HEAD)
    if data is None:
        return None
    try:
        return Head(data, verify_checkpoint(parse_checkpoint(data), keys))
    except (ParseError, NotVerified) as error:
        raise SetBack(f"The published checkpoint is not one of this log. {error}") from error


def publish_once(
    connection: BaseDatabaseWrapper, store: Store, keys: Sequence[VerifierKey], outgrown: Outgrown | None = None
) -> Head | None:
    """Publish up to the last stored checkpoint; what is published then, nothing where nothing was ever sealed.

    Args:
        connection: Of the sealer's role.
        store: Where to.
        keys: The log's public keys.
        outgrown: The partial tiles that wait until they go; without it they go at once, from where nobody reads meanwhile.

    Raises:
        StoreUnavailable, Conflict, Overtaken: See `Store`; the old head stands.
        SetBack: The stored log does not contain the published head.
    """
    head = read_head(store, keys)
    last = last_signed(connection, keys)
    if last is None:
        if head is not None:
            raise SetBack(f"{head.checkpoint.size} entries are published, and the stored log is empty.")
        return None
    published = head.checkpoint.size if head else 0
    after = _cosigned(connection, last)
    forget = outgrown.try_to_forget if outgrown else Outgrown(kept_s=0, begun=True).forget
    with connection.cursor() as cursor:
        if head:
            check_grown(cursor, head.checkpoint, last)
            if head.data == after:
                forget(store, published, published)
                return head
        wanted = chain(changed_tiles(published, last.size), _shown_elsewhere(cursor, published, last.size))
        for resources in _resources(cursor, wanted, minimum_index(cursor)):
            store.put(resources, unless_moved(store, head.data if head else None))
    store.move_head(head.data if head else None, after)
    forget(store, published, last.size)
    return Head(after, last)


def unless_moved(store: Store, head: bytes | None) -> Still:
    """What stops a publisher that was paused: the head is not the one any more from which it went on."""

    def still() -> None:
        if store.read(HEAD) != head:
            raise Overtaken("Somebody else has published meanwhile.")

    return still


def publish_timestamps(connection: BaseDatabaseWrapper, store: Store, head: Head, after: int) -> tuple[int, list[str]]:
    """Put what the timestamp authority said of published checkpoints of more than ``after`` entries beside the log; the largest such size.

    Each lies below ``timestamps/`` with the very bytes that it was given for, which the head has long outgrown. What is published is never taken
    back, so one over other bytes is not put; nor is one where other bytes lie. A sentence for each of those, and the rest go on.

    Raises:
        StoreUnavailable, Overtaken: See `Store`.
    """
    with connection.cursor() as cursor:
        cursor.execute(STAMPED, [after, head.checkpoint.size])
        wrong = []
        for size, note, answer in cursor.fetchall():
            after = size
            both = {f"timestamps/{size}.checkpoint": note.encode(), f"timestamps/{size}.tsr": bytes(answer)}
            try:
                if parse_imprint(bytes(answer)) != hashlib.sha256(note.encode()).digest():
                    raise ParseError("It is over other bytes.")
                store.put(both, unless_moved(store, head.data))
            except (ParseError, Conflict) as error:
                wrong.append(f"That of {size} entries: {error}")
    return after, wrong


def _cosigned(connection: BaseDatabaseWrapper, last: VerifiedCheckpoint) -> bytes:
    """The note of the checkpoint with the lines of its witnesses."""
    note = last.signed.note
    return write_note(Note(note.text, (*note.signatures, *cosignature_lines(connection, last.size))))


def check_grown(cursor: Any, published: VerifiedCheckpoint, last: VerifiedCheckpoint) -> None:
    """See to it that the stored log begins with the published one.

    Raises:
        SetBack: It does not.
    """
    if published.size > last.size:
        raise SetBack(f"{published.size} entries are published, and only {last.size} are stored.")
    stored = read_tiles(cursor, tiles.needed_for_consistency(published.size, last.size))
    try:
        proof = tiles.consistency_proof(
            published.size, last.size, lambda level, index, width: stored[level, index][: width * tiles.HASH_BYTES]
        )
        merkle.verify_consistency(proof, published.root, last.root)
    except (KeyError, ParseError, NotVerified) as error:
        raise SetBack(f"The stored log is not the one of which {published.size} entries are published.") from error


def changed_tiles(old: int, new: int) -> Iterator[tiles.TileName]:
    """The tiles of a tree of ``new`` leaves that one of ``old`` leaves does not have, in this width."""
    level = 0
    while hashes := new >> (tiles.HEIGHT * level):
        before = old >> (tiles.HEIGHT * level)
        for index in range(before // tiles.WIDTH, (hashes - 1) // tiles.WIDTH + 1):
            if tiles.width(level, index, new) != tiles.width(level, index, old):
                yield tiles.TileName(level, index, tiles.width(level, index, new))
        level += 1


def passed_over(sizes: Iterable[int], new: int) -> Iterator[tiles.TileName]:
    """The partial tiles of trees of these sizes whose full ones are not there in a tree of ``new`` leaves, each once."""
    now = set(tiles.right_edge(new))
    found = {
        tile
        for size in sizes
        for tile in tiles.right_edge(size)
        if tiles.width(tile.level or 0, tile.index, new) < tiles.WIDTH
    }
    yield from sorted(found - now, key=lambda tile: (tile.level or 0, tile.index, tile.width))


def _shown_elsewhere(cursor: Any, old: int, new: int) -> Iterator[tiles.TileName]:
    """What readers need of checkpoints that were signed since and never were the head: a witness or a pack may have shown them."""
    cursor.execute(SIGNED, [old, new])
    yield from passed_over([size for (size,) in cursor.fetchall()], new)


def _resources(cursor: Any, changed: Iterable[tiles.TileName], minimum: int) -> Iterator[dict[str, bytes]]:
    """These tiles with their bundles, in parts; entries are held against the hashes beside them.

    Of bundles that were cut (below ``minimum``) only the hashes are there.
    """
    tiles_left = iter(changed)
    while wanted := list(islice(tiles_left, AT_ONCE)):
        yield _read(cursor, wanted, minimum)


def _read(cursor: Any, wanted: Sequence[tiles.TileName], minimum: int) -> dict[str, bytes]:
    stored = read_tiles(cursor, wanted)
    found: dict[str, bytes] = {}
    for tile in wanted:
        level = tile.level or 0
        try:
            hashes = tiles.parse_tile(stored[level, tile.index][: tile.width * tiles.HASH_BYTES], tile.width)
        except (KeyError, ParseError) as error:
            raise SealingError(f"{tiles.path(tile)} of the stored log is missing or cut short.") from error
        found[tiles.path(tile)] = b"".join(hashes)
        if level == 0 and not ((tile.index + 1) * tiles.WIDTH <= minimum and _is_cut(cursor, tile)):
            bundle = tiles.TileName(None, tile.index, tile.width)
            found[tiles.path(bundle)] = tiles.encode_bundle(_entries(cursor, tile, hashes))
    return found


def _is_cut(cursor: Any, tile: tiles.TileName) -> bool:
    """Whether entries of the bundle are gone; one that only shall be cut is published as any other."""
    start = tile.index * tiles.WIDTH
    cursor.execute(BODIES, [start, start + tile.width])
    return len(cursor.fetchall()) < tile.width


def _entries(cursor: Any, tile: tiles.TileName, hashes: Sequence[bytes]) -> list[bytes]:
    start = tile.index * tiles.WIDTH
    cursor.execute(BODIES, [start, start + tile.width])
    entries = [bytes(body) for (body,) in cursor.fetchall()]
    if [merkle.leaf_hash(entry) for entry in entries] != list(hashes):
        raise SealingError(f"The entries from {start} to {start + tile.width - 1} are not those that were sealed.")
    return entries
