"""Cosignatures (C2SP tlog-cosignature): ours are read, and nothing else passes for one."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.log.checkpoint import parse_checkpoint
from audit.log.cosignature import Cosigned, parse_cosigner_key, parse_lines, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Note, Signature, to_base64
from audit.log.signing import SignerKey, cosign
from tests.audit.log.simulator import simulated

WITNESS = SignerKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
AT = 1_790_000_000


@pytest.fixture(scope="module")
def note(signer: SignerKey) -> Note:
    return parse_checkpoint(simulated(signer, 3).notes[-1].note).note


def cosigned(note: Note, *lines: Signature) -> Note:
    return Note(note.text, (*note.signatures, *lines))


def test_key_id_is_made_as_the_page_says() -> None:
    key = WITNESS.cosigner()
    assert key.key_id == hashlib.sha256(b"witness.example/w1\n\x04" + key.public).digest()[:4]
    assert parse_cosigner_key(key.text()) == key


def test_message_is_the_header_the_time_and_the_whole_text(note: Note) -> None:
    line = cosign(note.text, WITNESS, AT)
    assert int.from_bytes(line.value[:8], "big") == AT
    said = b"cosignature/v1\ntime 1790000000\n" + note.text.encode()
    WITNESS.private.public_key().verify(line.value[8:], said)


def test_known_witnesses_are_found_and_others_ignored(note: Note) -> None:
    other = SignerKey("witness.example/w2", Ed25519PrivateKey.from_private_bytes(b"x" * 32))
    both = cosigned(note, cosign(note.text, WITNESS, AT), cosign(note.text, other, AT + 1))
    assert [(each.by, each.at) for each in verify_cosignatures(both, [WITNESS.cosigner()])] == [
        (WITNESS.cosigner(), AT)
    ]
    assert verify_cosignatures(note, [WITNESS.cosigner()]) == ()


def test_a_witness_under_the_key_type_of_a_log_is_not_one(note: Note) -> None:
    with pytest.raises(ParseError, match="not one for cosignatures"):
        parse_cosigner_key(WITNESS.verifier().text())


@pytest.mark.parametrize("broken", ["text", "time", "signature", "short"])
def test_a_wrong_line_of_a_known_witness_is_not_ignored(note: Note, broken: str) -> None:
    line = cosign(note.text, WITNESS, AT)
    value = {
        "text": line.value,
        "time": (AT + 1).to_bytes(8, "big") + line.value[8:],
        "signature": line.value[:-1] + bytes([line.value[-1] ^ 1]),
        "short": line.value[:-1],
    }[broken]
    text = note.text.replace("\n3\n", "\n4\n") if broken == "text" else note.text
    with pytest.raises(NotVerified, match="cosignature of witness"):
        verify_cosignatures(Note(text, (Signature(line.name, line.key_id, value),)), [WITNESS.cosigner()])


@pytest.mark.parametrize("at", [0, 2**63])
def test_times_that_the_page_forbids_are_refused(note: Note, at: int) -> None:
    value = at.to_bytes(8, "big") + WITNESS.private.sign(f"cosignature/v1\ntime {at}\n{note.text}".encode())
    line = Signature(WITNESS.name, WITNESS.cosigner().key_id, value)
    with pytest.raises(NotVerified):
        verify_cosignatures(cosigned(note, line), [WITNESS.cosigner()])
    with pytest.raises(ValueError, match="has a time"):
        cosign(note.text, WITNESS, at)


def test_only_the_check_makes_one() -> None:
    with pytest.raises(TypeError):
        Cosigned(WITNESS.cosigner(), AT, Signature("x", b"1234", b""))


def test_answers_are_lines_and_nothing_else(note: Note) -> None:
    line = cosign(note.text, WITNESS, AT)
    written = f"— {line.name} {to_base64(line.key_id + line.value)}\n".encode()
    assert parse_lines(written * 2) == (line, line)
    for wrong in (b"", written[:-1], written + b"\n", b"\xff\n", b"text\n"):
        with pytest.raises(ParseError):
            parse_lines(wrong)


@given(data=st.binary(max_size=200))
def test_any_bytes_are_lines_or_our_error(data: bytes) -> None:
    try:
        found = parse_lines(data)
    except ParseError:
        return
    assert "".join(f"— {each.name} {to_base64(each.key_id + each.value)}\n" for each in found).encode() == data
