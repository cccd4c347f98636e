"""From what was found to a log that is sealed and published: in bulk against `COPY` of the same rows, and one event after another.

In bulk it is what gather does with what it has read of a target's log: entries bound to their grant, three personal values each, and the
position behind them, in one transaction. `COPY` writes the same rows, personal values too, into tables without an index.
"""

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, transaction

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.checkpoints import public_keys
from audit.log.models import Event, PersonalValue, SealedEntry
from audit.sources.follower import Position
from audit.sources.ingest import Gathering, gathering
from audit.sources.records import Activity
from tests.audit.sources.logs import declare, open_grant
from tests.benchmarks import sealing
from tests.benchmarks.rows import Row, at_least, at_most, percentile
from tests.faults.programs import running
from tests.servers import wait_until

BATCH, BATCHES = 500, 40
RATE, SECONDS = 200, 20
COPY_BAR, DELAY_BAR_S = 0.10, 1.0
EVENT = ("id", "name", "at", "by", "case", "subject", "body")
VALUE = ("event_id", "field", "salt", "value")
COPIED = """
CREATE TABLE bench_event (id uuid, name text, at bigint, by text, "case" text, subject text, body bytea);
CREATE TABLE bench_value (event_id uuid, field text, salt bytea, value text);
"""
STATEMENT = (
    "UPDATE invoices SET state = 'queued', tried_at = now() WHERE id = {} AND state = 'stuck' -- ticket INC-2041"
)
SESSION = "67a.1"


def found(number: int) -> Activity:
    """One statement, as the reader of PostgreSQL's log finds it."""
    text = STATEMENT.format(number)
    return Activity(
        SESSION, number, number, 1_780_000_000_000 + number, zone_known=True, class_="data_change", at_least=False, outcome="no_error_seen",
        state_code="", statement=text, statement_length=len(text), object="invoices", raw_sha256="ab" * 32, raw_salt="cd" * 16,
    )  # fmt: skip


def reader_of(folder: Path) -> Gathering:
    """A source that is being followed, one session of a grant open on it."""
    source = declare(folder)
    open_grant(source, "bg_7")
    reader = gathering(source)
    reader.teller.logins[SESSION] = "bg_7"
    return reader


def ingest(batches: int, folder: Path) -> float:
    """Seconds to tell and keep in batches of 500, until a real sealer has sealed and published all of them."""
    reader = reader_of(folder)
    read = [[found(number * BATCH + place) for place in range(BATCH)] for number in range(batches)]
    wanted = Event.objects.count() + batches * BATCH
    begun = time.perf_counter()
    for number, batch in enumerate(read, 1):
        reader._keep(reader.teller.entries(batch), Position(name="a.json", inode=1, offset=number))
    wait_until(lambda: head(folder).size == wanted, "all to be published", 60)
    return time.perf_counter() - begun


def copy(batches: int) -> float:
    """Seconds to copy the same rows into tables of the same columns, each batch in a transaction of its own."""
    events = list(Event.objects.filter(name="activity.recorded").values_list(*EVENT))
    values = list(PersonalValue.objects.filter(event__name="activity.recorded").values_list(*VALUE))
    if (len(events), len(values)) != (batches * BATCH, batches * BATCH * 3):
        raise AssertionError(f"{len(events)} events with {len(values)} personal values were ingested.")
    with connection.cursor() as cursor:
        cursor.execute(COPIED)
    begun = time.perf_counter()
    for number in range(batches):
        with transaction.atomic():
            _copy("bench_event", events[number * BATCH : (number + 1) * BATCH])
            _copy("bench_value", values[number * BATCH * 3 : (number + 1) * BATCH * 3])
    took = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_event, bench_value")
    return took


def _copy(table: str, rows: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as into:
        for row in rows:
            into.write_row(row)


def in_bulk(batches: int) -> tuple[float, int]:
    """How fast ingest is against COPY, and how many entries were published."""
    with tempfile.TemporaryDirectory() as top, published_into(Path(top) / "log") as folder:
        took = ingest(batches, folder)
        size = head(folder).size
    return copy(batches) / took, size


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


def delays(rate: float, seconds: float, folder: Path) -> tuple[list[float], float]:
    """For each event, the seconds from its commit to the first sight of a published checkpoint that holds it; and the rate that was held."""
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
    took = [
        next(at for size, at in seen if size > index[identity]) - committed for identity, committed in written.items()
    ]
    return took, sealing.pace(written.values(), rate)


def one_by_one(rate: float, seconds: float) -> tuple[list[float], float]:
    """The delays under a real sealer that publishes, and the rate."""
    with tempfile.TemporaryDirectory() as top, published_into(Path(top) / "log") as folder:
        return delays(rate, seconds, folder)


def rows() -> list[Row]:
    """Three rows."""
    ratio, size = in_bulk(BATCHES)
    took, rate = one_by_one(RATE, SECONDS)
    connection.close()
    about = f"{len(took)} events at {rate:.1f}/s; median {percentile(took, 50):.2f} s, longest {max(took):.2f} s"
    each = f"{size} entries in batches of {BATCH}, three personal values each; COPY of their rows and values"
    return [
        at_least("bulk ingest to sealed and published, of COPY", ratio, COPY_BAR, beside=each),
        at_most("event to published checkpoint, p99", percentile(took, 99), DELAY_BAR_S, beside=about),
        sealing.held(rate, RATE),
    ]
