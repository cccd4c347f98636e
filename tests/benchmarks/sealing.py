"""From an event's commit to a signed checkpoint that holds it, at 200 events a second, with the real sealer process."""

import threading
import time

from django.db import connection, connections, transaction

from audit.log.append import append, process
from audit.log.checkpoints import latest, wait_for_inclusion
from audit.log.models import QueueEntry, SealedEntry
from tests.benchmarks.rows import Row, at_most, percentile
from tests.faults.programs import running
from tests.servers import wait_until

RATE, SECONDS, HANDS, BAR_S = 200, 20, 4, 1.5
OPENINGS, OPENING_BAR_S = 200, 0.7


def write_steadily(rate: float, seconds: float, written: dict[str, float]) -> None:
    """Commit so many events a second; `written` gets the time of each commit, by the event's id."""
    begun, by = time.monotonic(), process("bench")
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        with transaction.atomic():
            identity = append("person.added", by=by, person_id="p", name="Ada Lovelace", email="ada@example.org")
        written[str(identity)] = time.time()
    connections.close_all()


def watch_checkpoints(seen: list[tuple[int, float]], stop: threading.Event) -> None:
    """Note the time at which each signed size was first seen, its signature checked."""
    while not stop.is_set():
        found = latest()
        if found and (not seen or seen[-1][0] != found.size):
            seen.append((found.size, time.time()))
        stop.wait(0.01)
    connections.close_all()


def delays(rate: float, seconds: float) -> list[float]:
    """For each event, the seconds from its commit to the first sight of a checkpoint that holds it."""
    seen: list[tuple[int, float]] = []
    parts: list[dict[str, float]] = [{} for _ in range(HANDS)]
    stop = threading.Event()
    watcher = threading.Thread(target=watch_checkpoints, args=(seen, stop))
    writers = [threading.Thread(target=write_steadily, args=(rate / HANDS, seconds, part)) for part in parts]
    for thread in (watcher, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    written = {identity: at for part in parts for identity, at in part.items()}
    wait_until(lambda: not QueueEntry.objects.exists() and seen[-1][0] == SealedEntry.objects.count(), "the sealer", 60)
    stop.set()
    watcher.join()
    index = {str(event): place for event, place in SealedEntry.objects.values_list("event_id", "index")}
    return [
        next(at for size, at in seen if size > index[identity]) - committed for identity, committed in written.items()
    ]


def waits(times: int) -> list[float]:
    """What log-before-open adds to an opening: the seconds from the commit of an intent to the proof that it stands in the log."""
    took = []
    for _ in range(times):
        with transaction.atomic():
            identity = append(
                "person.added", by=process("bench"), person_id="p", name="Ada Lovelace", email="ada@example.org"
            )
        begun = time.perf_counter()
        wait_for_inclusion(identity, timeout_s=30)
        took.append(time.perf_counter() - begun)
    return took


def rows() -> list[Row]:
    """Two rows."""
    with running("sealer", role="sealer") as sealer:
        write_steadily(20, 1, {})
        wait_until(lambda: latest() is not None, f"the first checkpoint\n{sealer.said}", 60)
        took = delays(RATE, SECONDS)
        waited = waits(OPENINGS)
    connection.close()
    beside = f"{len(took)} events in {SECONDS} s; median {percentile(took, 50):.2f} s, longest {max(took):.2f} s"
    each = (
        f"{len(waited)} intents, one after another; median {percentile(waited, 50):.2f} s, longest {max(waited):.2f} s"
    )
    return [
        at_most("event to signed checkpoint, p99", percentile(took, 99), BAR_S, beside=beside),
        at_most("log before open, added wait, p99", percentile(waited, 99), OPENING_BAR_S, beside=each),
    ]
