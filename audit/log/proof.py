"""Proof that an entry is in the log: in the program, and as a file that anyone can check offline (C2SP tlog-proof)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from audit.log import merkle, note
from audit.log.canonical import parse_entry
from audit.log.checkpoint import (
    SignedCheckpoint,
    VerifiedCheckpoint,
    parse_checkpoint,
    parse_hash,
    parse_size,
    verify_checkpoint,
)
from audit.log.errors import NotVerified, ParseError

FIRST_LINE = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63
_CHECKED = object()


@dataclass(frozen=True)
class LogProof:
    """An inclusion proof as it was read; not believed yet. ``extra`` is not covered by any signature."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: SignedCheckpoint
    extra: bytes | None = None


@dataclass(frozen=True)
class VerifiedInclusion:
    """An entry that is in the log under a checkpoint. Only `verify_inclusion` and `verify_proof` make one."""

    index: int
    entry: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)
    checkpoint: VerifiedCheckpoint
    checked: object = field(repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere."""
        if self.checked is not _CHECKED:
            raise TypeError("A VerifiedInclusion comes from verify_inclusion alone.")

    @property
    def body(self) -> dict[str, Any]:
        """The entry as values."""
        return parse_entry(self.entry)

    @property
    def event_id(self) -> str:
        """The id that the proven bytes carry."""
        return str(self.body["id"])

    def proof(self) -> LogProof:
        """What can be handed to somebody else."""
        return LogProof(self.index, self.path, self.checkpoint.signed)


def verify_inclusion(proof: merkle.InclusionProof, entry: bytes, checkpoint: VerifiedCheckpoint) -> VerifiedInclusion:
    """Believe that the entry is in the log.

    Raises:
        NotVerified: The proof is for a tree of another size, or does not lead to the checkpoint's root.
        ParseError: The bytes are no entry of this log.
    """
    parse_entry(entry)
    sized = merkle.InclusionProof(proof.index, checkpoint.size, proof.path)
    merkle.verify_inclusion(sized, merkle.leaf_hash(entry), checkpoint.root)
    return VerifiedInclusion(proof.index, entry, proof.path, checkpoint, _CHECKED)


def write_proof(proof: LogProof) -> bytes:
    """The bytes of a ``.tlog-proof`` file."""
    lines = [FIRST_LINE]
    if proof.extra is not None:
        lines.append(f"extra {note.to_base64(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines += [note.to_base64(hash_) for hash_ in proof.path]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note.write_note(proof.checkpoint.note)


def parse_proof(data: bytes) -> LogProof:
    """Read a ``.tlog-proof`` file without checking it.

    Raises:
        ParseError: The bytes are not such a file.
    """
    head, blank, rest = data.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ParseError("The lines before the checkpoint are ASCII.") from error
    if not blank or first != FIRST_LINE:
        raise ParseError(f"A proof begins with {FIRST_LINE} and has an empty line before its checkpoint.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = note.from_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise ParseError("The index of the entry is missing.")
    index = parse_size(lines.pop(0).removeprefix("index "))
    if len(lines) > MAX_PATH:
        raise ParseError(f"A proof has at most {MAX_PATH} hashes.")
    return LogProof(index, tuple(parse_hash(line) for line in lines), parse_checkpoint(rest), extra)


def with_entry(found: VerifiedInclusion) -> LogProof:
    """A proof that carries the entry which it proves as its extra data, so that nothing else is needed but the log's key."""
    return replace(found.proof(), extra=found.entry)


def parse_proofs(data: bytes) -> tuple[LogProof, ...]:
    """Read one or more ``.tlog-proof`` files that were written one after another.

    Raises:
        ParseError: The bytes are anything else.
    """
    begins = f"{FIRST_LINE}\n".encode()
    *whole, last = data.split(b"\n" + begins)
    texts = [*(each + b"\n" for each in whole), last]
    return tuple(parse_proof(begins * (number > 0) + each) for number, each in enumerate(texts))


def verify_carried(proof: LogProof, keys: Sequence[note.VerifierKey]) -> VerifiedInclusion:
    """Believe a proof about the entry that it carries.

    Raises:
        NotVerified: It carries none, or see `verify_proof`.
        ParseError: What it carries is no entry of this log.
    """
    if proof.extra is None:
        raise NotVerified(f"The proof of entry {proof.index} does not carry its entry.")
    return verify_proof(proof, proof.extra, keys)


def verify_proof(proof: LogProof, entry: bytes, keys: Sequence[note.VerifierKey]) -> VerifiedInclusion:
    """Believe a proof file about these bytes of an entry, the checkpoint included.

    Raises:
        NotVerified: The checkpoint is not signed by one of the keys, or the entry is not under it.
        ParseError: The bytes are no entry of this log.
    """
    checkpoint = verify_checkpoint(proof.checkpoint, keys)
    return verify_inclusion(merkle.InclusionProof(proof.index, checkpoint.size, proof.path), entry, checkpoint)
