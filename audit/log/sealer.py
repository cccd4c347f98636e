"""The sealer's loop: seals what waits, every tenth of a second, for as long as it may."""

import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import LockNotAvailable

from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.durable import write_whole
from audit.log.errors import NotVerified, ParseError
from audit.log.heartbeats import beat
from audit.log.locks import Lock
from audit.log.note import VerifierKey, write_note
from audit.log.publisher import Publisher
from audit.log.publishing import check_grown
from audit.log.sealing import BATCH, CUT, SealingError, all_keys, last_signed, seal_once
from audit.log.signing import Signer
from audit.log.stores import Store
from audit.log.witnessing import Witnessing

log = logging.getLogger("breakglass.sealer")
alarms = logging.getLogger("breakglass.alarm")
BRIEFLY = "SET LOCAL lock_timeout = '200ms'"  # every process may write heartbeats, and lock them: nothing is sealed while one is waited for
PATIENTLY = "SET lock_timeout = '5s'"  # every login may take the locks by which one seals at a time
POLL_S = 0.1
BEAT_S = 2
REST_S = 1  # after an error
FORGET_S = 600  # refused events are tried, and alarmed about, again
MOST_REASONS, LONGEST_REASON = 100, 200  # of events that are not sealed
LOCKED = "Nothing is sealed. Somebody has kept the lock of sealing for five seconds: pg_locks and pg_stat_activity of the database name the login."
MEND = "Nothing is sealed. Put a checkpoint that was kept elsewhere in its place: docs/operate.md, section 7."


@dataclass
class Sealer:
    """What one sealer needs, and what it remembers while it runs.

    Args:
        alias: Its database, in Django's connections.
        signer: The log's key.
        stop: Set from outside to end the loop.
        trusted: Keys that signed earlier checkpoints.
        memory: A file for the last checkpoint signed, so that a log that was set back is noticed after a restart too.
        store: Where what was sealed is published. Where it does not answer, sealing goes on; where it holds another history, nothing
            is sealed.
        witnesses: Who is shown each checkpoint before it is published. Sealing goes on without them.
    """

    alias: str
    signer: Signer
    stop: threading.Event
    trusted: Sequence[VerifierKey] = ()
    memory: Path | None = None
    store: Store | None = None
    witnesses: Witnessing = field(default_factory=lambda: Witnessing(()))
    known: VerifiedCheckpoint | None = None
    refused: dict[int, str] = field(default_factory=dict)
    trouble: str = ""
    remembered: bool = False
    publisher: Publisher | None = None
    _next_beat: float = 0
    _next_forgetting: float = field(default_factory=lambda: time.monotonic() + FORGET_S)

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The log's keys, the signer's own among them."""
        return all_keys(self.signer, self.trusted)

    def run(self) -> None:
        """Work until stopped; a database that is away is waited for, a second sealer waits for the first to go."""
        self.known = self._remembered()
        self.remembered = self.known is not None
        connection = connections[self.alias]
        while not self.stop.is_set():
            try:
                if self._alone(connection):
                    self._work(connection)
                else:
                    self.stop.wait(REST_S)
            except (DatabaseError, InterfaceError) as error:
                self._tell(f"The database does not answer the sealer: {type(error).__name__}: {error}")
                with contextlib.suppress(DatabaseError, InterfaceError):
                    connection.close()
                self.stop.wait(REST_S)
        self.witnesses.close()
        with contextlib.suppress(DatabaseError, InterfaceError):
            connection.close()

    def _alone(self, connection: BaseDatabaseWrapper) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [Lock.SEALER])
            alone = bool(cursor.fetchone()[0])
        if not alone:
            self._tell("Another sealer is at work; this one waits for it to go.", logging.INFO)
        return alone

    def _work(self, connection: BaseDatabaseWrapper) -> None:
        log.info("Sealing for %s.", self.signer.name)
        with connection.cursor() as cursor:
            cursor.execute(PATIENTLY)
        self._begin_memory(connection)
        with self._publishing() as self.publisher:
            while not self.stop.is_set():
                sealed = 0 if self.blocked else self._seal(connection)
                if (self._show(connection) or sealed) and self.publisher:
                    self.publisher.wake()
                self._beat(connection)
                if sealed < BATCH:
                    self.stop.wait(REST_S if self.trouble else POLL_S)

    def _publishing(self) -> "contextlib.AbstractContextManager[Publisher | None]":
        if self.store is None:
            return contextlib.nullcontext()
        before = self.publisher
        return Publisher(
            self.alias, self.store, self.keys, self.remembered or bool(before and before.published),
            other_history=bool(before and before.other_history),
        )  # fmt: skip

    @property
    def blocked(self) -> bool:
        """Whether the store forbids to seal."""
        return self.publisher is not None and self.publisher.blocked

    def _show(self, connection: BaseDatabaseWrapper) -> bool:
        """Show what is not cosigned yet to the witnesses; whether one of them has signed. They see a checkpoint before it is published."""
        if self.blocked or self.known is None or not self.witnesses.lacks(self.known.size):
            return False
        return self.witnesses.show(connection, self.known)

    def _seal(self, connection: BaseDatabaseWrapper) -> int:
        if time.monotonic() >= self._next_forgetting:
            self.refused.clear()
            self._next_forgetting = time.monotonic() + FORGET_S
        try:
            sealed = seal_once(
                connection, self.signer, time.time_ns() // 1_000_000,
                trusted=self.trusted, known=self.known, skip=sorted(self.refused),
            )  # fmt: skip
            if sealed:
                self._remember(last_signed(connection, self.keys))
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            self._tell(LOCKED, logging.CRITICAL)
            return 0
        except SealingError as error:
            if not error.refused:
                self._tell(f"Nothing is sealed. {error}", logging.CRITICAL)
                return 0
            self.refused |= error.refused
            self._remember(last_signed(connection, self.keys))  # others were sealed
            return BATCH  # look again at once, past those
        self.trouble = ""
        return sealed

    def _beat(self, connection: BaseDatabaseWrapper) -> None:
        if time.monotonic() < self._next_beat:
            return
        size = self.known.size if self.known else 0
        detail: dict[str, object] = {"size": size, "refused": len(self.refused), "trouble": self.trouble}
        if self.refused:
            detail["against"] = {
                str(seq): self.refused[seq][:LONGEST_REASON] for seq in self._cuts_first()[:MOST_REASONS]
            }
        if self.publisher is not None:
            head = self.publisher.published
            detail |= {"published": head.checkpoint.size if head else 0, "unpublished": self.publisher.trouble}
            detail["cut"] = self.publisher.of_cut()
        if self.witnesses.listed:
            detail["witnesses"] = self.witnesses.state()
        self._next_beat = time.monotonic() + BEAT_S
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute(BRIEFLY)
                beat("sealer", detail, using=connection.alias)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            log.error("Somebody keeps the heartbeat of the sealer locked; sealing goes on without.")

    def _cuts_first(self) -> list[int]:
        """The numbers of what is refused; somebody waits for the reason against a cut, however much else is refused."""
        return sorted(self.refused, key=lambda seq: (not self.refused[seq].startswith(f"{CUT}: "), seq))

    def _tell(self, sentence: str, level: int = logging.ERROR) -> None:
        """Say it once, not at every turn."""
        if sentence != self.trouble:
            (alarms if level == logging.CRITICAL else log).log(level, sentence)
        self.trouble = sentence

    def _remembered(self) -> VerifiedCheckpoint | None:
        """What was remembered before the start. A file that cannot be believed stops the sealer: to forget it would hide a log that was set back."""
        if self.memory is None:
            return None
        try:
            signed = parse_checkpoint(self.memory.read_bytes())
            return verify_checkpoint(signed, self.keys)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SealingError(f"{self.memory} cannot be read: {error.strerror}. {MEND}") from error
        except (ParseError, NotVerified) as error:
            raise SealingError(f"{self.memory} is not a checkpoint of this log. {error} {MEND}") from error

    def _begin_memory(self, connection: BaseDatabaseWrapper) -> None:
        """Go on from the stored log, which has grown from what is remembered: one that was killed had sealed more than it wrote down.

        Where nothing is remembered the stored log is believed as it stands: said aloud, for the file may have been lost.
        """
        with (
            contextlib.suppress(SealingError),
            connection.cursor() as cursor,
        ):  # the next sealing meets it too, and tells it
            stored = last_signed(connection, self.keys)
            if stored is None:
                return
            if self.known is not None:
                check_grown(cursor, self.known, stored)
            elif self.memory is not None:
                alarms.critical("%s is not there; the stored log of %s entries is believed.", self.memory, stored.size)
            self._remember(stored)

    def _remember(self, checkpoint: VerifiedCheckpoint | None) -> None:
        self.known = checkpoint
        if self.memory is None or checkpoint is None:
            return
        try:
            write_whole(self.memory, write_note(checkpoint.signed.note))
        except OSError as error:
            log.error("The last checkpoint cannot be written to %s: %s", self.memory, error.strerror)
