"""Hands that run grants' processes side by side: so many for one system's ends, so many for its openings, so that neither a target that
hangs nor openings that wait for the log's seal keep the hands from other ends.

What is at work is known by the grant's id and not begun twice in this process; other processes are kept off by the grant's lock.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from uuid import UUID

HANDS, FOR_ONE = 16, 4


@dataclass(frozen=True)
class Work:
    """One grant's process."""

    grant: UUID
    kind: tuple[UUID, str]  # the system, and what is done there
    run: Callable[[UUID], object]


@dataclass
class Lanes:
    """The hands of this process. They are made at the first use, so after a fork."""

    going: set[UUID] = field(default_factory=set)
    busy: Counter[tuple[UUID, str]] = field(default_factory=Counter)  # lanes in use
    lock: threading.Lock = field(default_factory=threading.Lock)
    hands: ThreadPoolExecutor | None = None

    def begin(self, works: Iterable[Work], done: Callable[[], None]) -> "list[Future[None]]":
        """Begin what is not at work and has a lane free; the rest comes with the next call. ``done`` is called by each hand at its end."""
        with self.lock:
            self.hands = self.hands or ThreadPoolExecutor(HANDS, thread_name_prefix="grant")
            lanes = self._lanes(works)
            return [self.hands.submit(copy_context().run, self._go_through, lane, done) for lane in lanes]

    def _lanes(self, works: Iterable[Work]) -> list[list[Work]]:
        by_kind: dict[tuple[UUID, str], list[Work]] = defaultdict(list)
        for work in works:
            if work.grant not in self.going:
                by_kind[work.kind].append(work)
        lanes = []
        for kind, waiting in by_kind.items():
            free = min(FOR_ONE - self.busy[kind], len(waiting))
            if free <= 0:
                continue
            self.busy[kind] += free
            self.going |= {work.grant for work in waiting}
            lanes += [waiting[place::free] for place in range(free)]
        return lanes

    def _go_through(self, lane: list[Work], done: Callable[[], None]) -> None:
        try:
            for work in lane:
                try:
                    work.run(work.grant)
                finally:
                    with self.lock:
                        self.going.discard(work.grant)
        finally:
            with self.lock:
                self.busy[lane[0].kind] -= 1
                self.going -= {work.grant for work in lane}
            done()


def wait_for(futures: "Iterable[Future[None]]", seconds: float) -> None:
    """Until all are done, or the time is over: who is slow goes on by itself."""
    wait(list(futures), timeout=seconds)
