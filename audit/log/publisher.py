"""Publishes beside the sealing, in a thread and over a database connection of its own: a store that hangs holds up no seal."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log.cuts import minimum_index
from audit.log.cutting import StillLocked, cut_published
from audit.log.holds import Held, HoldsBusy, in_force
from audit.log.note import VerifierKey
from audit.log.outgrown import Outgrown
from audit.log.published_lines import publish_lines
from audit.log.publishing import Head, SetBack, publish_once, publish_timestamps
from audit.log.sealing import SealingError
from audit.log.stores import Conflict, Overtaken, Store, StoreUnavailable

alarms = logging.getLogger("breakglass.alarm")
REST_S = 1.0  # before it is tried again
MOST_NAMED = 5
CUT_REST_S = 3600.0  # before a cut that could not be carried out is tried again: it reads every bundle that is to go


@dataclass
class Publisher:
    """What a publisher needs, and what it knows.

    Args:
        alias: Its database, in Django's connections.
        store: Where to.
        keys: The log's public keys.
        remembered: Whether the sealer remembers a checkpoint by itself; where it does not, the store must have answered once.
    """

    alias: str
    store: Store
    keys: Sequence[VerifierKey]
    remembered: bool
    published: Head | None = None
    cut_to: tuple[int, Held] | None = (
        None  # the minimum index and the holds for which the store was last freed of bundles
    )
    kept: tuple[int, ...] = ()  # bundles before it that stay, since they hold entries under a legal hold
    uncut: str = ""  # why what was cut is still there
    cut_rests_until: float = 0.0  # of the monotonic clock
    outgrown: Outgrown = field(default_factory=Outgrown)  # partial tiles that readers may still copy
    left: str = ""  # why some that were outgrown are still there
    lines: dict[str, bytes] = field(
        default_factory=dict
    )  # the last checkpoint of each witness, by the path where it lies
    unread: str = ""  # which witnesses' lines cannot be read
    stamped: int = 0  # the timestamps of checkpoints up to this size are published
    trouble: str = ""  # why what was sealed is not published
    blocked: bool = (
        True  # nothing is sealed: the store was not asked yet, holds another history, or is all that could remember
    )
    other_history: bool = False  # what lies there was found to be one, and nothing was published since
    _stop: threading.Event = field(default_factory=threading.Event)
    _woken: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Publisher":
        """Begin, with a look at the store."""
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End after what is under way; one that hangs is left behind, and moves nothing that others have moved."""
        self._stop.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def wake(self) -> None:
        """There is something to publish."""
        self._woken.set()

    def _run(self) -> None:
        connection = connections[self.alias]
        try:
            while not self._stop.is_set():
                self._woken.clear()
                self._publish(lambda: self._published(connection))
                self._woken.wait(REST_S if self.trouble else None)
        finally:
            with contextlib.suppress(DatabaseError, InterfaceError):
                connection.close()

    def _cut(self) -> None:
        """Remove what a published cut names; it is tried again with a publication an hour later, and what was published stands."""
        if self.published is None or time.monotonic() < self.cut_rests_until:
            return
        size = self.published.checkpoint.size
        try:
            with connections[self.alias].cursor() as cursor:
                wanted = minimum_index(cursor, below=size), in_force(cursor)
                if wanted == self.cut_to or not wanted[0]:
                    return
                removed = cut_published(cursor, self.store, size)
        except (StillLocked, StoreUnavailable, SealingError, HoldsBusy) as error:
            self._tell_uncut(str(error))
            self.cut_rests_until = time.monotonic() + CUT_REST_S
            return
        self.cut_to, self.kept, self.uncut = wanted, removed.kept, ""
        if removed.count:
            alarms.info("%s bundles of old entries were removed, as the log says.", removed.count)

    def of_cut(self) -> dict[str, object]:
        """What is still published of what was cut: for pages."""
        minimum = self.cut_to[0] if self.cut_to else 0
        return {"minimum": minimum, "kept": len(self.kept), "trouble": self.uncut}

    def _tell_uncut(self, sentence: str) -> None:
        if sentence != self.uncut:
            alarms.critical("What was cut is still published. %s", sentence)
        self.uncut = sentence

    def _published(self, connection: BaseDatabaseWrapper) -> Head | None:
        self.published = publish_once(connection, self.store, self.keys, self.outgrown)
        self._tell_left(self.outgrown.trouble)
        self._cut()
        return self.published

    def _publish(self, publish: Callable[[], Head | None]) -> None:
        try:
            if self.published is None:
                self.store.check()
            self.published = publish()
            if self.published:
                unread = publish_lines(connections[self.alias], self.store, self.published, self.lines)
                self._tell_unread(" ".join(unread[:MOST_NAMED]))
                self._publish_timestamps(self.published)
        except (Conflict, SetBack) as error:
            self.blocked = self.other_history = True
            self._tell(f"Nothing is sealed, for what is published is not what is stored. {error}")
        except (StoreUnavailable, Overtaken, SealingError) as error:
            self.blocked = self._may_not_seal()
            self._tell(f"What is sealed is not published. {error}")
        except (DatabaseError, InterfaceError) as error:
            self._tell(f"What is sealed is not published: the database does not answer ({type(error).__name__}).")
            with contextlib.suppress(DatabaseError, InterfaceError):
                connections[self.alias].close()
        except Exception as error:  # noqa: BLE001 - a store may fail in any way; to seal on silently without it is worse
            self.blocked = self._may_not_seal()
            self._tell(f"What is sealed is not published: {type(error).__name__}.")
        else:
            self.trouble, self.blocked, self.other_history = "", False, False

    def _may_not_seal(self) -> bool:
        """While the store does not answer: it was found to hold another history, or is all that could remember."""
        return self.other_history or not (self.published or self.remembered)

    def _tell_left(self, sentence: str) -> None:
        if sentence and sentence != self.left:
            alarms.critical("Partial tiles that were outgrown are still there. %s", sentence)
        self.left = sentence

    def _tell_unread(self, sentence: str) -> None:
        if sentence and sentence != self.unread:
            alarms.critical("Lines of witnesses cannot be read, and are not published. %s", sentence)
        self.unread = sentence

    def _publish_timestamps(self, head: Head) -> None:
        """They prove nothing of the log's own, so a wrong one is told, and holds up neither a seal nor the others."""
        self.stamped, wrong = publish_timestamps(connections[self.alias], self.store, head, self.stamped)
        if wrong:
            named = " ".join(wrong[:MOST_NAMED])
            alarms.critical("%s stored timestamps are wrong, and are not published. %s", len(wrong), named)

    def _tell(self, sentence: str) -> None:
        """Say it once, not at every try."""
        if sentence != self.trouble:
            alarms.critical(sentence)
        self.trouble = sentence
