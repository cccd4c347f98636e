"""Times of entries that cannot be, since some clock went wrong. A note, and no damage: an entry is what it was, whatever time it says.

Whoever writes an event says when. Afterwards the sealer says when it signed, witnesses when they cosigned, and an authority what time it was: none
of them saw an entry before it was written. The entries themselves are in the order in which they were queued.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from audit.log.checkpoint import MAX_SIZE
from audit.log.cosignature import CosignerKey
from audit.log.models import Cosignature, StoredCheckpoint, Timestamp
from audit.log.read import SKEW_MS
from audit.log.report import Report

CHUNK = 2000
Seen = tuple[int, int]
"""How many entries somebody saw, and when (ms)."""


class Times:
    """Looks at each entry in turn.

    Args:
        report: Where it is noted.
        seen: What each saw that has a clock of its own, by size.
    """

    def __init__(self, report: Report, seen: Iterable[Iterator[Seen]]) -> None:
        """Begin with the smallest sizes."""
        self._report, self._latest = report, 0
        self._seen = [(each, next(each, None)) for each in seen]
        self._within: int = 0
        self._before: float = inf  # when (ms) all entries below that index had been seen

    def look(self, index: int, at: int) -> None:
        """Note an entry that was written after it was seen, or long before one that stands before it."""
        if index >= self._within:
            self._go_to(index)
        if at > self._before + SKEW_MS:
            self._report.times_ahead += 1
        elif at < self._latest - SKEW_MS:
            self._report.times_back += 1
        else:
            self._latest = max(self._latest, at)
            return
        if self._report.time_wrong is None:
            self._report.time_wrong = index

    def _go_to(self, index: int) -> None:
        """The first size of each that the entry is within."""
        self._seen = [_beyond(index, each, first) for each, first in self._seen]
        left = [first for _, first in self._seen if first is not None]
        self._within = min((size for size, _ in left), default=MAX_SIZE)
        self._before = min((at for _, at in left), default=inf)


def _beyond(index: int, seen: Iterator[Seen], first: Seen | None) -> tuple[Iterator[Seen], Seen | None]:
    while first is not None and first[0] <= index:
        first = next(seen, None)
    return seen, first


def seen(witnesses: Sequence[CosignerKey]) -> list[Iterator[Seen]]:
    """What the sealer signed, what each of these witnesses cosigned, and what an authority stamped."""
    signed = StoredCheckpoint.objects.order_by("size").values_list("size", "signed_at")
    stamped = Timestamp.objects.filter(size__isnull=False).order_by("size").values_list("size", "at")
    of_us = (((size or 0, at) for size, at in rows.iterator(chunk_size=CHUNK)) for rows in (signed, stamped))
    return [*of_us, *(_cosigned(key) for key in witnesses)]


def _cosigned(witness: CosignerKey) -> Iterator[Seen]:
    rows = Cosignature.objects.filter(witness=witness.text()).order_by("size").values_list("size", "signed_at")
    return ((size, at * 1000) for size, at in rows.iterator(chunk_size=CHUNK))
