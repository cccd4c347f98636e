"""The log's key behind a service on the same host: the sealer sees a socket, never the key. What the service must answer: docs/operate.md, section 2."""

import socket
from dataclasses import dataclass
from pathlib import Path

from audit.log.addresses import spoken
from audit.log.ed25519 import is_signed
from audit.log.errors import ParseError
from audit.log.note import VerifierKey, from_base64, parse_verifier_key, to_base64
from audit.log.signing import CannotSign

TIMEOUT_S = 2.0  # the transaction of a sealing waits for it
MAX_LINE = 4096


@dataclass(frozen=True)
class KeyService:
    """A `Signer` that asks a Unix socket: one question and one answer for each connection, a line each."""

    path: Path
    key: VerifierKey

    @property
    def name(self) -> str:
        """See `Signer.name`."""
        return self.key.name

    def verifier(self) -> VerifierKey:
        """See `Signer.verifier`."""
        return self.key

    def sign(self, data: bytes) -> bytes:
        """See `Signer.sign`. What comes back is checked before it is believed."""
        answer = _ask(self.path, f"sign {to_base64(data)}")
        try:
            signature = from_base64(answer)
        except ParseError as error:
            raise CannotSign(f"The key service answers: {spoken(answer)}") from error
        if not is_signed(self.key.public, signature, data):
            raise CannotSign("The key service answers with a signature that is not of the log's key.")
        return signature


def connect(path: Path) -> KeyService:
    """Ask the service for its public key.

    Raises:
        CannotSign: It does not answer, or not with a verifier key.
    """
    answer = _ask(path, "key")
    try:
        return KeyService(path, parse_verifier_key(answer))
    except ParseError as error:
        raise CannotSign(f"The key service does not say its key. {error}") from error


def _ask(path: Path, question: str) -> str:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.settimeout(TIMEOUT_S)
            asked.connect(str(path))
            asked.sendall(f"{question}\n".encode())
            with asked.makefile("rb") as file:
                line = file.readline(MAX_LINE)
    except OSError as error:
        raise CannotSign(f"The key service at {path} does not answer: {error}.") from error
    if not line.endswith(b"\n"):
        raise CannotSign("The key service broke off.")
    return line[:-1].decode("utf-8", errors="replace")
