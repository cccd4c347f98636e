"""A period pack of 100 cases with 20,000 activities: from the request to the signed file, the drawing process included."""

import resource
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psutil

from audit.log.append import Actor, now_ms
from audit.packs import jobs
from audit.packs.actions import request_pack
from audit.packs.models import Pack
from tests.audit.cases.written import hire_auditor
from tests.audit.packs.told import seal
from tests.benchmarks import made_cases
from tests.benchmarks.rows import Row, at_most
from tests.worlds import actor, make_world

CASES, ACTIVITIES = 100, 20_000
BAR_S, BAR_MB = 90.0, 800.0
DAYS_40 = 40 * 86_400_000


def rows() -> list[Row]:
    """Time and memory; how many pages and activities came of it stands beside."""
    world = make_world()
    hire_auditor(world)
    opened = CASES - len([number for number in range(CASES) if number % 7 == 3])
    made_cases.write(world, CASES, made_cases.BESIDE + -(-ACTIVITIES // opened))
    seal()
    pack = _asked(actor(world.vera), str(world.system.pk))
    before = psutil.Process().memory_info().rss / 1e6
    with _peak() as peak:
        started = time.monotonic()
        made = jobs.make(pack.pk)
        took = time.monotonic() - started
    pack.refresh_from_db()
    if not made:
        return [Row("pack", "not made", "", ok=False, beside=pack.trouble)]
    beside = (
        f"{pack.counts['cases']} cases, {pack.counts['activities']} activities, {pack.pages} pages, {pack.bytes / 1e6:.1f} MB,"
        f" {len(pack.results)} tests"
    )
    together = f"the worker and all that it starts, counted whole; the worker alone before it began {before:.0f} MB, the largest process {_largest():.0f} MB"
    return [
        at_most("pack of 100 cases, 20,000 activities", took, BAR_S, beside=beside),
        at_most("memory of all processes while it is made", peak[0], BAR_MB, "MB", beside=together),
    ]


def _asked(by: Actor, system: str) -> Pack:
    now = now_ms()
    return request_pack(
        by=by, start=now - DAYS_40, end=now, systems=[system], frameworks=["soc2", "iso27001"],
        purpose=f"A figure, measured as {uuid.uuid4()}",
    )  # fmt: skip


@contextmanager
def _peak() -> Iterator[list[float]]:
    """Resident memory of this process and its children together, at its highest (MB)."""
    highest, over = [0.0], Event()

    def watch() -> None:
        me = psutil.Process()
        while not over.wait(0.05):
            try:
                together = sum(each.memory_info().rss for each in (me, *me.children(recursive=True)))
                highest[0] = max(highest[0], together / 1e6)
            except psutil.NoSuchProcess:
                continue

    thread = Thread(target=watch)
    thread.start()
    try:
        yield highest
    finally:
        over.set()
        thread.join()


def _largest() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1000
