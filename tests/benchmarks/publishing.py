"""From rows in hand to a log that is sealed and published: in bulk against `COPY` of the same rows, and one event after another at 200 a second."""

import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction

from audit.log.append import Entry, append_many, process
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.checkpoints import public_keys
from audit.log.models import Event, SealedEntry
from tests.benchmarks import sealing
from tests.benchmarks.rows import Row, at_least, at_most, percentile
from tests.faults.programs import running
from tests.servers import wait_until

BATCH, BATCHES = 500, 40
RATE, SECONDS = 200, 20
COPY_BAR, DELAY_BAR_S = 0.10, 1.0
BY = process("bench")
COPIED = "CREATE TABLE bench_copied (id uuid, name text, at bigint, by text, body bytea)"


def ingest(batches: int, folder: Path) -> float:
    """Seconds to append in batches of 500, until a real sealer has sealed and published all of them."""
    begun = time.perf_counter()
    for _ in range(batches):
        with transaction.atomic():
            append_many(
                [
                    Entry("grant.expired", BY, {"grant_id": str(uuid.uuid4()), "ended_at": 1, "over_at": 1})
                    for _ in range(BATCH)
                ]
            )
    wanted = Event.objects.count()
    wait_until(lambda: head(folder).size == wanted, "all to be published", 60)
    return time.perf_counter() - begun


def copy() -> float:
    """Seconds to copy the rows that the log has now into a table of the same columns, each batch in a transaction of its own."""
    rows = list(Event.objects.values_list("id", "name", "at", "by", "body"))
    with connection.cursor() as cursor:
        cursor.execute(COPIED)
    begun = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy("COPY bench_copied FROM STDIN") as into:
            for row in rows[start : start + BATCH]:
                into.write_row(row)
    took = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_copied")
    return took


def in_bulk(batches: int) -> tuple[float, int]:
    """How fast ingest is against COPY, and how many entries were published."""
    with tempfile.TemporaryDirectory() as top, published_into(Path(top) / "log") as folder:
        took = ingest(batches, folder)
        size = head(folder).size
    return copy() / took, size


@contextmanager
def published_into(folder: Path) -> Iterator[Path]:
    """A real sealer that publishes, and has begun to."""
    with running("sealer", role="sealer", environment={"PORTAL_LOG_STORE": str(folder)}) as sealer:
        sealing.write_steadily(20, 1, {})
        wait_until((folder / "checkpoint").exists, f"the first publication\n{sealer.said}", 60)
        yield folder


def head(folder: Path) -> VerifiedCheckpoint:
    """The published checkpoint, its signature checked."""
    return verify_checkpoint(parse_checkpoint((folder / "checkpoint").read_bytes()), public_keys())


def watch(folder: Path, seen: list[tuple[int, float]], stop: threading.Event) -> None:
    """Note the time at which each published size was first seen."""
    while not stop.is_set():
        size = head(folder).size
        if not seen or seen[-1][0] != size:
            seen.append((size, time.time()))
        stop.wait(0.01)


def delays(rate: float, seconds: float, folder: Path) -> list[float]:
    """For each event, the seconds from its commit to the first sight of a published checkpoint that holds it."""
    seen: list[tuple[int, float]] = []
    parts: list[dict[str, float]] = [{} for _ in range(sealing.HANDS)]
    stop = threading.Event()
    writers = [
        threading.Thread(target=sealing.write_steadily, args=(rate / sealing.HANDS, seconds, part)) for part in parts
    ]
    watcher = threading.Thread(target=watch, args=(folder, seen, stop))
    for thread in (watcher, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    wait_until(lambda: seen[-1][0] == Event.objects.count(), "all to be published", 60)
    stop.set()
    watcher.join()
    written = {identity: at for part in parts for identity, at in part.items()}
    index = {str(event): place for event, place in SealedEntry.objects.values_list("event_id", "index")}
    return [
        next(at for size, at in seen if size > index[identity]) - committed for identity, committed in written.items()
    ]


def one_by_one(rate: float, seconds: float) -> list[float]:
    """The delays under a real sealer that publishes."""
    with tempfile.TemporaryDirectory() as top, published_into(Path(top) / "log") as folder:
        return delays(rate, seconds, folder)


def rows() -> list[Row]:
    """Two rows."""
    ratio, size = in_bulk(BATCHES)
    took = one_by_one(RATE, SECONDS)
    connection.close()
    about = f"{len(took)} events in {SECONDS} s; median {percentile(took, 50):.2f} s, longest {max(took):.2f} s"
    return [
        at_least("bulk ingest to sealed and published, of COPY", ratio, COPY_BAR, beside=f"{size} entries in batches of {BATCH}"),
        at_most("event to published checkpoint, p99", percentile(took, 99), DELAY_BAR_S, beside=about),
    ]  # fmt: skip
