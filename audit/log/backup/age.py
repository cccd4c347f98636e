"""Encryption with age (age-encryption.org/v1), which its ordinary tool opens. No Django."""

from typing import Any

import pyrage
from pyrage import x25519

from audit.log.errors import ParseError

Recipient = Any  # of x25519; the package ships no types
Identity = Any


class NotOpened(Exception):
    """The file is not encrypted to this key, or not as it was written."""


def parse_recipients(text: str) -> tuple[Recipient, ...]:
    """Public keys (``age1…``), white space between them: whoever holds the secret half of one of them opens the file.

    Raises:
        ParseError: There is none, or one of them is malformed.
    """
    try:
        found = tuple(x25519.Recipient.from_str(word) for word in text.split())
    except pyrage.RecipientError as error:
        raise ParseError("A recipient of backups is the public key of age, age1….") from error
    if not found:
        raise ParseError("No recipient of backups is set.")
    return found


def parse_identities(text: str) -> tuple[Identity, ...]:
    """Secret keys, one in each line, as ``age-keygen`` writes them. No message of an error repeats any of it.

    Raises:
        ParseError: There is none, or one of them is malformed.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        found = tuple(x25519.Identity.from_str(line) for line in lines)
    except pyrage.IdentityError:
        raise ParseError("An identity is the secret key of age, AGE-SECRET-KEY-1….") from None
    if not found:
        raise ParseError("No identity is in the file.")
    return found


def new_identity() -> tuple[str, str]:
    """A new key pair as texts: the secret half as ``age-keygen`` writes it, the public one."""
    identity = x25519.Identity.generate()
    public = str(identity.to_public())
    return f"# public key: {public}\n{identity}\n", public


def encrypted(data: bytes, recipients: tuple[Recipient, ...]) -> bytes:
    """A file of age."""
    return bytes(pyrage.encrypt(data, list(recipients)))


def decrypted(data: bytes, identities: tuple[Identity, ...]) -> bytes:
    """What is in a file of age.

    Raises:
        NotOpened: See there.
    """
    try:
        return bytes(pyrage.decrypt(data, list(identities)))
    except pyrage.DecryptError as error:
        raise NotOpened("A file of the backup cannot be opened with this identity.") from error
