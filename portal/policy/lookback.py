"""What a proposed version would have done to what happened: the words that each room answers in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

DAYS = 90


@dataclass(frozen=True)
class Would:
    """One thing that would have gone otherwise. ``what`` is the same sentence for all cases that it befalls."""

    case_id: UUID
    at: datetime
    who: str
    what: str


@dataclass(frozen=True)
class Summary:
    """Everything together: how often each sentence is true, most frequent first, and the cases, newest first."""

    total: int
    counts: tuple[tuple[str, int], ...]
    cases: tuple[Would, ...]

    @property
    def touched(self) -> int:
        """How many cases would have gone otherwise."""
        return len({each.case_id for each in self.cases})


def summed(total: int, found: Iterable[Would]) -> Summary:
    """Put together what the rooms answered about ``total`` requests."""
    cases = sorted(found, key=lambda each: (each.at, str(each.case_id)), reverse=True)
    return Summary(total, tuple(Counter(each.what for each in cases).most_common()), tuple(cases))
