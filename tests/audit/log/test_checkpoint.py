"""Checkpoints; tests named ``must`` carry a sentence of C2SP tlog-checkpoint."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle
from audit.log.checkpoint import (
    MAX_SIZE,
    Checkpoint,
    SignedCheckpoint,
    VerifiedCheckpoint,
    checkpoint_text,
    log_key_text,
    parse_checkpoint,
    parse_log_key,
    verify_checkpoint,
)
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey
from audit.log.signing import SignerKey, sign_checkpoint, sign_note
from tests.audit.log.strategies import texts

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


def sized(signer: SignerKey, size: int) -> SignedCheckpoint:
    return parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, size, bytes(32)), signer))


def test_a_key_signs_only_the_sizes_that_it_is_valid_for(signer: SignerKey, stranger: SignerKey) -> None:
    keys = [parse_log_key(f"{signer.verifier().text()}@3-5"), parse_log_key(f"{stranger.verifier().text()}@5-")]
    for key, size in ((signer, 3), (signer, 5), (stranger, 5), (stranger, 900)):
        assert verify_checkpoint(sized(key, size), keys).size == size
    for key, size in ((signer, 2), (signer, 6), (stranger, 4)):
        with pytest.raises(NotVerified, match=f"The key that signed {size} entries is not valid for that size"):
            verify_checkpoint(sized(key, size), keys)


def test_a_key_valid_for_two_ranges_signs_in_both(signer: SignerKey) -> None:
    keys = [parse_log_key(f"{signer.verifier().text()}@{sizes}") for sizes in ("0-2", "7-")]
    assert [verify_checkpoint(sized(signer, size), keys).size for size in (1, 8)] == [1, 8]
    with pytest.raises(NotVerified):
        verify_checkpoint(sized(signer, 5), keys)


@pytest.mark.parametrize("sizes", ["", "@", "@5", "@-5", "@5-4", "@05-", "@1-2-3", "@1- ", f"@{2**63}-"])
def test_what_follows_a_key_is_a_range_of_sizes(signer: SignerKey, sizes: str) -> None:
    text = signer.verifier().text()
    if not sizes:
        assert log_key_text(parse_log_key(text)) == text
        return
    with pytest.raises(ParseError):
        parse_log_key(text + sizes)


@given(
    name=st.sampled_from(["log.example", "a@b", "a@1-2"]),
    first=st.integers(0, MAX_SIZE),
    more=st.none() | st.integers(0, 9),
)
def test_key_with_its_range_is_written_and_read(name: str, first: int, more: int | None) -> None:
    last = None if more is None else min(first + more, MAX_SIZE)
    key = VerifierKey(name, bytes(32), first, last)
    found = parse_log_key(log_key_text(key))
    assert (found, found.first, found.last) == (key, first, last)


@given(st.text(max_size=30) | st.builds("{}@{}-{}".format, st.just(VerifierKey("a", bytes(32)).text()), texts, texts))
def test_any_text_is_a_key_of_a_log_or_a_parse_error(text: str) -> None:
    try:
        found = parse_log_key(text)
    except ParseError:
        return
    assert log_key_text(found) == text.removesuffix("@0-")
