"""The secret half of the log's signatures; nothing that only checks imports this."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.checkpoint import MAX_SIZE, Checkpoint, checkpoint_text
from audit.log.cosignature import CosignerKey, message
from audit.log.errors import ParseError
from audit.log.note import (
    CONTROL,
    ED25519,
    KEY_ID,
    Note,
    Signature,
    VerifierKey,
    check_name,
    from_base64,
    to_base64,
    write_note,
)


class CannotSign(Exception):
    """Whoever keeps the key does not answer, or answers with something else than a signature."""


class Signer(Protocol):
    """Signs for a log: a key in a file, or a service that keeps one."""

    @property
    def name(self) -> str:
        """The origin of the log."""

    def verifier(self) -> VerifierKey:
        """The public half; the same at each call."""

    def sign(self, data: bytes) -> bytes:
        """The Ed25519 signature (64 bytes) of the data; `CannotSign` where there is none within seconds."""


@dataclass(frozen=True)
class SignerKey:
    """A private key under a name. Its seed is left out of what Python prints."""

    name: str
    private: Ed25519PrivateKey

    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def cosigner(self) -> CosignerKey:
        """The public half of a key that cosigns."""
        return CosignerKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """See `Signer.sign`."""
        return self.private.sign(data)

    def text(self) -> str:
        """The signer key as golang.org/x/mod/sumdb/note writes it. Secret."""
        seed = self.private.private_bytes_raw()
        return f"PRIVATE+KEY+{self.name}+{self.verifier().key_id.hex()}+{to_base64(ED25519 + seed)}"

    def __repr__(self) -> str:
        """The name alone."""
        return f"SignerKey({self.name!r})"


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
    if not KEY_ID.fullmatch(key_id) or found.verifier().key_id.hex() != key_id:
        raise ParseError("The key id of the signer key is not that of its name and key.")
    return found


def sign_note(text: str, signers: Sequence[Signer]) -> bytes:
    """The note over ``text``, which ends in a newline, with one line for each signer.

    Raises:
        ValueError: The text cannot be the text of a note, or nobody signs.
    """
    if not text.endswith("\n") or CONTROL.search(text) or not signers:
        raise ValueError("The text of a note ends in a newline, has no control characters, and is signed.")
    data = text.encode()
    lines = [Signature(key.name, key.verifier().key_id, key.sign(data)) for key in signers]
    return write_note(Note(text, tuple(lines)))


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed note of a checkpoint; the log's key carries the name of the origin."""
    if checkpoint.origin != signer.name:
        raise ValueError("A log signs checkpoints of its own origin only.")
    return sign_note(checkpoint_text(checkpoint), [signer])


def cosign(text: str, signer: SignerKey, at: int) -> Signature:
    """The line of a witness under the text of a checkpoint, at a time in seconds since 1970 UTC (C2SP tlog-cosignature)."""
    if not 0 < at <= MAX_SIZE:
        raise ValueError("A cosignature of a checkpoint has a time, of 63 bits at most.")
    value = at.to_bytes(8, "big") + signer.sign(message(text, at))
    return Signature(signer.name, signer.cosigner().key_id, value)
