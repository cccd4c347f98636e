"""Secrets at rest: AES-256-GCM under PORTAL_SECRETS_KEY, each bound to the place where it belongs.

Bytes: one for the version, 12 of nonce, then ciphertext and tag (NIST SP 800-38D). The context is authenticated and not stored:
a secret that was moved to another row does not open.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from portal.environment import MissingSetting

VERSION = b"\x01"
NONCE = 12


class SecretUnreadable(Exception):
    """The secret was made under another key, for another place, or was changed."""


@sensitive_variables("text")
def encrypt(text: str, context: str) -> bytes:
    """Encrypt ``text`` for the place that ``context`` names, such as ``system:<id>``."""
    nonce = os.urandom(NONCE)
    return VERSION + nonce + _cipher().encrypt(nonce, text.encode(), VERSION + context.encode())


@sensitive_variables()
def decrypt(stored: bytes | memoryview, context: str) -> str:
    """Give the text back.

    Raises:
        SecretUnreadable: not this key, not this context, or changed bytes.
    """
    data = bytes(stored)
    if data[:1] != VERSION:
        raise SecretUnreadable("This secret cannot be read; it has to be entered again.")
    try:
        return _cipher().decrypt(data[1 : 1 + NONCE], data[1 + NONCE :], VERSION + context.encode()).decode()
    except (InvalidTag, ValueError):
        raise SecretUnreadable("This secret cannot be read; it has to be entered again.") from None


def new_key() -> str:
    """32 random bytes in URL-safe base 64, as PORTAL_SECRETS_KEY takes them."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@sensitive_variables()
def _cipher() -> AESGCM:
    try:
        key = base64.urlsafe_b64decode(settings.PORTAL_SECRETS_KEY)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise MissingSetting("PORTAL_SECRETS_KEY is not 32 bytes in URL-safe base 64; manage.py secrets_key makes one.")
    return AESGCM(key)
