"""Hands that run grants' processes side by side. Whoever uses them has hands of their own for ends, which wait for nothing else.

A system has up to four lanes of a kind while half of the hands are free; from then on only those that have none begin one. So it takes as
many targets that hang as half of the hands, and not a few of them with many grants, to keep another system waiting.

What is at work is known by the grant's id and not begun twice in this process; other processes are kept off by the grant's lock.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from uuid import UUID

FOR_ONE = 4


@dataclass(frozen=True)
class Work:
    """One grant's process."""

    grant: UUID
    kind: tuple[UUID, str]  # the system, and what is done there
    run: Callable[[UUID], object]


@dataclass
class Lanes:
    """The hands of this process. They are made at the first use, so after a fork."""

    count: int = 16
    for_one: int = FOR_ONE
    going: set[UUID] = field(default_factory=set)
    busy: Counter[tuple[UUID, str]] = field(default_factory=Counter)  # lanes in use
    lock: threading.Lock = field(default_factory=threading.Lock)
    hands: ThreadPoolExecutor | None = None

    def begin(self, works: Iterable[Work], done: Callable[[], None]) -> "list[Future[None]]":
        """Begin what is not at work and has a lane free; the rest comes with the next call, and nothing queues for a hand.

        ``done`` is called by each hand at its end.
        """
        with self.lock:
            self.hands = self.hands or ThreadPoolExecutor(self.count, thread_name_prefix="grant")
            lanes = self._lanes(works)
            return [self.hands.submit(copy_context().run, self._go_through, lane, done) for lane in lanes]

    def _lanes(self, works: Iterable[Work]) -> list[list[Work]]:
        by_kind: dict[tuple[UUID, str], list[Work]] = defaultdict(list)
        for work in works:
            if work.grant not in self.going:
                by_kind[work.kind].append(work)
        lanes = []
        for kind, waiting in by_kind.items():
            free = self._take(kind, len(waiting))
            if free:
                self.going |= {work.grant for work in waiting}
                lanes += [waiting[place::free] for place in range(free)]
        return lanes

    def _take(self, kind: tuple[UUID, str], wanted: int) -> int:
        """Take as many lanes for a kind as there are for it now."""
        taken = 0
        while taken < wanted and self.busy[kind] < self.for_one:
            usable = self.count // 2 if self.busy[kind] else self.count
            if self.busy.total() >= usable:
                break
            self.busy[kind] += 1
            taken += 1
        return taken

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
