"""A log that has grown to two million entries: each a real one with its own bytes, in the rows as the sealer leaves them and as files as it publishes them."""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from audit.log import merkle, tiles
from audit.log.checkpoint import Checkpoint
from audit.log.models import SealedEntry
from audit.log.signing import sign_checkpoint
from tests.audit.log.logged import run_signer
from tests.benchmarks.verifying import write
from tests.servers import superuser_url

Edge = dict[tuple[int, int], bytes]
EVENTS = 'COPY audit_event (id, name, at, "by", "case", subject, body) FROM STDIN'
ENTRIES = 'COPY audit_sealed_entry ("index", event_id, leaf_hash, sealed_at) FROM STDIN'
TILES = 'COPY audit_tile (level, "index", hashes) FROM STDIN'
CHECKPOINT = "INSERT INTO audit_checkpoint (size, root, note, signed_at) VALUES (%s, %s, %s, 1)"


def superuser() -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection of the server's superuser to the database of the run; the caller closes it."""
    return psycopg.connect(superuser_url(), dbname=str(connection.settings_dict["NAME"]), autocommit=True)


def event_at(index: int) -> uuid.UUID:
    """The event of a made entry; ids in order of time, as ours are."""
    return uuid.UUID(f"00000000-0000-7000-8000-{index:012x}")


def body_at(index: int) -> bytes:
    """The canonical bytes of a made entry."""
    said = '{"at":%d,"by":"process:bench","id":"%s","name":"person.added","person_id":"%d","subject":"person:%d"}'
    return (said % (index, event_at(index), index, index)).encode()


def grow(size: int, into: Path | None = None) -> None:
    """Let the log have so many entries, those that it has first; ``into`` is where it is published as well."""
    real = [bytes(each) for each in SealedEntry.objects.order_by("index").values_list("event__body", flat=True)]
    with superuser() as own, own.transaction(), own.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger for each of millions of rows
        cursor.execute("TRUNCATE audit_tile, audit_checkpoint")
        with cursor.copy(EVENTS) as rows:
            for index in range(len(real), size):
                rows.write_row(
                    (event_at(index), "person.added", index, "process:bench", "", f"person:{index}", body_at(index))
                )
        with cursor.copy(ENTRIES) as rows:
            for index in range(len(real), size):
                rows.write_row((index, event_at(index), merkle.leaf_hash(body_at(index)), 1))
        edge: Edge = {}
        with cursor.copy(TILES) as rows:
            for (level, index), data in _tiles(size, real, edge, into):
                rows.write_row((level, index, data))
        root = tiles.tree_root(size, lambda level, index, _: edge[level, index])
        signer = run_signer()
        note = sign_checkpoint(Checkpoint(signer.name, size, root), signer)
        cursor.execute(CHECKPOINT, [size, root, note.decode()])
        if into:
            (into / "checkpoint").write_bytes(note)
    with superuser() as own:
        own.execute("VACUUM ANALYZE audit_event, audit_sealed_entry, audit_tile, audit_queue")


def _tiles(size: int, real: Sequence[bytes], edge: Edge, into: Path | None) -> Iterator[tuple[tuple[int, int], bytes]]:
    """All tiles, written with their bundles on the way; ``edge`` has those at the right end afterwards."""
    for start in range(0, size, tiles.WIDTH):
        end = min(size, start + tiles.WIDTH)
        bodies = [real[index] if index < len(real) else body_at(index) for index in range(start, end)]
        edge |= tiles.grow(start, [merkle.leaf_hash(body) for body in bodies], edge)
        if into:
            write(into, tiles.TileName(None, start // tiles.WIDTH, len(bodies)), tiles.encode_bundle(bodies))
        for key in [key for key, data in edge.items() if len(data) == tiles.WIDTH * tiles.HASH_BYTES]:
            yield key, _published(into, key, edge.pop(key))
    yield from ((key, _published(into, key, data)) for key, data in edge.items())


def _published(into: Path | None, key: tuple[int, int], data: bytes) -> bytes:
    if into:
        write(into, tiles.TileName(*key, len(data) // tiles.HASH_BYTES), data)
    return data
