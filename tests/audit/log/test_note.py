"""Notes and keys; tests named ``must`` carry a sentence of C2SP signed-note."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.log import note
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Signature
from audit.log.signing import SignerKey, parse_signer_key, sign_note

# The example of the specification.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
""".encode()


def other_key(number: int) -> SignerKey:
    return SignerKey(f"other.example/{number}", Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)))


def test_example_of_the_specification_verifies() -> None:
    read = note.parse_note(EXAMPLE)
    assert [key.text() for key in note.verify_note(read, [note.parse_verifier_key(EXAMPLE_KEY)])] == [EXAMPLE_KEY]
    assert note.write_note(read) == EXAMPLE


def test_text_must_be_ignored_unless_a_trusted_key_signed(signer: SignerKey, stranger: SignerKey) -> None:
    read = note.parse_note(sign_note("a\n", [stranger]))
    with pytest.raises(NotVerified):
        note.verify_note(read, [signer.verifier()])
    with pytest.raises(NotVerified):
        note.verify_note(read, [])


def test_verifiers_must_ignore_signatures_of_unknown_keys_that_share_a_name_or_an_id(signer: SignerKey) -> None:
    signed = note.parse_note(sign_note("a\n", [signer]))
    same_name = Signature(signer.name, b"\0\0\0\0", bytes(64))
    same_id = Signature("other.example", signer.verifier().key_id, bytes(64))
    both = note.Note(signed.text, (same_name, *signed.signatures, same_id))
    assert note.verify_note(note.parse_note(note.write_note(both)), [signer.verifier()]) == (signer.verifier(),)


def test_verifiers_must_check_and_reject_a_wrong_signature_of_a_known_key(signer: SignerKey) -> None:
    signed = note.parse_note(sign_note("a\n", [signer, other_key(1)]))
    wrong = Signature(signer.name, signer.verifier().key_id, bytes(64))
    keys = [signer.verifier(), other_key(1).verifier()]
    assert len(note.verify_note(signed, keys)) == 2
    for signatures in ((wrong, signed.signatures[1]), (*signed.signatures, wrong)):
        with pytest.raises(NotVerified):
            note.verify_note(note.Note(signed.text, signatures), keys)


def test_verifiers_must_accept_16_signatures(signer: SignerKey) -> None:
    data = sign_note("a\n", [*(other_key(number) for number in range(15)), signer])
    assert note.verify_note(note.parse_note(data), [signer.verifier()]) == (signer.verifier(),)


def test_too_many_signatures_or_bytes_are_refused(signer: SignerKey) -> None:
    line = sign_note("a\n", [signer]).split(b"\n\n")[1]
    assert len(note.parse_note(b"a\n\n" + line * note.MAX_SIGNATURES).signatures) == note.MAX_SIGNATURES
    with pytest.raises(ParseError):
        note.parse_note(b"a\n\n" + line * (note.MAX_SIGNATURES + 1))
    with pytest.raises(ParseError):
        note.parse_note(b"a" * note.MAX_NOTE_BYTES + b"\n\n" + line)


def test_notes_must_be_utf8_without_control_characters(signer: SignerKey) -> None:
    line = sign_note("a\n", [signer]).split(b"\n\n")[1]
    for text in (b"\xff\n", b"a\x00\n", b"a\tb\n", b"a\r\n", b"\x1f\n", b"\xed\xa0\x80\n"):
        with pytest.raises(ParseError):
            note.parse_note(text + b"\n" + line)


def test_text_is_separated_at_the_last_empty_line(signer: SignerKey) -> None:
    text = "a\n\n— b\n\n\nc\n"
    assert note.parse_note(sign_note(text, [signer])).text == text


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "\ud800", "a\x01"], ids=repr)
def test_key_names_must_be_non_empty_without_spaces_and_plus(name: str) -> None:
    with pytest.raises(ParseError):
        note.check_name(name)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "— log.example AAAAAAA=",
        "- log.example AAAAAAA=\n",
        "—  log.example AAAAAAA=\n",
        "— log.example  AAAAAAA=\n",
        "— log.example AAAAAAA= \n",
        "— log.example AAAAAA==\n",
        "— log.example AAAAAAB=\n",
        "— log.example AAAAAAA\n",
        "— log.example AAAA_AA=\n",
        "— log+example AAAAAAA=\n",
        "— AAAAAAA=\n",
        "— log.example é\n",
        "— log.example AAAAAAA=\nmore\n",
    ],
    ids=repr,
)
def test_signature_lines_of_another_form_are_refused(lines: str) -> None:
    assert note.parse_note("a\n\n— log.example AAAAAAA=\n".encode()).signatures == (
        Signature("log.example", b"\0\0\0\0", b"\0"),
    )
    with pytest.raises(ParseError):
        note.parse_note(f"a\n\n{lines}".encode())


@given(st.binary(max_size=60) | st.lists(st.sampled_from(["a", "\n", "\n\n", "— ", "b c", " AAAAAAA="]), max_size=12))
def test_any_bytes_are_a_note_or_a_parse_error(data: bytes | list[str]) -> None:
    whole = data if isinstance(data, bytes) else "".join(data).encode()
    try:
        read = note.parse_note(whole)
    except ParseError:
        return
    assert note.write_note(read) == whole


@given(st.data())
def test_note_with_one_flipped_bit_does_not_verify(signer: SignerKey, data: st.DataObject) -> None:
    good = sign_note("a line\nand another\n", [signer])
    bit = data.draw(st.integers(0, len(good) * 8 - 1))
    wrong = bytearray(good)
    wrong[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ParseError, NotVerified)):
        note.verify_note(note.parse_note(bytes(wrong)), [signer.verifier()])


@pytest.mark.parametrize("text", ["", "a", "a\n\x01\n", "a\tb\n"], ids=repr)
def test_text_that_is_no_note_is_not_signed(signer: SignerKey, text: str) -> None:
    with pytest.raises(ValueError, match="text of a note"):
        sign_note(text, [signer])


def test_note_without_a_signer_is_not_written() -> None:
    with pytest.raises(ValueError, match="is signed"):
        sign_note("a\n", [])


def test_key_id_is_the_hash_of_name_type_and_key(signer: SignerKey) -> None:
    public = signer.private.public_key().public_bytes_raw()
    assert signer.verifier().key_id == hashlib.sha256(b"log.example/portal\n\x01" + public).digest()[:4]


def test_keys_are_written_and_read(signer: SignerKey) -> None:
    assert note.parse_verifier_key(signer.verifier().text()) == signer.verifier()
    assert parse_signer_key(signer.text()).verifier() == signer.verifier()


def test_signer_key_is_not_shown(signer: SignerKey) -> None:
    assert repr(signer) == "SignerKey('log.example/portal')"


def test_key_name_and_id_must_match_in_a_verifier_key(signer: SignerKey) -> None:
    name, key_id, key = signer.verifier().text().split("+", 2)
    wrong_type = base64.b64encode(b"\x02" + signer.verifier().public).decode()
    for text in (
        f"{name}x+{key_id}+{key}",
        f"{name}+00000000+{key}",
        f"{name}+{key_id.upper()}+{key}",
        f"{name}+{key_id}+{key[:-1]}",
        f"{name}+{key_id}+{wrong_type}",
        f"{name}+{key_id}",
        f" {name}+{key_id}+{key}",
        f"{name}+{key_id}+{key}\n",
        "",
    ):
        with pytest.raises(ParseError):
            note.parse_verifier_key(text)


def test_malformed_signer_key_is_refused_without_showing_it(signer: SignerKey) -> None:
    _, _, name, key_id, key = signer.text().split("+", 4)
    wrong_type = base64.b64encode(b"\x02" + bytes(range(32))).decode()
    for text in (
        signer.text() + " ",
        f"PRIVATE+KEY+{name}x+{key_id}+{key}",
        f"PRIVATE+KEY+{name}+00000000+{key}",
        f"PRIVATE+KEY+{name}+{key_id}+{wrong_type}",
        signer.verifier().text(),
        "",
    ):
        with pytest.raises(ParseError) as caught:
            parse_signer_key(text)
        assert key not in str(caught.value)
