"""Ids of events."""

import time
import uuid

from audit.log.identities import new_id


def test_id_is_of_version_7_and_carries_its_time() -> None:
    before = time.time_ns() // 1_000_000
    found = new_id()
    after = time.time_ns() // 1_000_000
    assert (found.version, found.variant, before <= found.int >> 80 <= after) == (7, uuid.RFC_4122, True)


def test_ids_of_one_moment_differ_and_those_of_later_moments_are_greater() -> None:
    first = [new_id() for _ in range(2000)]
    time.sleep(0.002)
    assert len(set(first)) == 2000
    assert max(first) < new_id()


def test_all_random_bits_vary() -> None:
    ids = [new_id().int for _ in range(400)]
    fixed = 0xF << 76 | 0b11 << 62
    ever_one, ever_zero = 0, 0
    for each in ids:
        ever_one |= each
        ever_zero |= ~each
    mask = ((1 << 80) - 1) & ~fixed
    assert (ever_one & mask, ever_zero & mask) == (mask, mask)
