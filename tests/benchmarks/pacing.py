"""Whether the sealer keeps its pace as the log grows: the real process with its store, at ten thousand entries and at two million; and a restart there."""

import tempfile
import time
from pathlib import Path

from django.db import connection

from audit.log.checkpoints import latest
from audit.log.locks import Lock
from audit.log.models import SealedEntry
from tests.audit.log.logged import appended
from tests.benchmarks.grown import grow
from tests.benchmarks.publishing import head, published_into
from tests.benchmarks.rows import Row, at_most, middle
from tests.benchmarks.verifying import SIZE
from tests.faults.programs import running
from tests.servers import wait_until

SMALL, BATCH, EACH, ROUNDS, RESTARTS = 10_000, 2000, 3, 5, 3
PACE_BAR, RESTART_BAR_S = 1.2, 2.0
PATIENCE_S = 60.0
AWAITED = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"


def seconds_for(batch: int, each: int, folder: Path) -> float:
    """Seconds until so many batches, which wait behind the sealer's lock until the clock runs, are sealed and published."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [Lock.SEALING])
        for _ in range(each):
            appended(batch)
        wanted = SealedEntry.objects.count() + batch * each
        wait_until(_awaited, "the sealer to stand before its lock")
        begun = time.perf_counter()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [Lock.SEALING])
    while head(folder).size < wanted:
        if time.perf_counter() - begun > PATIENCE_S:
            raise AssertionError("The sealer did not publish what waited.")
        time.sleep(0.005)
    return time.perf_counter() - begun


def _awaited() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(AWAITED)
        return bool(cursor.fetchone()[0])


def paces(rounds: int, batch: int, each: int, folder: Path) -> float:
    """The median of so many rounds under a sealer that has begun; one goes before."""
    with published_into(folder):
        return middle([seconds_for(batch, each, folder) for _ in range(rounds + 1)][1:])


def restarted(folder: Path) -> float:
    """Seconds from the start of a sealer's process to a checkpoint that holds an event which waited for it."""
    appended(1)
    wanted = SealedEntry.objects.count() + 1

    def is_sealed() -> bool:
        last = latest()
        return last is not None and last.size == wanted

    begun = time.perf_counter()
    with running("sealer", role="sealer", environment={"PORTAL_LOG_STORE": str(folder)}) as sealer:
        wait_until(is_sealed, f"the first seal\n{sealer.said}", 60)
        return time.perf_counter() - begun


def measured(small: int, large: int, rounds: int, batch: int, each: int, top: Path) -> tuple[float, float]:
    """The median seconds of a round in the small and in the large log, which lies published in ``large``."""
    (top / "small").mkdir()
    (top / "large").mkdir()
    grow(small, top / "small")
    before = paces(rounds, batch, each, top / "small")
    grow(large, top / "large")
    return before, paces(rounds, batch, each, top / "large")


def rows() -> list[Row]:
    """Two rows."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        before, after = measured(SMALL, SIZE, ROUNDS, BATCH, EACH, top)
        again = [restarted(top / "large") for _ in range(RESTARTS)]
    count = BATCH * EACH
    beside = f"{count} events sealed and published: {before:.2f} s at {SMALL} entries, {after:.2f} s at {SIZE}"
    told = f"{SIZE} entries, published; {RESTARTS} restarts, shortest {min(again):.2f} s, start of the program included"
    return [
        at_most(f"sealing at {SIZE} entries, against at {SMALL}", after / before, PACE_BAR, "x", beside=beside),
        at_most("restart of the sealer to its first seal, longest", max(again), RESTART_BAR_S, beside=told),
    ]
