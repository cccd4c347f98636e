"""Signatures of webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.

Signed is ``{id}.{timestamp}.{body}`` with HMAC-SHA-256; several signatures stand side by side while a secret is being replaced, so that the
receiver may take the new one at any time in between.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable

from django.views.decorators.debug import sensitive_variables

PREFIX = "whsec_"
BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    """Random bytes in base64, as a receiver's library takes them."""
    return PREFIX + base64.b64encode(os.urandom(BYTES)).decode()


@sensitive_variables()
def headers(key: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers of the specification. ``timestamp`` in seconds since 1970 UTC: that of this sending, not of the alert."""
    signed = f"{key}.{timestamp}.".encode() + body
    made = [base64.b64encode(hmac.digest(_bytes(each), signed, hashlib.sha256)).decode() for each in secrets]
    return {
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in made),
    }


@sensitive_variables()
def _bytes(secret: str) -> bytes:
    """Raises ValueError where it is no secret of ours."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not a secret of a webhook") from None
