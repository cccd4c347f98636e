"""The process that gathers: finds the declared sources, follows each, and lives through the errors of each."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections

from audit.log.append import LogUnavailable
from audit.log.heartbeats import beat
from audit.sources.declared import NONE, Source, declared
from audit.sources.follower import OutOfReach
from audit.sources.ingest import Gathering, Overtaken, gathering, note_trouble

logger = logging.getLogger("breakglass.gather")
PAUSE = 0.25
"""Seconds between two looks at logs that had nothing new."""
LOOK_FOR_SOURCES = 2.0
BEAT = 2.0
CHORE = 5.0
WAIT_AFTER_ERROR = 2.0


@dataclass
class Followed:
    """A source and how it goes."""

    source: Source
    gathering: Gathering | None = None
    not_before: float = 0.0
    says: str = ""


@dataclass
class Gatherer:
    """All sources of this process, or ``only`` those of some ids."""

    followed: dict[str, Followed] = field(default_factory=dict)
    only: frozenset[str] = frozenset()

    def find_sources(self) -> None:
        """Take up what was declared, let go what was withdrawn, begin anew where a declaration changed."""
        standing = {
            source.id: source
            for source in declared()
            if source.counting != NONE and (not self.only or source.id in self.only)
        }
        for source_id in set(self.followed) - set(standing):
            del self.followed[source_id]
        for source_id, source in standing.items():
            known = self.followed.get(source_id)
            if known is None or known.source != source:
                self.followed[source_id] = Followed(source)

    def step(self) -> bool:
        """One reading of each source; whether any has more waiting."""
        more = [self._step(each) for each in self.followed.values()]
        return any(more)

    def _step(self, each: Followed) -> bool:
        if time.monotonic() < each.not_before:
            return False
        try:
            each.gathering = each.gathering or gathering(each.source)
            more = each.gathering.step()
        except OutOfReach as error:
            self._stumble(each, str(error))
            note_trouble(each.source, error)
        except Overtaken:
            self._stumble(each, "another gatherer reads this source")
        except (LogUnavailable, DatabaseError) as error:
            self._stumble(each, f"nothing moved: {type(error).__name__}")
            raise
        except Exception:  # one source's surprise must not silence the others
            logger.exception("Reading source %s failed; nothing of it moved.", each.source.id)
            self._stumble(each, "reading failed; see the log of the process")
        else:
            each.says = ""
            return more
        return False

    def _stumble(self, each: Followed, says: str) -> None:
        """Forget what is in memory; the database knows how far everything is."""
        each.gathering, each.says = None, says
        each.not_before = time.monotonic() + WAIT_AFTER_ERROR


def gather(
    *, once: bool = False, chore: Callable[[], object] | None = None, only: frozenset[str] = frozenset()
) -> None:
    """Follow all sources, or ``only`` those of some ids, until SIGTERM or SIGINT; ``once``: until nothing more is waiting.

    ``chore`` is done every few seconds between two readings; its errors stop nothing.
    """
    stopping = threading.Event()
    if not once and threading.current_thread() is threading.main_thread():
        for wish in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wish, lambda *_: stopping.set())
    follow_all(stopping, once=once, chore=chore, only=only)


def follow_all(
    stopping: threading.Event,
    *,
    once: bool = False,
    chore: Callable[[], object] | None = None,
    only: frozenset[str] = frozenset(),
) -> None:
    """The loop of `gather`, for whoever has a thread of their own."""
    gatherer = Gatherer(only=only)
    found_at = beaten_at = done_at = float("-inf")
    while not stopping.is_set():
        try:
            if time.monotonic() - found_at > LOOK_FOR_SOURCES:
                gatherer.find_sources()
                found_at = time.monotonic()
            more = gatherer.step()
            if time.monotonic() - beaten_at > BEAT:
                beat("gather", {each.source.id: each.says for each in gatherer.followed.values()})
                beaten_at = time.monotonic()
            if chore and (once or time.monotonic() - done_at > CHORE):
                _do(chore)
                done_at = time.monotonic()
        except (LogUnavailable, DatabaseError):
            logger.exception("The portal's database does not answer; gathering waits, records wait on the targets.")
            close_old_connections()
            stopping.wait(WAIT_AFTER_ERROR)
            continue
        if once and not more:
            return
        if not more:
            stopping.wait(PAUSE)


def _do(chore: Callable[[], object]) -> None:
    try:
        chore()
    except (LogUnavailable, DatabaseError):
        raise
    except Exception:
        logger.exception("What is done beside gathering failed; it is tried again.")
