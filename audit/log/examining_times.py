"""Times of entries that cannot be, and times that run back. Notes, and no damage: an entry is what it was, whatever time it says.

Whoever writes an event says when. Afterwards the sealer says when it signed, witnesses when they cosigned, and an authority what time it was: none
of them saw an entry before it was written. An entry may have waited to be sealed for as long as it likes, so an early time alone is none that
cannot be.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from django.db.models import OuterRef, Subquery

from audit.log.checkpoint import MAX_SIZE
from audit.log.cosignature import CosignerKey
from audit.log.examining_witnesses import cosigned_at
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.read import SKEW_MS, named
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
        """Note an entry that says that it was written after it was seen, or long before one that stands before it."""
        report = self._report
        if index >= self._within:
            self._go_to(index)
        if at > self._before + SKEW_MS:
            report.times_ahead += 1
            report.time_ahead = index if report.time_ahead is None else report.time_ahead
        elif at < self._latest - SKEW_MS:
            report.times_back += 1
            report.time_back = index if report.time_back is None else report.time_back
        else:
            self._latest = max(self._latest, at)

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


def seen(witnesses: Sequence[CosignerKey], stamped: Iterable[Seen]) -> list[Iterator[Seen]]:
    """What the sealer signed, what each of these witnesses cosigned, and what an authority stamped.

    Args:
        witnesses: Whose lines are believed, where they verify.
        stamped: What timestamps say that verify. Their rows, which the web server may write, are not asked.
    """
    return [_signed(), iter(sorted(stamped)), *(_cosigned(key) for key in witnesses)]


def _signed() -> Iterator[Seen]:
    """Without those that came back from what is published: their row has the time of their last entry, since nobody knows when they were signed."""
    came_back = [event.fields.get("last") for event in named(["log.recovered"])]
    sizes = [last + 1 for last in came_back if isinstance(last, int)]
    rows = StoredCheckpoint.objects.exclude(size__in=sizes).order_by("size").values_list("size", "signed_at")
    return rows.iterator(chunk_size=CHUNK)


def _cosigned(witness: CosignerKey) -> Iterator[Seen]:
    note = Subquery(StoredCheckpoint.objects.filter(size=OuterRef("size")).values("note")[:1])
    kept = Cosignature.objects.filter(witness=witness.text()).annotate(text=note).order_by("size")
    for size, line, text in kept.values_list("size", "line", "text").iterator(chunk_size=CHUNK):
        if at := cosigned_at(witness, text or "", line):
            yield size, at * 1000
