"""The sealer shows each new checkpoint to its witnesses and keeps what they sign. It never waits long: sealing goes on without them."""

import contextlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log import tiles
from audit.log.checkpoint import VerifiedCheckpoint
from audit.log.cosignature import Cosigned
from audit.log.errors import ParseError
from audit.log.note import Signature, parse_signature, to_base64, write_note
from audit.log.tile_rows import read_tiles
from audit.log.witness.client import Client, NotCosigned, OtherSize
from audit.log.witness.listed import Listed
from audit.log.witness.requests import write_request

alarms = logging.getLogger("breakglass.alarm")
PATIENCE_S = 0.3  # that a publication waits for cosignatures; later ones are published after it
PAUSE_S = 5.0  # after a witness did not cosign
KEEP = """
INSERT INTO audit_cosignature (size, witness, line, signed_at) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
LINES = "SELECT line FROM audit_cosignature WHERE size = %s ORDER BY witness"


@dataclass
class _Asked:
    """One witness, and what is known of it."""

    listed: Listed
    client: Client
    old: int = 0  # the size that it has seen, as far as is known
    answer: "Future[Cosigned] | None" = None
    about: VerifiedCheckpoint | None = None  # what it is asked for now
    cosigned: int = 0
    at: int | None = None  # s
    trouble: str = ""
    not_before: float = 0.0


@dataclass
class Witnessing:
    """All witnesses of a log. Used by one thread; each witness is asked in one of its own."""

    listed: Sequence[Listed]
    _pool: ThreadPoolExecutor = field(init=False, repr=False)
    _asked: list[_Asked] = field(init=False, repr=False)
    _round: VerifiedCheckpoint | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """A thread for each."""
        self._pool = ThreadPoolExecutor(max(1, len(self.listed)), thread_name_prefix="witness")
        self._asked = [_Asked(each, Client(each.key, each.address)) for each in self.listed]

    def show(self, connection: BaseDatabaseWrapper, checkpoint: VerifiedCheckpoint) -> bool:
        """Ask every witness that is not busy, and keep what came in within 0.3 seconds; whether something did.

        All are asked for the same checkpoint until those that are required have answered: one that each of them has cosigned is what counts.
        """
        kept = [self._collect(connection, each) for each in self._asked]
        if self._round is None or self._is_over(self._round.size):
            self._round = checkpoint
        for each in self._asked:
            self._ask(connection, each, self._round)
        wait([each.answer for each in self._asked if each.answer], timeout=PATIENCE_S)
        kept += [self._collect(connection, each) for each in self._asked]
        return any(kept)

    def _is_over(self, size: int) -> bool:
        """Whether each required witness has cosigned so much, or cannot be had now."""
        required = [each for each in self._asked if each.listed.required]
        return all(each.cosigned >= size or (each.trouble and each.answer is None) for each in required)

    def lacks(self, size: int) -> bool:
        """Whether one of them has not yet cosigned this size."""
        return any(each.cosigned < size for each in self._asked)

    def state(self) -> list[dict[str, object]]:
        """For the operator: each witness, how far it has cosigned, when (s), and what is wrong."""
        return [
            {
                "name": each.listed.key.name, "required": each.listed.required, "size": each.cosigned, "at": each.at,
                "trouble": each.trouble,
            }
            for each in self._asked
        ]  # fmt: skip

    def close(self) -> None:
        """Let go of threads and connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, connection: BaseDatabaseWrapper, asked: _Asked, checkpoint: VerifiedCheckpoint) -> None:
        if asked.answer is not None or asked.cosigned >= checkpoint.size or time.monotonic() < asked.not_before:
            return
        if asked.old > checkpoint.size:
            self._failed(
                asked,
                f"It has seen {asked.old} entries, more than this log has: somebody else uses its key, or it was set back.",
            )
            return
        try:
            path = _proof(connection, asked.old, checkpoint.size)
        except (KeyError, ParseError):
            self._failed(asked, "A tile of the stored log is missing or damaged, so nothing can be proved to it.")
            return
        body = write_request(asked.old, path, write_note(checkpoint.signed.note))
        asked.about, asked.answer = checkpoint, self._pool.submit(asked.client.ask, body, checkpoint)

    def _collect(self, connection: BaseDatabaseWrapper, asked: _Asked) -> bool:
        """Keep what a witness has answered; whether it has cosigned."""
        if asked.answer is None or not asked.answer.done() or asked.about is None:
            return False
        answer, checkpoint, asked.answer = asked.answer, asked.about, None
        try:
            cosigned = answer.result()
        except OtherSize as other:
            repeated, asked.old = asked.old == other.size, other.size
            if repeated:
                self._failed(asked, str(other))
            return False
        except NotCosigned as error:
            self._failed(asked, str(error))
            return False
        except Exception as error:  # noqa: BLE001 - whatever a witness answers, sealing goes on
            self._failed(asked, f"Its answer could not be read: {type(error).__name__}.")
            return False
        _keep(connection, checkpoint.size, cosigned)  # where the database is away it is asked again
        asked.old = asked.cosigned = checkpoint.size
        asked.at, asked.trouble = cosigned.at, ""
        return True

    def _failed(self, asked: _Asked, sentence: str) -> None:
        asked.not_before = time.monotonic() + PAUSE_S
        if sentence != asked.trouble:
            alarms.critical("Not witnessed by %s: %s", asked.listed.key.name, sentence)
        asked.trouble = sentence


def cosignature_lines(connection: BaseDatabaseWrapper, size: int) -> tuple[Signature, ...]:
    """The kept lines of witnesses under the checkpoint of this size; a stranger checks them, so they are not checked here.

    One that cannot be read is passed over: it must not hold up the lines of others, nor the publication. Who publishes names it.
    """
    with connection.cursor() as cursor:
        cursor.execute(LINES, [size])
        found = []
        for (line,) in cursor.fetchall():
            with contextlib.suppress(ParseError):
                found.append(parse_signature(line))
    return tuple(found)


def _keep(connection: BaseDatabaseWrapper, size: int, cosigned: Cosigned) -> None:
    line = cosigned.signature
    text = f"— {line.name} {to_base64(line.key_id + line.value)}"
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [size, cosigned.by.text(), text, cosigned.at])


def _proof(connection: BaseDatabaseWrapper, old: int, new: int) -> tuple[bytes, ...]:
    with connection.cursor() as cursor:
        stored = read_tiles(cursor, tiles.needed_for_consistency(old, new))
    proof = tiles.consistency_proof(
        old, new, lambda level, index, width: stored[level, index][: width * tiles.HASH_BYTES]
    )
    return proof.path
