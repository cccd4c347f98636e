"""The demo's clock, from which all times of its past are taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from audit.log.append import clock
from portal.clock import ms


def at(text: str) -> datetime:
    """``2026-07-03 02:00`` in UTC."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


FOUNDED = datetime(2026, 6, 21, 23, 59, tzinfo=UTC)
STEP_MS = 200


@dataclass
class Clock:
    """The demo's clock: set to a moment of its story, it goes on by a fifth of a second at each reading.

    The story may be told ``later`` than it was written, so that a demo of any year has a past that has just gone by.
    """

    later: timedelta = timedelta()
    at: int = field(init=False)

    def __post_init__(self) -> None:
        """Begin at the founding."""
        self.at = self.ms(FOUNDED)

    def __call__(self) -> int:
        """Read it."""
        self.at += STEP_MS
        return self.at

    def told(self, when: datetime) -> datetime:
        """When a moment of the story is, as it is told."""
        return when + self.later

    def ms(self, when: datetime) -> int:
        """As `told`, in milliseconds."""
        return ms(self.told(when))

    def set(self, when: datetime) -> None:
        """Move it forward to a moment of the story; it never goes back."""
        self.at = max(self.at, self.ms(when))

    def leave_the_story(self, when: datetime) -> None:
        """Move it forward to a time of this machine."""
        self.at = max(self.at, ms(when))


@contextmanager
def demo_clock(later: timedelta = timedelta()) -> Iterator[Clock]:
    """Take all times from a `Clock` that begins at the founding."""
    chosen = Clock(later)
    with clock(chosen):
        yield chosen
