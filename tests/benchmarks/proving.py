"""Inclusion proofs at two million entries, as the portal makes them: of entries anywhere in the log, checked before they are believed.

Cold is what the first to ask after a restart gets, warm everybody after; both are held to the same bar. On a machine that others load, the
99th of a hundred waits for a processor longer than its proof takes: so the load and the processor time of a proof stand beside each figure.
"""

import os
import random
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.db import connection

from audit.log import checkpoints
from tests.benchmarks.grown import event_at, grow, superuser
from tests.benchmarks.rows import Row, at_most, percentile
from tests.benchmarks.taken import taken
from tests.benchmarks.verifying import SIZE

ASKED, BAR_MS = 1000, 5.0


def anywhere(size: int, count: int, seed: int) -> list[int]:
    """So many places of the log, none twice; the same for the same seed."""
    return random.Random(seed).sample(range(size), count)


def asked(places: Iterable[int]) -> list[float]:
    """Milliseconds for the proof of each of these entries, all queries and checks included."""
    took = []
    for place in places:
        begun = time.perf_counter()
        found = checkpoints.inclusion(event_at(place))
        took.append((time.perf_counter() - begun) * 1000)
        if found is None or found.index != place:
            raise AssertionError(f"Entry {place} is not in the log, or stands at another place.")
    return took


def forget_files() -> None:
    """Let the machine forget what it has read of the database's files; what the server itself keeps in its 128 MB is the last of a gigabyte."""
    with superuser() as own:
        own.execute("CHECKPOINT")
        ((folder,),) = own.execute("SHOW data_directory").fetchall()
    for path in (each for each in (Path(folder) / "base").rglob("*") if each.is_file()):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
    connection.close()


def rows() -> list[Row]:
    """Two rows."""
    grow(SIZE)
    asked(anywhere(SIZE, 20, 1))  # the code is loaded
    places = anywhere(SIZE, ASKED, 2)
    forget_files()
    checkpoints.latest()  # connected again
    return [_row("cold", places), _row("warm", places)]


def _row(how: str, places: Sequence[int]) -> Row:
    with taken() as all_of_it:
        took = asked(places)
    within = sum(each <= BAR_MS for each in took) / len(took)
    beside = f"{len(took)} entries anywhere in it; median {percentile(took, 50):.2f} ms, longest {max(took):.1f} ms"
    beside += f"; within {BAR_MS:g} ms: {within:.1%}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    if all_of_it.cpu is not None:
        beside += f"; processor time of a proof {all_of_it.cpu / len(took) * 1000:.2f} ms"
    return at_most(f"inclusion proof at {SIZE} entries, {how}, p99", percentile(took, 99), BAR_MS, "ms", beside=beside)
