"""Signed notes and their keys: C2SP signed-note, Ed25519 signatures only.

Signatures by keys that we do not know are read and left alone, as the specification demands: witnesses may sign too.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.log.ed25519 import is_signed
from audit.log.errors import NotVerified, ParseError

ED25519 = b"\x01"
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 64
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
KEY_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True)
class Signature:
    """One signature line: who says that they signed, and the bytes after the key id."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True)
class Note:
    """A note as it was read; nothing in it may be believed before `verify_note`."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class VerifierKey:
    """A public Ed25519 key (32 bytes) under a name; ``key_id`` is the first 4 bytes of its hash.

    ``first`` and ``last`` are the sizes, both included, of the checkpoints that it may sign; they are no part of the key itself.
    """

    name: str
    public: bytes
    first: int = field(default=0, compare=False)
    last: int | None = field(default=None, compare=False)  # nothing: not retired

    def covers(self, size: int) -> bool:
        """Whether it may sign a checkpoint of so many entries."""
        return self.first <= size and (self.last is None or size <= self.last)

    @property
    def key_id(self) -> bytes:
        """``SHA-256(name || 0x0A || 0x01 || public key)[:4]``."""
        return key_id_of(self.name, ED25519 + self.public)

    def text(self) -> str:
        """The verifier key as C2SP writes it: ``name+key id+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(ED25519 + self.public)}"


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key.

    Raises:
        ParseError: It is not one, not of Ed25519, or its key id is not that of its name and key.
    """
    return VerifierKey(*parse_public(text, ED25519, "The verifier key is not of type Ed25519."))


def parse_public(text: str, kind: bytes, otherwise: str) -> tuple[str, bytes]:
    """Name and public key (32 bytes) of a key of this kind, written ``name+key id+base64``; ``otherwise`` says that it is of another.

    Raises:
        ParseError: It is written otherwise, of another kind, or its key id is not that of its name and key.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise ParseError("A public key is name+key id+base64.")
    name, key_id, key = parts
    check_name(name)
    material = from_base64(key)
    if len(material) != 33 or material[:1] != kind:
        raise ParseError(otherwise)
    if not KEY_ID.fullmatch(key_id) or key_id_of(name, material).hex() != key_id:
        raise ParseError("The key id of the public key is not that of its name and key.")
    return name, material[1:]


def key_id_of(name: str, material: bytes) -> bytes:
    """``SHA-256(name || 0x0A || kind || public key)[:4]``; the material is kind and key."""
    return hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]


def check_name(name: str) -> None:
    """Raise ParseError unless the text may be the name of a key: not empty, no space, no plus, no control character."""
    if not name or "+" in name or any(character.isspace() for character in name) or CONTROL.search(name):
        raise ParseError("The name of a key is not empty and has no space and no plus.")
    _utf8(name)


def write_note(note: Note) -> bytes:
    """The bytes of a note, its signatures as they are."""
    lines = "".join(f"— {line.name} {to_base64(line.key_id + line.value)}\n" for line in note.signatures)
    return f"{note.text}\n{lines}".encode()


def parse_note(data: bytes) -> Note:
    """Read a note without checking it.

    Raises:
        ParseError: The bytes are not a note, or have more than 1,000,000 bytes or 64 signatures.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise ParseError(f"A note has at most {MAX_NOTE_BYTES} bytes.")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise ParseError("A note is UTF-8.") from error
    if CONTROL.search(whole):
        raise ParseError("A note has no control character other than the newline.")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise ParseError("A note is a text, an empty line, and lines of signatures.")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise ParseError(f"A note has at most {MAX_SIGNATURES} signatures.")
    return Note(text + "\n", tuple(parse_signature(line) for line in signatures))


def verify_note(note: Note, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The keys that signed the note; signatures by other keys are ignored.

    Raises:
        NotVerified: None of the keys signed it, or a signature that bears the name and id of one of them is wrong.
    """
    known = {(key.name, key.key_id): key for key in keys}
    text = note.text.encode()
    signed = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not is_signed(key.public, signature.value, text):
            raise NotVerified(f"A signature of {key.name} is wrong.")
        signed.append(key)
    if not signed:
        raise NotVerified("No key that is trusted here signed this.")
    return tuple(signed)


def parse_signature(line: str) -> Signature:
    """Read one line of a signature, without its newline.

    Raises:
        ParseError: It is none.
    """
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise ParseError("A signature is a dash, the name of the key, and base64.")
    check_name(parts[1])
    value = from_base64(parts[2])
    if len(value) < 5:
        raise ParseError("A signature has a key id of 4 bytes and more.")
    return Signature(parts[1], value[:4], value[4:])


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("The text holds half of a surrogate pair.") from error


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Decode base64 that is written in the one standard way."""
    try:
        data = base64.b64decode(_utf8(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ParseError("This is not base64.") from error
    if to_base64(data) != text:
        raise ParseError("This base64 is not written in the standard way.")
    return data
