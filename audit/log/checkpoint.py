"""Checkpoints: the signed size and root of the log (C2SP tlog-checkpoint)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.log import merkle, note
from audit.log.errors import NotVerified, ParseError

MAX_SIZE = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_CHECKED = object()


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says: whose log, how many leaves, which root (32 bytes), and further lines of the origin."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True)
class SignedCheckpoint:
    """A checkpoint as it was read, with its note; not believed yet."""

    checkpoint: Checkpoint
    note: note.Note


@dataclass(frozen=True)
class VerifiedCheckpoint:
    """A checkpoint that a trusted key of its own log signed. Only `verify_checkpoint` makes one."""

    origin: str
    size: int
    root: bytes
    signed: SignedCheckpoint = field(repr=False)
    checked: object = field(repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere."""
        if self.checked is not _CHECKED:
            raise TypeError("A VerifiedCheckpoint comes from verify_checkpoint alone.")


def parse_size(text: str) -> int:
    """Read a count of leaves: ASCII digits, no leading zero, at most 2^63-1.

    Raises:
        ParseError: It is written otherwise.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise ParseError("A count is decimal, without leading zeros, and below 2^63.")
    return int(text)


def parse_hash(text: str) -> bytes:
    """Read a hash in base64.

    Raises:
        ParseError: It is not base64 of 32 bytes.
    """
    value = note.from_base64(text)
    if len(value) != 32:
        raise ParseError("A hash has 32 bytes.")
    return value


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """The text that is signed.

    Raises:
        ValueError: A line of it would be empty or be two lines.
    """
    lines = [checkpoint.origin, str(checkpoint.size), note.to_base64(checkpoint.root), *checkpoint.extensions]
    if any(not line or "\n" in line for line in lines) or len(checkpoint.root) != 32 or checkpoint.size < 0:
        raise ValueError("A checkpoint has lines that are not empty, a size, and a root of 32 bytes.")
    return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(data: bytes) -> SignedCheckpoint:
    """Read a checkpoint without checking it.

    Raises:
        ParseError: The bytes are not a signed checkpoint.
    """
    signed = note.parse_note(data)
    lines = signed.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise ParseError("A checkpoint has at least three lines, none of them empty.")
    origin, size, root, *extensions = lines
    return SignedCheckpoint(Checkpoint(origin, parse_size(size), parse_hash(root), tuple(extensions)), signed)


def verify_checkpoint(signed: SignedCheckpoint, keys: Sequence[note.VerifierKey]) -> VerifiedCheckpoint:
    """Believe a checkpoint that one of the keys, named like its origin, has signed.

    Raises:
        NotVerified: None of them did, one of their signatures is wrong, or an empty tree has a root of another one.
    """
    said = signed.checkpoint
    if checkpoint_text(said) != signed.note.text:
        raise NotVerified("The checkpoint is not what its note says.")
    note.verify_note(signed.note, [key for key in keys if key.name == said.origin])
    if said.size == 0 and said.root != merkle.EMPTY_ROOT:
        raise NotVerified("The empty tree has another root.")
    return VerifiedCheckpoint(said.origin, said.size, said.root, signed, _CHECKED)
