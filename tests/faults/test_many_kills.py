"""`kill -9` of web, worker, watch, sealer and database in an order of chance, while people work: 300 kills in 15 parts by `make faults`.

Whatever was acknowledged is in the log once, indexes are dense, and each row of the business stands beside its event and the other way round.
"""

import contextlib
import http.client
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import psutil
import pytest

from audit.log.checkpoint import parse_checkpoint, parse_log_key
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from portal.embedded.processes import CouldNotStart
from tests.counting import Count
from tests.faults.visiting import Visitor
from tests.faults.whole import NAMES, House
from tests.servers import wait_until

KILLED = ("web", "worker", "watch", "sealer", "portal database")
SMALL, PARTS, KILLS = 1, 15, 20
# Rows of the business, the event that each has exactly once, and what of the event names the row: all that the load writes, and what its ends write.
FIELD = "convert_from(body, 'UTF8')::jsonb -> 'fields' ->> "
OF_GRANT = FIELD + "'grant_id'"
PAIRS = (
    ("portal_person", "person.added", FIELD + "'person_id'"),
    ("portal_signin", "signin.opened", FIELD + "'signin_id'"),
    ("portal_signin WHERE ended_at IS NOT NULL", "signin.ended", FIELD + "'signin_id'"),
    ("portal_accessrequest", "request.made", '"case"'),
    ("portal_grant", "grant.authorised", OF_GRANT),
    ("portal_grant WHERE opened_at IS NOT NULL", "grant.activated", OF_GRANT),
    ("portal_grant WHERE end_cause = 'returned'", "grant.returned", OF_GRANT),
    ("portal_grant WHERE end_cause = 'expired'", "grant.expired", OF_GRANT),
    ("portal_grant WHERE end_cause IN ('revoked', 'failed') AND state <> 'failed'", "grant.revoked", OF_GRANT),
    ("portal_grant WHERE state = 'failed'", "grant.failed", OF_GRANT),
    ("portal_grant WHERE state = 'ended'", "grant.ended", OF_GRANT),
    ("portal_review", "review.due", FIELD + "'review_id'"),
    ("portal_alert", "alert.queued", FIELD + "'alert_id'"),
    ("portal_alert WHERE sent_at IS NOT NULL", "alert.sent", FIELD + "'alert_id'"),
    ("portal_listing", "target.listed", FIELD + "'listing_id'"),
)  # fmt: skip
APART = """
WITH told AS (SELECT {key} AS key, count(*) AS times, max(at) AS last FROM audit_event WHERE name = '{event}' GROUP BY 1)
SELECT r.id::text, told.key, told.times FROM (SELECT id FROM {rows}) r FULL JOIN told ON told.key = r.id::text
WHERE CASE WHEN r.id IS NULL THEN told.last > {since} ELSE told.times IS DISTINCT FROM 1 END
"""
TIMES = "SELECT {key}, count(*) FROM audit_event WHERE name = '{event}' GROUP BY 1"
DENSE = """
SELECT (SELECT count(*) FROM audit_event) - (SELECT count(*) FROM audit_queue), min("index"), max("index") + 1, count(*) FROM audit_sealed_entry
"""
ADDED = """
SELECT v.value FROM audit_personal_value v JOIN audit_event e ON e.id = v.event_id WHERE e.name = 'person.added' AND v.field = 'email'
"""
# An answer that did not come, broke off, or came as an error.
BROKEN = (OSError, http.client.HTTPException, AssertionError)


@dataclass
class Load:
    """People who add people and open access all the time, and note what the portal acknowledged."""

    house: House
    number: int
    acknowledged: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    authorised: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    tried: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def has_more_than(self, before: int) -> bool:
        """Whether something was acknowledged since."""
        return len(self.acknowledged) > before

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """While the block runs."""
        threads = [threading.Thread(target=work) for work in (self._add_people, self._break_glass)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _visitor(self, persona: str) -> Visitor | None:
        try:
            return self.house.visitor(persona)
        except Exception:  # noqa: BLE001 - web or the database is down; again in a moment
            return None

    def _add_people(self) -> None:
        visitor = None
        while not self._stop.is_set():
            visitor = visitor or self._visitor("pia")
            if visitor is None:
                time.sleep(0.1)
                continue
            self.tried += 1
            email = f"many-{self.number}-{self.tried}@breakglass.example"
            try:
                page = visitor.post("/people/new/", {"name": f"Many {self.tried}", "email": email})
                if page.status == 200 and "One-time password for" in page.text:
                    self.acknowledged.append(email)
                elif page.status != 503:
                    visitor = None  # signed out, or its second factor is too old by now
                time.sleep(0.1)
            except BROKEN:
                time.sleep(0.05)

    def _break_glass(self) -> None:
        visitor = None
        while not self._stop.is_set():
            visitor = visitor or self._visitor("ann")
            try:
                if visitor is None:
                    time.sleep(0.1)
                    continue
                privilege = self.house.rows("SELECT id FROM portal_privilege WHERE on_target = 'shop_support'")[0][0]
                page = visitor.post(
                    f"/requests/bypass/?privilege={privilege}", {"criterion": "outage", "reason": "Payments hang."}
                )
                found = re.search(r"/requests/([0-9a-f-]{36})/", page.url)
                if page.status == 200 and found:
                    self.cases.append(found[1])
                    grant = self.house.rows("SELECT id FROM portal_grant WHERE request_id = %s", [found[1]])
                    self.authorised.append(str(grant[0][0]))
                    done = visitor.post(f"/grants/{grant[0][0]}/return/", page=page)
                    if done.status == 200 and done.url == page.url:  # a refusal is a page of the address that was asked
                        self.returned.append(str(grant[0][0]))
            except Exception:  # noqa: BLE001 - whatever part is down; what was acknowledged before counts
                time.sleep(0.05)


def kill_all(house: House, name: str) -> None:
    """As `kill -9` of every process of a part; PostgreSQL's own are in groups of their own."""
    children = psutil.Process(house.pid(name)).children(recursive=True)
    house.kill(name)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=90)


def start_again(house: House, name: str) -> None:
    """As a supervisor would; a database that recovers may need a second try."""
    end = time.monotonic() + 90
    while True:
        try:
            house.start(name)
        except (AssertionError, CouldNotStart, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return


def strike(house: House, number: int, kills: int) -> Counter[str]:
    """So many kills under load, by the chance of this number; what was hit."""
    since = int(str(house.rows("SELECT coalesce(max(at), 0) FROM audit_event")[0][0]))
    chance = random.Random(f"kills {number}")
    load, hit = Load(house, number), Counter[str]()
    with load.running():
        wait_until(lambda: len(load.acknowledged) > 1, "work to begin", 120)
        for _ in range(kills):
            name = chance.choice(KILLED)
            before, pause = len(load.acknowledged), chance.random() / 2
            wait_until(partial(load.has_more_than, before), "work to go on", 180)
            time.sleep(pause)  # the moment of the kill is chance, not a condition
            kill_all(house, name)
            hit[name] += 1
            for each in (name, *NAMES):
                start_again(house, each)
        before = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > before + 1, "work to go on after the last kill", 180)
    settle(house)
    hold(house, load, since)
    return hit


def settle(house: House) -> None:
    """Everything is sealed, and nothing is left half open or half ended."""
    half = "SELECT count(*) FROM portal_grant WHERE state IN ('authorised', 'opening', 'closing')"
    house.rows("UPDATE portal_grant SET next_try_at = now() WHERE next_try_at IS NOT NULL RETURNING id")
    wait_until(lambda: house.rows(half) == [(0,)], "every grant to be open or ended", 180)
    wait_until(lambda: house.rows("SELECT count(*) FROM audit_queue") == [(0,)], "everything to be sealed", 60)


def hold(house: House, load: Load, since: int) -> None:
    """Hold what was acknowledged, the log and the tables against each other; each question sees one moment, for the portal works on.

    Every row has its event; every event since then (ms) has its row: who lived in the house before may have taken rows of their own away.
    """
    added = Counter(str(row[0]) for row in house.rows(ADDED))
    assert {email: added[email] for email in load.acknowledged} == dict.fromkeys(load.acknowledged, 1)
    promised = (
        (load.cases, "request.made", '"case"'),
        (load.authorised, "grant.authorised", OF_GRANT),
        (load.returned, "grant.returned", OF_GRANT),
    )
    for keys, event, key in promised:
        times = {row[0]: row[1] for row in house.rows(TIMES.format(key=key, event=event))}
        assert {each: times.get(each) for each in keys} == dict.fromkeys(keys, 1), event
    (counted,) = house.rows(DENSE)
    assert counted == (counted[0], 0, counted[0], counted[0])
    asked = {(rows, event): APART.format(rows=rows, event=event, key=key, since=since) for rows, event, key in PAIRS}
    assert {pair: house.rows(query) for pair, query in asked.items()} == {pair: [] for pair in asked}


def published_is_whole(house: House) -> None:
    """The stand-alone verifier finds no damage in what was published meanwhile."""
    wanted, folder = Wanted([parse_log_key(house.state.log_public_key)]), Folder(house.state.log_store)
    (sealed,) = house.rows("SELECT count(*) FROM audit_sealed_entry")[0]
    wait_until(lambda: _published(house) >= int(str(sealed)), "all to be published", 60)
    verdict, _ = check(folder, wanted)
    assert (verdict.damages, verdict.size >= int(str(sealed))) == ([], True)


def _published(house: House) -> int:
    return parse_checkpoint((house.state.log_store / "checkpoint").read_bytes()).checkpoint.size


def test_work_goes_on_and_nothing_acknowledged_is_lost_through_a_kill(house: House) -> None:
    assert strike(house, -1, SMALL) == {"portal database": SMALL}
    published_is_whole(house)


@pytest.mark.faults
@pytest.mark.parametrize("number", range(1, PARTS + 1))
def test_work_goes_on_and_nothing_acknowledged_is_lost_through_300_kills(
    house: House, number: int, count: Count
) -> None:
    hit = strike(house, number, KILLS)
    published_is_whole(house)
    assert hit.total() == KILLS
    count(f"part {number} of {PARTS}: {dict(hit)}")
