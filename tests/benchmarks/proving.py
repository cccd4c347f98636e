"""Inclusion proofs at two million entries, as the portal makes them: from the stored tiles, checked before they are believed."""

import hashlib
import random
import time
from collections.abc import Iterator

from django.db import connection

from audit.log import checkpoints, tiles
from audit.log.checkpoint import Checkpoint
from audit.log.models import SealedEntry
from audit.log.signing import sign_checkpoint
from tests.audit.log.logged import run_signer, sealed
from tests.benchmarks.rows import Row, at_most, percentile
from tests.benchmarks.verifying import SIZE

ASKED, BAR_MS = 1000, 5.0
INSERT = 'COPY audit_tile (level, "index", hashes) FROM STDIN'


def fill(size: int, real: int = 512) -> None:
    """Real sealed entries at the beginning, and tiles above them as if the log had grown to so many."""
    if real:
        sealed(real)
    leaves = list(SealedEntry.objects.order_by("index").values_list("leaf_hash", flat=True)[:real])
    edge: dict[tuple[int, int], bytes] = {}
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_tile, audit_checkpoint")
        with cursor.copy(INSERT) as into:
            for level, index, data in _tiles(size, [bytes(leaf) for leaf in leaves], edge):
                into.write_row((level, index, data))
        root = tiles.tree_root(size, lambda level, index, _: edge[level, index])
        signer = run_signer()
        note = sign_checkpoint(Checkpoint(signer.name, size, root), signer).decode()
        cursor.execute(
            "INSERT INTO audit_checkpoint (size, root, note, signed_at) VALUES (%s, %s, %s, 1)", [size, root, note]
        )
        cursor.execute("ANALYZE audit_tile, audit_sealed_entry, audit_event")


def _tiles(size: int, real: list[bytes], edge: dict[tuple[int, int], bytes]) -> Iterator[tuple[int, int, bytes]]:
    for start in range(0, size, tiles.WIDTH):
        end = min(size, start + tiles.WIDTH)
        leaves = real[start:end] or [hashlib.sha256(b"%d" % number).digest() for number in range(start, end)]
        edge |= tiles.grow(start, leaves, edge)
        for level, index in [key for key, data in edge.items() if len(data) == tiles.WIDTH * tiles.HASH_BYTES]:
            yield level, index, edge.pop((level, index))
    yield from ((level, index, data) for (level, index), data in edge.items())


def asked(times: int) -> list[float]:
    """Milliseconds for each proof of a random entry, all queries and checks included."""
    events = list(SealedEntry.objects.values_list("event_id", flat=True))
    chance, took = random.Random(1), []
    for _ in range(times):
        event = chance.choice(events)
        begun = time.perf_counter()
        found = checkpoints.inclusion(event)
        took.append((time.perf_counter() - begun) * 1000)
        if found is None:
            raise AssertionError("It is not in the log.")
    return took


def rows() -> list[Row]:
    """One row."""
    fill(SIZE)
    asked(20)
    took = asked(ASKED)
    beside = f"{len(took)} proofs; median {percentile(took, 50):.2f} ms, longest {max(took):.1f} ms"
    return [at_most(f"inclusion proof at {SIZE} entries, p99", percentile(took, 99), BAR_MS, "ms", beside=beside)]
