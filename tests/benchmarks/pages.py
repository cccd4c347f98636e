"""List and case pages with 50,000 events and 1,000 cases: time in the server, middleware and templates included."""

import time
from collections.abc import Sequence

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.cases.projection import catch_up
from audit.log.models import Event, QueueEntry
from tests.audit.cases.written import hire_auditor
from tests.benchmarks import made_cases
from tests.benchmarks.rows import Row, at_most, percentile
from tests.factories import client_of
from tests.servers import wait_until
from tests.worlds import make_world, sealing

CASES, EVENTS, LOOKS, BAR_MS = 1000, 50_000, 100, 150.0
PAGES = {
    "list of cases": "/cases/?page={page}",
    "list, searched": "/cases/?q=node+{number}",
    "list, narrowed": "/cases/?status=reviewed&person=Ann&page={page}",
    "page of a case": "/cases/{case}/",
    "activity part": "/cases/{case}/activity/",
    "the log": "/log/?before={before}",
    "an entry of the log": "/log/{before}/",
}


def rows() -> list[Row]:
    """One row for each kind of page, and one for the number of queries."""
    world = make_world()
    hire_auditor(world)
    made_cases.write(world, 1)
    with sealing():
        _settle()
        viewer = client_of(world.vera)
        few = _queries(viewer)
        ids = made_cases.write(world, CASES, EVENTS // CASES * 7 // 6 + 1, first=1)
        _settle()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        many = _queries(viewer)
        took = {name: _times(viewer, address, ids) for name, address in PAGES.items()}
    beside = f"{Event.objects.count()} events, {CASES} cases"
    found = [
        at_most(
            f"{name}, p95", percentile(each, 95), BAR_MS, "ms", beside=f"{beside}; median {percentile(each, 50):.0f} ms"
        )
        for name, each in took.items()
    ]
    return [*found, Row("queries of the list: 1 case, 50 cases", f"{few}, {many}", "the same", few == many)]


def _settle() -> None:
    wait_until(lambda: not QueueEntry.objects.exists(), "the sealer", 300)
    while catch_up():
        pass


def _queries(viewer: Client) -> int:
    viewer.get("/cases/")
    with CaptureQueriesContext(connection) as captured:
        viewer.get("/cases/")
    return len(captured)


def _times(viewer: Client, address: str, ids: Sequence[str]) -> list[float]:
    """Milliseconds of so many looks, each at something else; the first, in which code is loaded, is left out."""
    took = []
    for look in range(LOOKS + 1):
        place = look * 9 % len(ids)
        url = address.format(page=look % 20 + 1, number=place, case=ids[place], before=place * 40 + 60)
        begun = time.perf_counter()
        answer = viewer.get(url)
        took.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (url, answer.status_code)
    return took[1:]
