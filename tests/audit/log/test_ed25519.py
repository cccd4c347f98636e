"""The slow check of signatures says what the library says (RFC 8032, section 7.1, and random cases)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.ed25519 import ORDER, is_signed, is_signed_slowly

VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("public", "data", "signature"), VECTORS)
def test_vectors_of_the_rfc(public: str, data: str, signature: str) -> None:
    known = bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(data)
    assert (is_signed_slowly(*known), is_signed(*known)) == (True, True)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    data=st.binary(max_size=80),
    place=st.integers(0, 95),
    bit=st.integers(0, 7),
)
def test_one_flipped_bit_of_key_or_signature_never_verifies(seed: bytes, data: bytes, place: int, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(data)
    assert is_signed_slowly(public, signature, data)
    whole = bytearray(public + signature)
    whole[place] ^= 1 << bit
    flipped = bytes(whole[:32]), bytes(whole[32:])
    assert (is_signed_slowly(*flipped, data), is_signed(*flipped, data)) == (False, False)


def test_a_signature_in_its_second_form_and_wrong_lengths_are_refused() -> None:
    public, data, signature = (bytes.fromhex(each) for each in VECTORS[1])
    second = signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    for case in ((public, second), (public, signature[:-1]), (public[:-1], signature), (b"\xff" * 32, signature)):
        assert (is_signed_slowly(*case, data), is_signed(*case, data)) == (False, False)
