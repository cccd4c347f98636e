"""Secrets stay hidden, and the verifier is the one that PostgreSQL expects."""

import base64
import copy
import dataclasses
import hashlib
import hmac
import json
import pickle
from collections.abc import Callable

import pytest

from portal.connectors.base import Opening, Secret, Target
from portal.connectors.postgresql.secrets import ALPHABET, make_password, scram_verifier

TEXT = "correct horse"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format])
def test_secret_is_not_shown(show: Callable[[Secret], str]) -> None:
    assert show(Secret(TEXT)) == "Secret(hidden)"


def test_secret_is_not_written_down() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(TEXT))
    with pytest.raises(TypeError):
        json.dumps(Secret(TEXT))


def test_secret_inside_values_is_not_shown() -> None:
    opening = Opening("g", 1, "n", "p", Secret(TEXT), 0)
    target = Target("s", "postgresql", {"host": "localhost"}, Secret(TEXT))
    assert TEXT not in f"{opening!r}{target!r}{dataclasses.asdict(opening)!r}"


def test_secret_is_equal_by_its_text() -> None:
    assert Secret(TEXT) == Secret(TEXT) == copy.deepcopy(Secret(TEXT))
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT
    assert len({Secret(TEXT), Secret(TEXT)}) == 1
    assert not Secret("")


def test_password_has_at_least_128_bits() -> None:
    password = make_password().reveal()
    assert len(set(ALPHABET)) ** len(password) >= 2**128
    assert set(password) <= set(ALPHABET)


def test_verifier_is_that_of_rfc_7677() -> None:
    """RFC 7677, section 3: user `user`, password `pencil`; the keys follow from its salt and count."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    verifier = scram_verifier(Secret("pencil"), salt).reveal()
    head, salt_text, keys = verifier.removeprefix("SCRAM-SHA-256$").replace("$", ":").split(":", 2)
    assert (head, salt_text) == ("4096", "W22ZaJ0SNY7soEsUEjb6gQ==")
    stored, server_key = (base64.b64decode(part) for part in keys.split(":"))
    auth = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,"
        b"i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, hmac.digest(stored, auth, "sha256"), strict=True))
    assert hashlib.sha256(client_key).digest() == stored
    assert base64.b64encode(hmac.digest(server_key, auth, "sha256")) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
