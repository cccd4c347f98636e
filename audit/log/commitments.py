"""A personal value stands in an entry as a salted hash, so that the value can be erased and the entry stays as it was.

``SHA-256("breakglass/commitment/v1" 0x00 || salt || length of field as uint32 || field || value)``, texts in UTF-8. The
salt is 32 random bytes and the length 4, so no two different inputs have the same framing. Without the salt nobody can
try out likely values.
"""

import hashlib
import hmac
import os

from audit.log.errors import EncodeError

SALT_BYTES = 32
_TAGGED = hashlib.sha256(b"breakglass/commitment/v1\x00")


def new_salt() -> bytes:
    """32 random bytes; each value has its own."""
    return os.urandom(SALT_BYTES)


def commit(salt: bytes, field: str, value: str) -> str:
    """The commitment to one personal value, 64 lower-case hexadecimal digits.

    Raises:
        EncodeError: A text holds half of a surrogate pair.
        ValueError: The salt is not 32 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"A salt has {SALT_BYTES} bytes, not {len(salt)}.")
    try:
        name, text = field.encode(), value.encode()
    except UnicodeEncodeError as error:
        raise EncodeError("A personal value or its field holds half of a surrogate pair.") from error
    digest = _TAGGED.copy()
    digest.update(b"".join((salt, len(name).to_bytes(4, "big"), name, text)))
    return digest.hexdigest()


def verify_commitment(commitment: str, salt: bytes, field: str, value: str) -> bool:
    """Whether the commitment was made from this salt, field and value; anything malformed was not."""
    try:
        made = commit(salt, field, value)
    except ValueError:
        return False
    return hmac.compare_digest(made.encode(), commitment.encode("utf-8", "replace"))
