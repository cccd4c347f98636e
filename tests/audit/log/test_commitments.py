"""A commitment holds one salt, field and value, and says nothing of them without the salt."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log.commitments import commit, new_salt, verify_commitment
from audit.log.errors import EncodeError
from tests.audit.log.strategies import texts

SALT = bytes(range(32))


def test_commitment_is_made_of_the_documented_bytes() -> None:
    framed = b"breakglass/commitment/v1\x00" + SALT + b"\x00\x00\x00\x06reason" + "zu spät".encode()
    assert commit(SALT, "reason", "zu spät") == hashlib.sha256(framed).hexdigest()


def test_new_salt_is_32_bytes_and_another_each_time() -> None:
    salts = {new_salt() for _ in range(100)}
    assert [len(salts), {len(salt) for salt in salts}] == [100, {32}]


@given(texts, texts)
def test_commitment_verifies(field: str, value: str) -> None:
    assert verify_commitment(commit(SALT, field, value), SALT, field, value)


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_two_inputs_have_the_same_commitment_only_when_equal(one: tuple[str, str], two: tuple[str, str]) -> None:
    assert (commit(SALT, *one) == commit(SALT, *two)) == (one == two)


def test_field_and_value_cannot_be_shifted() -> None:
    assert (
        len({commit(SALT, "ab", "c"), commit(SALT, "a", "bc"), commit(SALT, "", "abc"), commit(SALT, "abc", "")}) == 4
    )


@given(st.integers(0, 32 * 8 - 1))
def test_commitment_with_one_flipped_bit_of_the_salt_does_not_verify(bit: int) -> None:
    other = bytearray(SALT)
    other[bit // 8] ^= 1 << bit % 8
    assert not verify_commitment(commit(SALT, "reason", "fire"), bytes(other), "reason", "fire")


@pytest.mark.parametrize("text", ["", "x", "é", "\ud800", "A" * 64])
def test_malformed_commitment_does_not_verify(text: str) -> None:
    assert not verify_commitment(text, SALT, "reason", "fire")


@pytest.mark.parametrize("salt", [b"", SALT[:31], SALT + b"x"])
def test_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commit(salt, "reason", "fire")
    assert not verify_commitment(commit(SALT, "reason", "fire"), salt, "reason", "fire")


@pytest.mark.parametrize(("field", "value"), [("\ud800", "a"), ("a", "\udfff")])
def test_half_of_a_surrogate_pair_is_refused(field: str, value: str) -> None:
    with pytest.raises(EncodeError):
        commit(SALT, field, value)
