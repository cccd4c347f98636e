"""Checkpoints; tests named ``must`` carry a sentence of C2SP tlog-checkpoint."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle
from audit.log.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    VerifiedCheckpoint,
    checkpoint_text,
    parse_checkpoint,
    verify_checkpoint,
)
from audit.log.errors import NotVerified, ParseError
from audit.log.signing import SignerKey, sign_checkpoint, sign_note

ROOT = bytes(range(32))
ROOT_TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def signed_text(text: str, signer: SignerKey) -> bytes:
    return sign_note(text, [signer])


def test_text_is_origin_size_and_root(signer: SignerKey) -> None:
    text = f"{signer.name}\n20852163\n{ROOT_TEXT}\n"
    assert checkpoint_text(Checkpoint(signer.name, 20_852_163, ROOT)) == text
    assert sign_checkpoint(Checkpoint(signer.name, 20_852_163, ROOT), signer) == signed_text(text, signer)


@given(
    st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(st.sampled_from(["a", "b c"]), max_size=2)
)
def test_checkpoint_read_again_is_the_one_written(
    signer: SignerKey, size: int, root: bytes, extensions: list[str]
) -> None:
    said = Checkpoint(signer.name, size, root if size else merkle.EMPTY_ROOT, tuple(extensions))
    read = parse_checkpoint(sign_checkpoint(said, signer))
    assert read.checkpoint == said
    verified = verify_checkpoint(read, [signer.verifier()])
    assert (verified.origin, verified.size, verified.root) == (said.origin, said.size, said.root)


@pytest.mark.parametrize(
    "text",
    [
        f"\n1\n{ROOT_TEXT}\n",
        f"log\n01\n{ROOT_TEXT}\n",
        f"log\n+1\n{ROOT_TEXT}\n",
        f"log\n-1\n{ROOT_TEXT}\n",
        f"log\n1_0\n{ROOT_TEXT}\n",
        f"log\n 1\n{ROOT_TEXT}\n",
        f"log\n\u0661\n{ROOT_TEXT}\n",
        f"log\n\n{ROOT_TEXT}\n",
        f"log\n9223372036854775808\n{ROOT_TEXT}\n",
        "log\n1\n" + "9" * 5000 + "\n",
        f"log\n1\n{ROOT_TEXT[:-1]}\n",
        f"log\n1\n{ROOT_TEXT[:-2]}9=\n",
        f"log\n1\n{ROOT_TEXT} \n",
        "log\n1\nAAAA\n",
        "log\n1\n",
        "log\n",
        f"log\n1\n{ROOT_TEXT}\n\nextension\n",
        f"log\n1\n{ROOT_TEXT}\nextension\n\n",
    ],
)
def test_lines_must_be_non_empty_and_size_and_root_be_written_in_one_way(signer: SignerKey, text: str) -> None:
    assert parse_checkpoint(signed_text(f"log\n1\n{ROOT_TEXT}\nextension\n", signer)).checkpoint == Checkpoint(
        "log", 1, ROOT, ("extension",)
    )
    with pytest.raises(ParseError):
        parse_checkpoint(signed_text(text, signer))


@pytest.mark.parametrize(
    "said",
    [
        Checkpoint("", 1, ROOT),
        Checkpoint("a\nb", 1, ROOT),
        Checkpoint("log", -1, ROOT),
        Checkpoint("log", 1, ROOT[:31]),
        Checkpoint("log", 1, ROOT, ("",)),
    ],
)
def test_checkpoint_that_could_not_be_read_is_not_written(said: Checkpoint) -> None:
    with pytest.raises(ValueError, match="A checkpoint has lines"):
        checkpoint_text(said)


def test_clients_must_not_assume_a_form_of_the_origin(signer: SignerKey) -> None:
    read = parse_checkpoint(signed_text(f"any words + more\n1\n{ROOT_TEXT}\n", signer))
    assert read.checkpoint.origin == "any words + more"


def test_clients_must_ignore_unknown_signatures(signer: SignerKey, stranger: SignerKey) -> None:
    data = sign_note(checkpoint_text(Checkpoint(signer.name, 1, ROOT)), [stranger, signer])
    assert verify_checkpoint(parse_checkpoint(data), [signer.verifier()]).size == 1


def test_key_of_another_log_does_not_verify(signer: SignerKey) -> None:
    other = SignerKey("log.example/other", signer.private)
    data = signed_text(checkpoint_text(Checkpoint(signer.name, 1, ROOT)), other)
    with pytest.raises(NotVerified):
        verify_checkpoint(parse_checkpoint(data), [other.verifier(), signer.verifier()])
    with pytest.raises(ValueError, match="own origin"):
        sign_checkpoint(Checkpoint(signer.name, 1, ROOT), other)


def test_older_key_of_the_log_verifies_its_checkpoints(signer: SignerKey, stranger: SignerKey) -> None:
    data = sign_checkpoint(Checkpoint(signer.name, 1, ROOT), stranger)
    keys = [signer.verifier(), stranger.verifier()]
    assert verify_checkpoint(parse_checkpoint(data), keys).size == 1


def test_empty_tree_with_another_root_does_not_verify(signer: SignerKey) -> None:
    data = sign_checkpoint(Checkpoint(signer.name, 0, ROOT), signer)
    with pytest.raises(NotVerified):
        verify_checkpoint(parse_checkpoint(data), [signer.verifier()])


def test_checkpoint_beside_the_note_of_another_does_not_verify(signer: SignerKey) -> None:
    read = parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, ROOT), signer))
    forged = SignedCheckpoint(replace(read.checkpoint, size=2), read.note)
    with pytest.raises(NotVerified):
        verify_checkpoint(forged, [signer.verifier()])


def test_verified_checkpoint_is_made_by_verifying_alone(signer: SignerKey) -> None:
    read = parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, ROOT), signer))
    with pytest.raises(TypeError):
        VerifiedCheckpoint(signer.name, 1, ROOT, read)
    with pytest.raises(TypeError):
        VerifiedCheckpoint(signer.name, 1, ROOT, read, object())


@given(st.data())
def test_checkpoint_with_one_flipped_bit_does_not_verify(signer: SignerKey, data: st.DataObject) -> None:
    good = sign_checkpoint(Checkpoint(signer.name, 1234, ROOT), signer)
    bit = data.draw(st.integers(0, len(good) * 8 - 1))
    wrong = bytearray(good)
    wrong[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ParseError, NotVerified)):
        verify_checkpoint(parse_checkpoint(bytes(wrong)), [signer.verifier()])


@given(st.binary(max_size=80))
def test_any_text_is_a_checkpoint_or_a_parse_error(data: bytes) -> None:
    try:
        read = parse_checkpoint(data + "\n\n— log.example AAAAAAA=\n".encode())
    except ParseError:
        return
    assert checkpoint_text(read.checkpoint).encode() == data + b"\n"
