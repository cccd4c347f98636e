"""Passwords of grants, and what the server stores instead of them (RFC 5802, RFC 7677)."""

import base64
import hashlib
import hmac
import secrets

from portal.connectors.secret import Secret

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 letters that are not taken for one another
LENGTH = 28  # times 5 bits: 140
ITERATIONS = 4096  # what every server and client of PostgreSQL expects


def make_password() -> Secret:
    """A new random password. ASCII, so that SASLprep leaves it as it is."""
    return Secret("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def scram_verifier(password: Secret, salt: bytes | None = None) -> Secret:
    """`SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`: stored by the server as given, so no clear text is in its log."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.reveal().encode("ascii"), salt, ITERATIONS)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server_key = _hmac(salted, b"Server Key")
    return Secret(f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
