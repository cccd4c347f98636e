"""What a pack or a report says of entries that were cut under retention: silence is never no activity."""

from collections.abc import Sequence
from dataclasses import dataclass

from audit.events.retention import DAY_MS
from audit.log.cuts import carried_out
from audit.log.said import Cut
from audit.packs.filters import day

WHOLE, PART, BEFORE = "whole", "part", "before"


@dataclass(frozen=True)
class Gone:
    """The cuts up to now, and how much of a period lies behind them: the whole of it, a part, or nothing (they lie before it)."""

    cuts: Sequence[Cut]
    reach: str

    @property
    def minimum(self) -> int:
        """The index from which on all entries are there."""
        return self.cuts[-1].minimum

    @property
    def last_at(self) -> int:
        """When the last of those that are gone was written (ms)."""
        return max(cut.to_at for cut in self.cuts)

    @property
    def rows(self) -> list[tuple[Cut, int]]:
        """Each cut, with the days for which its entries were kept at least."""
        return [(cut, (cut.keep_until - cut.to_at) // DAY_MS) for cut in self.cuts]

    @property
    def touches(self) -> bool:
        """Whether something of the period may be missing."""
        return self.reach != BEFORE


def gone_of(cuts: Sequence[Cut], start: int, end: int) -> Gone | None:
    """What is to be said of a period, from ``start`` up to, not including, ``end`` (ms); nothing where the log was never cut."""
    if not cuts:
        return None
    touched = [cut for cut in cuts if cut.from_at < end and cut.to_at >= start]
    whole = bool(touched) and max(cut.to_at for cut in touched) >= end - 1
    return Gone(cuts, WHOLE if whole else PART if touched else BEFORE)


def sentence() -> str:
    """What is added where the log knows something no more: empty while nothing was cut."""
    cuts = carried_out()
    if not cuts:
        return ""
    last = cuts[-1]
    return (
        f" What stood before entry {last.minimum} was cut on {day(last.at)} under retention; it may have stood there."
    )
