"""The page of a review with 50,000 actions: the server's first answer, and each of the parts that follow it.

Beside the time that passed stands the time that this process computed: on a machine that does other things too, they lie apart.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from itertools import islice

from django.db import connection, transaction
from django.db.models import Min
from django.test import Client

from audit.cases.acts_following import catch_up
from audit.cases.models import ActRow
from audit.log.append import Entry, append_many, now_ms, process
from audit.log.models import QueueEntry
from audit.log.read import size
from portal.reviews import accepting
from portal.reviews.models import Review
from tests.benchmarks.made_cases import KINDS, STATEMENT
from tests.benchmarks.rows import Row, at_most, percentile
from tests.browsing import browser_of
from tests.portal.reviews.used import grant_of, taken
from tests.servers import wait_until
from tests.worlds import actor, make_world, sealing

ACTIONS, SESSIONS, BATCH, LOOKS, BAR_MS, LEAST_BYTES = 50_000, 40, 1000, 40, 300.0, 4000
GATHER = process("gather")
NAMES = uuid.UUID(int=0x5E55)


def _entries(review: Review) -> Iterator[Entry]:
    grant, at = grant_of(review), now_ms() - 3_600_000
    known = {"source_id": str(uuid.UUID(int=9)), "system_id": grant.system_id, "grant_id": grant.pk}
    sessions = [str(uuid.uuid5(NAMES, str(number))) for number in range(SESSIONS)]

    def say(name: str, **fields: object) -> Entry:
        return Entry(name, GATHER, {**known, **fields}, str(grant.request_id), f"grant:{grant.pk}", at)

    for number, session in enumerate(sessions):
        yield say("session.started", session_id=session, source_session=f"67a.{number}", login=grant.login, database="billing", remote="10.2.3.4",
                  started_at=at, received_at=at)  # fmt: skip
    for number in range(ACTIONS):
        kind, outcome = KINDS[number % 5]
        yield say("activity.recorded", activity_id=str(uuid.uuid5(NAMES, f"act {number}")), session_id=sessions[number % SESSIONS],
                  person_id=grant.person_id, privilege_id=grant.privilege_id, **{"class": kind}, at_least=False, outcome=outcome,
                  happened_at=at + number * 10, zone_known=True, received_at=at + number * 10, source_number=number, last_number=number,
                  statement=STATEMENT.format(number), statement_length=len(STATEMENT), object="invoices", raw_sha256="ab" * 32,
                  raw_salt="cd" * 32)  # fmt: skip


def _write(review: Review) -> None:
    told = _entries(review)
    while some := list(islice(told, BATCH)):
        with transaction.atomic():
            append_many(some)


def rows() -> list[Row]:
    """One row for the page, one for each part of it, one for accepting a class at once."""
    world = make_world()
    review = taken(world)
    with sealing():
        _write(review)
        wait_until(lambda: not QueueEntry.objects.exists(), "the sealer", 300)
    begun = time.perf_counter()
    while catch_up():
        pass
    followed = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    kim, case = browser_of(world.kim), review.log_case
    session = str(uuid.uuid5(NAMES, "1"))
    first_at = ActRow.objects.filter(case=case).aggregate(first=Min("at"))["first"]
    parts: dict[str, Callable[[int], str]] = {
        "first answer of the review page": lambda _: f"/reviews/{review.pk}/",
        "part: groups": lambda _: f"/cases/{case}/acts/?review={review.pk}",
        "part: to be looked at first": lambda look: f"/cases/{case}/acts/rows/?only=attention&after=0-{first_at + look * 10_000}-0",
        "part: rows of a group": lambda look: f"/cases/{case}/acts/rows/?session={session}&kind=data_change&after=1-{first_at + look * 10_000}-0",
        "page without script": lambda _: f"/reviews/{review.pk}/acts/?only=attention",
    }  # fmt: skip
    beside = f"{ACTIONS} actions in {SESSIONS} sessions; followed in {followed:.1f} s"
    found = [_row(kim, name, address, beside) for name, address in parts.items()]
    begun = time.perf_counter()
    kept = accepting.accept_group(
        by=actor(world.kim), review=review, kind="schema_change", upto=size(), note="All of them."
    )
    took = (time.perf_counter() - begun) * 1000
    again = _row(kim, "part: groups, a class accepted", parts["part: groups"], beside)
    return [*found, at_most(f"accepting {kept.count} actions at once", took, 3000, "ms"), again]


def _row(viewer: Client, name: str, address: Callable[[int], str], beside: str) -> Row:
    """Milliseconds of so many looks; the first, in which code is loaded, is left out."""
    took, computed = [], []
    for look in range(LOOKS + 1):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        answer = viewer.get(address(look))
        took.append((time.perf_counter() - begun) * 1000)
        computed.append((time.process_time() - begun_cpu) * 1000)
        assert answer.status_code == 200, (name, answer.status_code)
        assert len(answer.content) > LEAST_BYTES, f"{name}: nothing to show"
    median, cpu = percentile(took[1:], 50), percentile(computed[1:], 95)
    said = f"{beside}; median {median:.0f} ms; computed in this process, p95 {cpu:.0f} ms"
    return at_most(f"{name}, p95", percentile(took[1:], 95), BAR_MS, "ms", beside=said)
