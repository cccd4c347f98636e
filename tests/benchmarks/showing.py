"""From a statement on a real target to the case page, at 200 statements a second, with the real gatherer."""

import multiprocessing
import re
import time
from typing import Any

import psycopg
from django.db import connections

from audit.cases.reading import record_of, with_statements
from audit.log.heartbeats import last_beat
from portal.grants.models import Grant
from tests.benchmarks.rows import Row, at_most, percentile
from tests.faults.programs import running
from tests.faults.shops import address, declare_source, make_shop, open_anyhow
from tests.servers import Postgres, running_target, wait_until
from tests.worlds import World, sealing

RATE, SECONDS, BAR_S = 200, 20, 5.0
ASKS_EVERY_S = 3.0  # as the part of the page does that shows the statements
NUMBER = re.compile(r"AS n(\d+)")


def _work(way_in: str, rate: float, count: int, sent: Any) -> None:
    """So many statements a second, each with its number; `sent` gets the time at which each was sent, then nothing."""
    times = {}
    with psycopg.connect(way_in, autocommit=True) as session:
        begun = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            times[number] = time.time()
            session.execute(f"SELECT total_cents AS n{number} FROM shop.orders WHERE id = {number % 4000 + 1}".encode())
    sent.put(times)


def delays(target: Postgres, world: World, grant: Grant, rate: float, seconds: float) -> list[float]:
    """For each statement, the seconds until it stood on the page's list, which asks for what is new every three seconds."""
    count = int(rate * seconds)
    way_in = address(target, grant, world)
    connections.close_all()
    forking = multiprocessing.get_context("fork")
    sent: Any = forking.Queue()
    worker = forking.Process(target=_work, args=(way_in, rate, count, sent))
    worker.start()
    seen: dict[int, float] = {}
    known: set[str] = set()

    opened = time.monotonic()

    def look() -> bool:
        time.sleep(ASKS_EVERY_S - (time.monotonic() - opened) % ASKS_EVERY_S)
        record = record_of(grant.request_id)
        at = time.time()
        fresh = [each for each in record.case.activities if each.id not in known] if record else []
        known.update(each.id for each in fresh)
        for each in with_statements(fresh):
            found = NUMBER.search(each.statement)
            if found:
                seen.setdefault(int(found[1]), at)
        return len(seen) == count

    wait_until(look, "all statements to be shown", 60 + seconds * 6)
    times: dict[int, float] = sent.get()
    worker.join()
    return [seen[number] - at for number, at in times.items()]


def rows() -> list[Row]:
    """One row."""
    with running_target() as target, sealing():
        world = make_shop(target)
        declare_source(target, world)
        grant = open_anyhow(world)
        with running("gather"):
            # A gatherer runs long before a grant is opened: how long its process takes to start is no part of the figure.
            wait_until(lambda: last_beat("gather") is not None, "the gatherer to be at work", 60)
            took = delays(target, world, grant, RATE, SECONDS)
    longest = max(range(len(took)), key=took.__getitem__)
    beside = f"{len(took)} statements in {SECONDS} s; median {percentile(took, 50):.2f} s"
    beside += f", longest {took[longest]:.2f} s (number {longest})"
    return [
        at_most("statement on the target to visible on the case page, p99", percentile(took, 99), BAR_S, beside=beside)
    ]
