"""The last statement that a real target accepts after a grant's end, with the portal at work and with the portal dead."""

import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg

from portal.clock import ms, now
from portal.grants.models import Grant
from tests.benchmarks.rows import Row, at_most
from tests.faults.programs import running
from tests.faults.shops import address, end_at, live_logins, make_shop, open_anyhow
from tests.servers import Postgres, running_target, wait_until
from tests.worlds import World, sealing

TIMES, AHEAD, BAR_S = 5, timedelta(seconds=3), 1.0


@dataclass
class Responder:
    """Two busy sessions, and new logins again and again. `accepted`: when the last statement of any came back with its answer."""

    way_in: str
    accepted: float = 0.0
    counted: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def at_work(self) -> list[threading.Thread]:
        """Begin."""
        threads = [
            threading.Thread(target=self._busy),
            threading.Thread(target=self._busy),
            threading.Thread(target=self._again),
        ]
        for thread in threads:
            thread.start()
        return threads

    def _busy(self) -> None:
        try:
            with psycopg.connect(self.way_in, autocommit=True) as session:
                while not self.stop.is_set():
                    self._one(session)
        except psycopg.OperationalError:
            return

    def _again(self) -> None:
        while not self.stop.wait(0.05):
            try:
                with psycopg.connect(self.way_in, autocommit=True) as session:
                    self._one(session)
            except psycopg.OperationalError:
                continue

    def _one(self, session: psycopg.Connection) -> None:
        session.execute("SELECT id FROM shop.orders WHERE id = 7")
        self.accepted, self.counted = max(self.accepted, time.time()), self.counted + 1


def overrun(target: Postgres, world: World) -> tuple[float, int]:
    """Seconds from the end to the last accepted statement, and how many were accepted at all."""
    grant = open_anyhow(world)
    responder = Responder(address(target, grant, world))
    threads = responder.at_work()
    wait_until(lambda: responder.counted > 50, "the responder to be busy")
    end_at(grant, now() + AHEAD)
    assert grant.expires_at
    time.sleep(max(0.0, ms(grant.expires_at) / 1000 + 3 - time.time()))
    responder.stop.set()
    for thread in threads:
        thread.join()
    return responder.accepted - ms(grant.expires_at) / 1000, responder.counted


def rows() -> list[Row]:
    """With `manage.py watch`, then with no process of the portal at all: only what lives on the target itself."""
    found = []
    with running_target() as target, sealing():
        world = make_shop(target)
        for name, portal in (
            ("the portal at work", running("watch", "--only", "sweep", "watchdogs")),
            ("the portal dead", nullcontext()),
        ):
            with portal:
                over = [overrun(target, world) for _ in range(TIMES)]
            worst, counted = max(each for each, _ in over), sum(number for _, number in over)
            beside = f"longest of {TIMES} ends; {counted} statements of two busy sessions and of new logins"
            found.append(at_most(f"last statement accepted after the end, {name}", worst, BAR_S, beside=beside))
        assert Grant.objects.filter(state="active").count() == TIMES, live_logins(target)
    return found
