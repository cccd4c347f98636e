"""Proof files; tests named ``must`` carry a sentence of C2SP tlog-proof."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle, note
from audit.log.canonical import encode
from audit.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.proof import (
    LogProof,
    VerifiedInclusion,
    parse_proof,
    verify_carried,
    verify_inclusion,
    verify_proof,
    write_proof,
)
from audit.log.signing import SignerKey, sign_checkpoint

ENTRIES = [encode({"id": f"id-{number}", "name": "glass.broken"}) for number in range(11)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]


def node(level: int, index: int) -> bytes:
    return merkle.root(LEAVES[index << level : (index + 1) << level])


def made(signer: SignerKey, index: int = 4, extra: bytes | None = None) -> LogProof:
    signed = parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 11, merkle.root(LEAVES)), signer))
    return LogProof(index, merkle.inclusion_proof(index, 11, node).path, signed, extra)


def test_file_has_the_lines_of_the_specification(signer: SignerKey) -> None:
    proof = made(signer, extra=b"age-v1.2.1")
    head, checkpoint = write_proof(proof).split(b"\n\n", 1)
    hashes = [note.to_base64(hash_) for hash_ in proof.path]
    assert head.decode().split("\n") == ["c2sp.org/tlog-proof@v1", "extra YWdlLXYxLjIuMQ==", "index 4", *hashes]
    assert checkpoint == note.write_note(proof.checkpoint.note)


@pytest.mark.parametrize("index", range(11))
@pytest.mark.parametrize("extra", [None, b"", b"words"])
def test_file_read_again_is_the_proof_and_verifies(signer: SignerKey, index: int, extra: bytes | None) -> None:
    proof = made(signer, index, extra)
    assert parse_proof(write_proof(proof)) == proof
    found = verify_proof(proof, ENTRIES[index], [signer.verifier()])
    assert (found.index, found.event_id, found.entry) == (index, f"id-{index}", ENTRIES[index])
    assert found.proof() == replace(proof, extra=None)


def test_proof_of_the_only_entry_has_no_hashes(signer: SignerKey) -> None:
    signed = parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, LEAVES[0]), signer))
    proof = LogProof(0, (), signed)
    assert write_proof(proof).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/portal\n1\n")
    assert verify_proof(parse_proof(write_proof(proof)), ENTRIES[0], [signer.verifier()]).index == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"c2sp.org/tlog-proof@v1\n", b"c2sp.org/tlog-proof@v2\n"),
        (b"c2sp.org/tlog-proof@v1\n", b""),
        (b"index 4\n", b""),
        (b"index 4\n", b"index 04\n"),
        (b"index 4\n", b"index +4\n"),
        (b"index 4\n", b"index -4\n"),
        (b"index 4\n", b"index  4\n"),
        (b"index 4\n", b"index 4\n\n"),
        (b"index 4\n", b"index 4\nAAAA\n"),
        (b"index 4\n", b"index 4\n" + b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" * 64),
        (b"index 4\n", b"index 4\r\n"),
        (b"extra d29yZHM=\n", b"extra d29yZHM\n"),
        (b"extra d29yZHM=\n", b"extra d29yZHN=\n"),
        (b"extra d29yZHM=\n", b"extra d29yZHM=\nextra d29yZHM=\n"),
        (b"extra d29yZHM=\n", "extra é\n".encode()),
    ],
)
def test_lines_must_be_in_order_and_written_in_one_way(signer: SignerKey, old: bytes, new: bytes) -> None:
    data = write_proof(made(signer, extra=b"words"))
    assert data.count(old) == 1
    with pytest.raises(ParseError):
        parse_proof(data.replace(old, new))


def test_proof_of_another_entry_or_index_does_not_verify(signer: SignerKey) -> None:
    with pytest.raises(NotVerified):
        verify_proof(made(signer, 4), ENTRIES[5], [signer.verifier()])
    with pytest.raises(NotVerified):
        verify_proof(replace(made(signer, 4), index=5), ENTRIES[4], [signer.verifier()])


def test_proof_under_a_checkpoint_of_another_key_does_not_verify(signer: SignerKey, stranger: SignerKey) -> None:
    with pytest.raises(NotVerified):
        verify_proof(made(stranger), ENTRIES[4], [signer.verifier()])


def test_bytes_that_are_no_entry_are_not_believed_even_when_proved(signer: SignerKey) -> None:
    data = b'{"b":1,"a":1}'
    signed = parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, merkle.leaf_hash(data)), signer))
    with pytest.raises(ParseError):
        verify_proof(LogProof(0, (), signed), data, [signer.verifier()])


def test_applications_must_not_trust_extra_data(signer: SignerKey) -> None:
    keys = [signer.verifier()]
    assert verify_carried(made(signer, extra=ENTRIES[4]), keys).entry == ENTRIES[4]
    for other in (ENTRIES[3], b"words"):  # another entry of the same log, and none at all
        with pytest.raises((NotVerified, ParseError)):
            verify_carried(made(signer, extra=other), keys)
        assert verify_proof(made(signer, extra=other), ENTRIES[4], keys).entry == ENTRIES[4]


def test_verified_inclusion_is_made_by_verifying_alone(signer: SignerKey) -> None:
    checkpoint = verify_checkpoint(made(signer).checkpoint, [signer.verifier()])
    with pytest.raises(TypeError):
        VerifiedInclusion(4, ENTRIES[4], made(signer).path, checkpoint)
    other_size = merkle.InclusionProof(4, 5, made(signer).path)
    assert verify_inclusion(other_size, ENTRIES[4], checkpoint).index == 4, "the checkpoint's size counts"


@given(st.data())
def test_file_with_one_flipped_bit_does_not_verify(signer: SignerKey, data: st.DataObject) -> None:
    good = write_proof(made(signer))
    bit = data.draw(st.integers(0, len(good) * 8 - 1))
    wrong = bytearray(good)
    wrong[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ParseError, NotVerified)):
        verify_proof(parse_proof(bytes(wrong)), ENTRIES[4], [signer.verifier()])


@given(st.data())
def test_entry_with_one_flipped_bit_does_not_verify(signer: SignerKey, data: st.DataObject) -> None:
    bit = data.draw(st.integers(0, len(ENTRIES[4]) * 8 - 1))
    wrong = bytearray(ENTRIES[4])
    wrong[bit // 8] ^= 1 << bit % 8
    with pytest.raises((ParseError, NotVerified)):
        verify_proof(made(signer), bytes(wrong), [signer.verifier()])


@given(
    st.lists(
        st.sampled_from([b"c2sp.org/tlog-proof@v1", b"\n", b"extra ", b"index ", b"0", b"AAAA", b"\xff"]), max_size=9
    )
)
def test_any_bytes_are_a_proof_or_a_parse_error(parts: list[bytes]) -> None:
    checkpoint = f"\nlog\n1\n{note.to_base64(bytes(32))}\n\n— log AAAAAAA=\n".encode()
    data = b"".join(parts) + checkpoint
    try:
        proof = parse_proof(data)
    except ParseError:
        return
    assert write_proof(proof) == data
