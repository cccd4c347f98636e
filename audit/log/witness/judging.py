"""Whether to cosign: the rules of C2SP tlog-witness, add-checkpoint, in the order in which they are written there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from audit.log import merkle
from audit.log.checkpoint import VerifiedCheckpoint, verify_checkpoint, verify_signed
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Note, VerifierKey, to_base64, write_note
from audit.log.signing import SignerKey, cosign
from audit.log.witness.requests import Request, parse_request

PLAIN, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
Logs = Mapping[str, Sequence[VerifierKey]]


@dataclass(frozen=True)
class Answer:
    """An answer of HTTP."""

    status: int
    body: bytes
    content_type: str = PLAIN


class Kept(Protocol):
    """The largest checkpoint of one log that was cosigned, held alone while it is judged."""

    def latest(self) -> VerifiedCheckpoint | None:
        """The last one; nothing at first."""

    def keep(self, note: bytes) -> None:
        """Remember this one from now on; durable when it returns."""


def judge(data: bytes, logs: Logs, kept: Kept, signer: SignerKey, now: Callable[[], int]) -> Answer:
    """Cosign, or say why not. ``kept`` is that of the log which the request names; ``now`` gives seconds."""
    try:
        asked = parse_request(data)
    except ParseError as error:
        return _refused(400, str(error))
    keys = logs.get(asked.checkpoint.checkpoint.origin)
    if keys is None:
        return _refused(404, "This log is not known here.")
    try:
        verify_signed(asked.checkpoint, keys)
    except NotVerified as error:
        return _refused(403, str(error))
    return _grown(asked, keys, kept, signer, now)


def _grown(
    asked: Request, keys: Sequence[VerifierKey], kept: Kept, signer: SignerKey, now: Callable[[], int]
) -> Answer:
    size = asked.checkpoint.checkpoint.size
    if asked.old > size:
        return _refused(400, "The old size is larger than the checkpoint's.")
    latest = kept.latest()
    known = latest.size if latest else 0
    if asked.old != known:
        return Answer(409, f"{known}\n".encode(), SIZE)
    try:
        checkpoint = verify_checkpoint(asked.checkpoint, keys)
        _check_consistent(asked, latest, checkpoint)
    except NotVerified as error:
        return _refused(422, str(error))
    line = cosign(checkpoint.signed.note.text, signer, now())
    ours = tuple(
        each
        for each in asked.checkpoint.note.signatures
        if (each.name, each.key_id) in {(k.name, k.key_id) for k in keys}
    )
    kept.keep(write_note(Note(checkpoint.signed.note.text, (*ours, line))))
    return Answer(200, f"— {line.name} {to_base64(line.key_id + line.value)}\n".encode())


def _check_consistent(asked: Request, latest: VerifiedCheckpoint | None, checkpoint: VerifiedCheckpoint) -> None:
    if asked.old == 0:
        if asked.path:
            raise NotVerified("Every tree grew from the empty one; there is nothing to prove.")
        return
    root = latest.root if latest else merkle.EMPTY_ROOT
    merkle.verify_consistency(merkle.ConsistencyProof(asked.old, checkpoint.size, asked.path), root, checkpoint.root)


def _refused(status: int, sentence: str) -> Answer:
    return Answer(status, f"{sentence}\n".encode())
