"""Secrets at rest open only under their key and in their place."""

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from portal.environment import MissingSetting
from portal.secrets import SecretUnreadable, decrypt, encrypt, new_key


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_round_trip(text: str, context: str) -> None:
    assert decrypt(encrypt(text, context), context) == text


def test_same_text_never_has_the_same_bytes() -> None:
    assert encrypt("x", "system:1") != encrypt("x", "system:1")


def test_other_place_does_not_open() -> None:
    with pytest.raises(SecretUnreadable):
        decrypt(encrypt("x", "system:1"), "system:2")


def test_other_key_does_not_open(settings: Settings) -> None:
    stored = encrypt("x", "system:1")
    settings.PORTAL_SECRETS_KEY = new_key()
    with pytest.raises(SecretUnreadable):
        decrypt(stored, "system:1")


@pytest.mark.parametrize("place", range(35))
def test_one_flipped_bit_does_not_open(place: int) -> None:
    stored = bytearray(encrypt("hello!", "system:1"))
    assert len(stored) == 35
    stored[place] ^= 1
    with pytest.raises(SecretUnreadable):
        decrypt(bytes(stored), "system:1")


@given(st.binary(max_size=64))
def test_any_bytes_give_our_error(stored: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        decrypt(stored, "system:1")


@pytest.mark.parametrize(
    "key",
    ["", "short", base64.urlsafe_b64encode(os.urandom(16)).decode(), "ü"],
    ids=["none", "short", "16 bytes", "no base64"],
)
def test_missing_or_weak_key_is_named(settings: Settings, key: str) -> None:
    settings.PORTAL_SECRETS_KEY = key
    with pytest.raises(MissingSetting, match="PORTAL_SECRETS_KEY"):
        encrypt("x", "system:1")
