"""From an event's commit to a signed checkpoint that holds it, at 200 events a second, with the real sealer process, which publishes too."""

import tempfile
import threading
import time
from collections.abc import Collection

from django.db import connection, connections, transaction

from audit.log.append import append, process
from audit.log.checkpoints import latest, wait_for_inclusion
from audit.log.models import QueueEntry, SealedEntry
from tests.benchmarks.rows import Row, at_least, at_most, percentile
from tests.faults.programs import running
from tests.servers import wait_until

RATE, SECONDS, HANDS, BAR_S = 200, 20, 4, 1.0
HELD = 0.99  # of the rate: what is missing is the last of each writer
OPENINGS, OPENING_BAR_S, BUSY_SECONDS = 200, 0.7, 40


def write_steadily(rate: float, seconds: float, written: dict[str, float]) -> None:
    """Commit so many events a second; `written` gets the time of each commit, by the event's id."""
    begun, by = time.monotonic(), process("bench")
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, begun + number / rate - time.monotonic()))
        with transaction.atomic():
            identity = append("person.added", by=by, person_id="p", name="Ada Lovelace", email="ada@example.org")
        written[str(identity)] = time.time()
    connections.close_all()


def pace(commits: Collection[float], rate: float) -> float:
    """Events a second that were really committed, by their times (s); a writer that could not follow shows here."""
    return len(commits) / (max(commits) - min(commits) + HANDS / rate)


def held(reached: float, rate: float) -> Row:
    """That the load was the one that is named, without which the delays under it say nothing."""
    return at_least(f"the {rate} events a second of this load, held", reached, rate * HELD, "/s")


def watch_checkpoints(seen: list[tuple[int, float]], stop: threading.Event) -> None:
    """Note the time at which each signed size was first seen, its signature checked."""
    while not stop.is_set():
        found = latest()
        if found and (not seen or seen[-1][0] != found.size):
            seen.append((found.size, time.time()))
        stop.wait(0.01)
    connections.close_all()


def delays(rate: float, seconds: float) -> tuple[list[float], float]:
    """For each event, the seconds from its commit to the first sight of a checkpoint that holds it; and the rate that was held."""
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
    took = [
        next(at for size, at in seen if size > index[identity]) - committed for identity, committed in written.items()
    ]
    return took, pace(written.values(), rate)


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


def waits_under_load(rate: float, seconds: float) -> tuple[list[float], float]:
    """The same while others write so many events a second; and the rate that was held."""
    parts: list[dict[str, float]] = [{} for _ in range(HANDS)]
    writers = [threading.Thread(target=write_steadily, args=(rate / HANDS, seconds, part)) for part in parts]
    for thread in writers:
        thread.start()
    took: list[float] = []
    while any(thread.is_alive() for thread in writers):
        took += waits(1)
    return took, pace([at for part in parts for at in part.values()], rate)


def rows() -> list[Row]:
    """Five rows."""
    with tempfile.TemporaryDirectory() as top, running("sealer", role="sealer", environment={"PORTAL_LOG_STORE": f"{top}/log"}) as sealer:  # fmt: skip
        write_steadily(20, 1, {})
        wait_until(lambda: latest() is not None, f"the first checkpoint\n{sealer.said}", 60)
        took, rate = delays(RATE, SECONDS)
        waited = waits(OPENINGS)
        busy, busy_rate = waits_under_load(RATE, BUSY_SECONDS)
    connection.close()
    beside = f"{len(took)} events at {rate:.1f}/s; median {percentile(took, 50):.2f} s, longest {max(took):.2f} s"
    return [
        at_most("event to signed checkpoint, p99", percentile(took, 99), BAR_S, beside=beside),
        held(rate, RATE),
        _wait("log before open, added wait, p99", waited),
        _wait(f"log before open at {RATE} events a second, added wait, p99", busy),
        held(busy_rate, RATE),
    ]


def _wait(name: str, waited: list[float]) -> Row:
    each = (
        f"{len(waited)} intents, one after another; median {percentile(waited, 50):.2f} s, longest {max(waited):.2f} s"
    )
    return at_most(name, percentile(waited, 99), OPENING_BAR_S, beside=each)
