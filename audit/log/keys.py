"""The log's key pair: made once, the secret half read by the sealer alone."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.checkpoint import parse_log_key
from audit.log.errors import ParseError
from audit.log.note import VerifierKey, check_name, parse_verifier_key
from audit.log.signing import SignerKey, parse_signer_key

SECRET_FILE = "log.key"  # noqa: S105 - the name of a file
PUBLIC_FILE = "log.pub"


def generate(name: str) -> tuple[str, str]:
    """A new key pair as texts: signer key (secret), verifier key.

    Raises:
        ParseError: The name cannot be the name of a key.
    """
    check_name(name)
    signer = SignerKey(name, Ed25519PrivateKey.generate())
    return signer.text(), signer.verifier().text()


def write_pair(directory: Path, name: str) -> VerifierKey:
    """Make a key pair in ``log.key`` (mode 0600) and ``log.pub``; no file is ever replaced.

    Raises:
        FileExistsError: One of the two is there already.
    """
    secret, public = generate(name)
    directory.mkdir(parents=True, exist_ok=True)
    if (directory / PUBLIC_FILE).exists():
        raise FileExistsError(directory / PUBLIC_FILE)
    write_text(directory / SECRET_FILE, secret, 0o600)
    write_text(directory / PUBLIC_FILE, public, 0o644)
    return parse_verifier_key(public)


def write_signer(path: Path, name: str) -> SignerKey:
    """Make a secret key in a file (mode 0600) of its own; no file is ever replaced.

    Raises:
        FileExistsError: It is there already.
        ParseError: The name cannot be the name of a key.
    """
    secret, _ = generate(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, secret, 0o600)
    return parse_signer_key(secret)


def load_signer(path: Path) -> SignerKey:
    """The signer key in a file; one newline may follow it.

    Raises:
        OSError: The file cannot be read.
        ParseError: It holds no signer key.
    """
    return parse_signer_key(path.read_text(encoding="ascii", errors="replace").removesuffix("\n"))


def load_verifiers(text: str) -> tuple[VerifierKey, ...]:
    """The keys of a setting, white space between them, each with the sizes that it is valid for: the present key, and those it followed.

    Raises:
        ParseError: There is none, or one of them is malformed.
    """
    keys = tuple(parse_log_key(word) for word in text.split())
    if not keys:
        raise ParseError("No public key of the log is set.")
    return keys


def write_text(path: Path, text: str, mode: int) -> None:
    """A new file with this text and a newline, with these rights; durable. FileExistsError where it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
