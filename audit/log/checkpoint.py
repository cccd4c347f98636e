"""Checkpoints: the signed size and root of the log (C2SP tlog-checkpoint)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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


def parse_log_key(text: str) -> note.VerifierKey:
    """Read a key of a log: ``KEY``, ``KEY@FROM-`` or ``KEY@FROM-TO``, with the sizes of the checkpoints that it may sign, both included.

    Raises:
        ParseError: It is not a verifier key, or what follows it is no range of sizes.
    """
    start, at, sizes = text.rpartition("@")
    if not at or "+" in sizes:  # an @ in the name
        return note.parse_verifier_key(text)
    key = note.parse_verifier_key(start)
    first, dash, last = sizes.partition("-")
    if not dash:
        raise ParseError("The sizes that a key is valid for are FROM- or FROM-TO.")
    found = replace(key, first=parse_size(first), last=parse_size(last) if last else None)
    if found.last is not None and found.last < found.first:
        raise ParseError("The sizes that a key is valid for end before they begin.")
    return found


def log_key_text(key: note.VerifierKey) -> str:
    """What `parse_log_key` reads; the verifier key of C2SP alone where it is valid for every size."""
    if key.first == 0 and key.last is None:
        return key.text()
    return f"{key.text()}@{key.first}-{'' if key.last is None else key.last}"


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


def verify_signed(signed: SignedCheckpoint, keys: Sequence[note.VerifierKey]) -> None:
    """Raise NotVerified unless a key that may sign this checkpoint has signed its note."""
    said = signed.checkpoint
    lines = {(line.name, line.key_id) for line in signed.note.signatures}
    mine = [key for key in keys if key.name == said.origin and (key.name, key.key_id) in lines]
    if mine and not any(key.covers(said.size) for key in mine):
        raise NotVerified(f"The key that signed {said.size} entries is not valid for that size.")
    note.verify_note(signed.note, [key for key in mine if key.covers(said.size)])


def verify_checkpoint(signed: SignedCheckpoint, keys: Sequence[note.VerifierKey]) -> VerifiedCheckpoint:
    """Believe a checkpoint that one of the keys, named like its origin and valid for its size, has signed.

    Raises:
        NotVerified: None of them did, or beyond the sizes that it is valid for, one of their signatures is wrong, or an empty tree has
            another root.
    """
    said = signed.checkpoint
    if checkpoint_text(said) != signed.note.text:
        raise NotVerified("The checkpoint is not what its note says.")
    verify_signed(signed, keys)
    if said.size == 0 and said.root != merkle.EMPTY_ROOT:
        raise NotVerified("The empty tree has another root.")
    return VerifiedCheckpoint(said.origin, said.size, said.root, signed, _CHECKED)
