"""Signed notes and their keys: C2SP signed-note, Ed25519 signatures only.

Signatures by keys that we do not know are read and left alone, as the specification demands: witnesses may sign too.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.log.errors import NotVerified, ParseError

ED25519 = b"\x01"
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 64
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}")


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
    """A public Ed25519 key (32 bytes) under a name; ``key_id`` is the first 4 bytes of its hash."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """``SHA-256(name || 0x0A || 0x01 || public key)[:4]``."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def text(self) -> str:
        """The verifier key as C2SP writes it: ``name+key id+base64``."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(ED25519 + self.public)}"


@dataclass(frozen=True)
class SignerKey:
    """A private key under a name. Its seed is left out of what Python prints."""

    name: str
    private: Ed25519PrivateKey

    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def text(self) -> str:
        """The signer key as golang.org/x/mod/sumdb/note writes it. Secret."""
        seed = self.private.private_bytes_raw()
        return f"PRIVATE+KEY+{self.name}+{self.verifier().key_id.hex()}+{to_base64(ED25519 + seed)}"

    def __repr__(self) -> str:
        """The name alone."""
        return f"SignerKey({self.name!r})"


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key.

    Raises:
        ParseError: It is not one, not of Ed25519, or its key id is not that of its name and key.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise ParseError("A verifier key is name+key id+base64.")
    name, key_id, key = parts
    check_name(name)
    material = from_base64(key)
    if len(material) != 33 or material[:1] != ED25519:
        raise ParseError("The verifier key is not of type Ed25519.")
    found = VerifierKey(name, material[1:])
    if not _KEY_ID.fullmatch(key_id) or found.key_id.hex() != key_id:
        raise ParseError("The key id of the verifier key is not that of its name and key.")
    return found


def parse_signer_key(text: str) -> SignerKey:
    """Read a signer key. No message of an error repeats any of it.

    Raises:
        ParseError: It is not one, not of Ed25519, or its key id is not that of its name and key.
    """
    parts = text.split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
        raise ParseError("A signer key is PRIVATE+KEY+name+key id+base64.")
    name, key_id, key = parts[2:]
    check_name(name)
    material = from_base64(key)
    if len(material) != 33 or material[:1] != ED25519:
        raise ParseError("The signer key is not of type Ed25519.")
    found = SignerKey(name, Ed25519PrivateKey.from_private_bytes(material[1:]))
    if not _KEY_ID.fullmatch(key_id) or found.verifier().key_id.hex() != key_id:
        raise ParseError("The key id of the signer key is not that of its name and key.")
    return found


def check_name(name: str) -> None:
    """Raise ParseError unless the text may be the name of a key: not empty, no space, no plus, no control character."""
    if not name or "+" in name or any(character.isspace() for character in name) or _CONTROL.search(name):
        raise ParseError("The name of a key is not empty and has no space and no plus.")
    _utf8(name)


def sign_note(text: str, signers: Sequence[SignerKey]) -> bytes:
    """The note over ``text``, which ends in a newline, with one line for each signer.

    Raises:
        ValueError: The text cannot be the text of a note, or nobody signs.
    """
    if not text.endswith("\n") or _CONTROL.search(text) or not signers:
        raise ValueError("The text of a note ends in a newline, has no control characters, and is signed.")
    data = text.encode()
    lines = [Signature(key.name, key.verifier().key_id, key.private.sign(data)) for key in signers]
    return write_note(Note(text, tuple(lines)))


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
    if _CONTROL.search(whole):
        raise ParseError("A note has no control character other than the newline.")
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise ParseError("A note is a text, an empty line, and lines of signatures.")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise ParseError(f"A note has at most {MAX_SIGNATURES} signatures.")
    return Note(text + "\n", tuple(_parse_signature(line) for line in signatures))


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
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature.value, text)
        except (InvalidSignature, ValueError) as error:
            raise NotVerified(f"A signature of {key.name} is wrong.") from error
        signed.append(key)
    if not signed:
        raise NotVerified("No key that is trusted here signed this.")
    return tuple(signed)


def _parse_signature(line: str) -> Signature:
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
