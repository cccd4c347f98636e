"""Keys that are the same in every run."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.signing import SignerKey


@pytest.fixture(scope="session")
def signer() -> SignerKey:
    return SignerKey("log.example/portal", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="session")
def stranger() -> SignerKey:
    """Another key under the same name."""
    return SignerKey("log.example/portal", Ed25519PrivateKey.from_private_bytes(bytes(32)))
