"""An authenticator in software: makes passkeys and signs with them as WebAuthn says, or wrongly in one respect, for tests without a browser."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Authenticator:
    """One ES256 credential. ``flags``, ``origin`` and ``domain`` are what it claims; ``count`` its counter, 0 for none."""

    origin: str = "http://localhost:8000"
    domain: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    cross_origin: bool = False
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, options: dict[str, Any]) -> str:
        """The answer of ``navigator.credentials.create()``, with an attestation of the form "none"."""
        client = self._client("webauthn.create", options)
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self._cose()
        data = self._data(ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._packed({"clientDataJSON": text(client), "attestationObject": text(statement), "transports": ["usb"]})  # fmt: skip

    def get(self, options: dict[str, Any], *, handle: bytes | None = None) -> str:
        """The answer of ``navigator.credentials.get()``."""
        client, data = self._client("webauthn.get", options), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature)}
        return self._packed(response | ({"userHandle": text(handle)} if handle else {}))

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": self.cross_origin}  # fmt: skip
        return json.dumps(told).encode()

    def _data(self, more: int) -> bytes:
        return (
            hashlib.sha256(self.domain.encode()).digest() + bytes([self.flags | more]) + self.count.to_bytes(4, "big")
        )

    def _cose(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def _packed(self, response: dict[str, Any]) -> str:
        name = text(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
