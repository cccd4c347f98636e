"""The ids of events: unique, hard to guess, and in order of time, so that the indexes of a long log grow at one end."""

import os
import time
import uuid

RANDOM_BITS = 80  # of which six say what kind of id it is


def new_id() -> uuid.UUID:
    """A version 7 UUID (RFC 9562, section 5.7): the milliseconds since 1970 by the machine's clock, then 74 random bits."""
    ms = time.time_ns() // 1_000_000
    return uuid.UUID(int=_as_version_7(ms << RANDOM_BITS | int.from_bytes(os.urandom(RANDOM_BITS // 8), "big")))


def _as_version_7(value: int) -> int:
    version, variant = (0xF << 76, 7 << 76), (0b11 << 62, 0b10 << 62)
    for mask, bits in (version, variant):
        value = value & ~mask | bits
    return value
