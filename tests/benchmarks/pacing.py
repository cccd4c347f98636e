"""Whether the sealer keeps its pace as the log grows: batches sealed at ten thousand entries and at two million, and a restart there."""

import time

from django.db import connection

from audit.log.checkpoints import latest
from audit.log.models import SealedEntry
from audit.log.sealing import seal_once
from tests.audit.log.logged import appended, run_signer, sealed
from tests.benchmarks.proving import fill
from tests.benchmarks.rows import Row, at_most, middle
from tests.benchmarks.verifying import SIZE
from tests.faults.programs import running
from tests.servers import wait_until

SMALL, BATCH, ROUNDS, RESTARTS = 10_000, 2000, 15, 3
PACE_BAR, RESTART_BAR_S = 1.2, 2.0
# As many rows as the log would have, so that every index is as deep; ids in order of time, as ours are; short bytes, for no batch reads them.
EVENTS = """
INSERT INTO audit_event (id, name, at, "by", "case", subject, body)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(place), 12, '0'))::uuid, 'person.added', place, 'process:bench', '', 'person:' || place,
  sha256(place::text::bytea)
FROM generate_series(%s, %s) AS place
"""
ENTRIES = """
INSERT INTO audit_sealed_entry ("index", event_id, leaf_hash, sealed_at)
SELECT %s - 1 + row_number() OVER (), e.id, e.body, 1 FROM audit_event e
WHERE NOT EXISTS (SELECT FROM audit_sealed_entry s WHERE s.event_id = e.id)
"""


def paces(rounds: int, batch: int) -> float:
    """Seconds of a sealing of one batch, the median of so many."""
    took = []
    for _ in range(rounds):
        appended(batch)
        begun = time.perf_counter()
        done = seal_once(connection, run_signer(), time.time_ns() // 1_000_000)
        took.append(time.perf_counter() - begun)
        if done != batch:
            raise AssertionError(f"{done} of {batch} were sealed.")
    return middle(took)


def grow(size: int) -> None:
    """A log of so many entries, as the sealer finds it: rows, tiles, and a checkpoint that fits them."""
    have = SealedEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [have, size - 1])
        cursor.execute(ENTRIES, [have])
    fill(size, 0)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE audit_event, audit_sealed_entry, audit_tile, audit_queue")


def restarted() -> float:
    """Seconds from the start of a sealer's process to a checkpoint that holds an event which waited for it."""
    appended(1)
    wanted = SealedEntry.objects.count() + 1

    def is_sealed() -> bool:
        last = latest()
        return last is not None and last.size == wanted

    begun = time.perf_counter()
    with running("sealer", role="sealer") as sealer:
        wait_until(is_sealed, f"the first seal\n{sealer.said}", 60)
        return time.perf_counter() - begun


def measured(small: int, large: int, rounds: int, batch: int) -> tuple[float, float]:
    """The median seconds of a batch in the small and in the large log."""
    sealed(small)
    before = paces(rounds, batch)
    grow(large)
    return before, paces(rounds, batch)


def rows() -> list[Row]:
    """Two rows."""
    before, after = measured(SMALL, SIZE, ROUNDS, BATCH)
    again = [restarted() for _ in range(RESTARTS)]
    beside = f"a batch of {BATCH}: {before * 1000:.0f} ms at {SMALL} entries, {after * 1000:.0f} ms at {SIZE}"
    each = f"{SIZE} entries; {RESTARTS} restarts, shortest {min(again):.2f} s, start of the program included"
    return [
        at_most(f"sealing at {SIZE} entries, against at {SMALL}", after / before, PACE_BAR, "x", beside=beside),
        at_most("restart of the sealer to its first seal, longest", max(again), RESTART_BAR_S, beside=each),
    ]
