"""What a witness signs: that a checkpoint is the largest tree it has seen of a log, and grew from all that it saw before (C2SP tlog-cosignature).

Ed25519 alone. The time is in seconds since 1970 UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.log.checkpoint import MAX_SIZE
from audit.log.ed25519 import is_signed
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Note, Signature, key_id_of, parse_public, parse_signature, to_base64

COSIGNATURE = b"\x04"
_CHECKED = object()


@dataclass(frozen=True)
class CosignerKey:
    """The public key (32 bytes) of a witness under its name."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """``SHA-256(name || 0x0A || 0x04 || public key)[:4]``."""
        return key_id_of(self.name, COSIGNATURE + self.public)

    def text(self) -> str:
        """The key as C2SP writes it: ``name+key id+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(COSIGNATURE + self.public)}"


@dataclass(frozen=True)
class Cosigned:
    """That a witness has seen a checkpoint, and when (s). Only `verify_cosignatures` makes one."""

    by: CosignerKey
    at: int
    signature: Signature = field(repr=False)
    checked: object = field(repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere."""
        if self.checked is not _CHECKED:
            raise TypeError("A Cosigned comes from verify_cosignatures alone.")


def parse_cosigner_key(text: str) -> CosignerKey:
    """Read the key of a witness.

    Raises:
        ParseError: It is not one, not of Ed25519 cosignatures, or its key id is not that of its name and key.
    """
    return CosignerKey(
        *parse_public(text, COSIGNATURE, "The key of the witness is not one for cosignatures of Ed25519.")
    )


def witnessed_path(witness: str) -> str:
    """Where the last checkpoint lies, beside a published log, that a witness cosigned; by its key as C2SP writes it."""
    return f"witnessed/{witness.split('+')[1]}.checkpoint"


def message(text: str, at: int) -> bytes:
    """The bytes that a witness signs over the text of a checkpoint at a time."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def verify_cosignatures(note: Note, keys: Sequence[CosignerKey]) -> tuple[Cosigned, ...]:
    """The witnesses among the keys that cosigned the note; others are ignored.

    Raises:
        NotVerified: A line that bears the name and id of one of them is no cosignature of it.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = []
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None:
            found.append(_verified(note.text, line, key))
    return tuple(found)


def _verified(text: str, line: Signature, key: CosignerKey) -> Cosigned:
    at, signature = int.from_bytes(line.value[:8], "big"), line.value[8:]
    if len(line.value) != 72 or not 0 < at <= MAX_SIZE or not is_signed(key.public, signature, message(text, at)):
        raise NotVerified(f"The cosignature of {key.name} is wrong.")
    return Cosigned(key, at, line, _CHECKED)


def parse_lines(data: bytes) -> tuple[Signature, ...]:
    """The signature lines that a witness answers with, each ended by a newline.

    Raises:
        ParseError: The bytes are anything else.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ParseError("The answer of the witness is not UTF-8.") from error
    if not text.endswith("\n"):
        raise ParseError("The answer of the witness has no lines.")
    return tuple(parse_signature(line) for line in text[:-1].split("\n"))
