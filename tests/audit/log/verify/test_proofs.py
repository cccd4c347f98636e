"""The commands for what is attached to evidence: a key is enough, and one flipped bit never verifies."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log import merkle, tiles
from audit.log.canonical import encode
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Note, write_note
from audit.log.proof import (
    LogProof,
    VerifiedInclusion,
    parse_proofs,
    verify_carried,
    verify_inclusion,
    with_entry,
    write_proof,
)
from audit.log.ranges import Entry
from audit.log.signing import SignerKey, cosign
from audit.log.verify.__main__ import main
from audit.log.verify.proofs import NOT_CHECKED, NOT_PROVED, PROVED, verify_growth
from audit.log.witness.requests import write_request
from tests.audit.log.simulator import SimulatedLog, simulated

NOW = 1_790_000_000


@pytest.fixture(scope="module")
def log(signer: SignerKey) -> SimulatedLog:
    return simulated(signer, 5, 300)


@pytest.fixture(scope="module")
def witness(stranger: SignerKey) -> SignerKey:
    return SignerKey("witness.example", stranger.private)


def proved(log: SimulatedLog, index: int, note: bytes) -> VerifiedInclusion:
    checkpoint = verify_checkpoint(parse_checkpoint(note), [log.signer.verifier()])
    path = merkle.inclusion_proof(index, checkpoint.size, tiles.node_reader(checkpoint.size, log.fetch))
    return verify_inclusion(path, log.entries[index].body, checkpoint)


def proofs(log: SimulatedLog, *indexes: int, note: bytes = b"") -> bytes:
    return b"".join(write_proof(with_entry(proved(log, index, note or log.notes[-1].note))) for index in indexes)


def grown(log: SimulatedLog) -> bytes:
    path = tiles.consistency_proof(5, 305, log.fetch).path
    return write_request(5, path, log.notes[-1].note)


def cosigned(log: SimulatedLog, witness: SignerKey) -> bytes:
    note = parse_checkpoint(log.notes[-1].note).note
    return write_note(Note(note.text, (*note.signatures, cosign(note.text, witness, NOW))))


def flipped(data: st.DataObject, sound: bytes) -> bytes:
    place, bit = data.draw(st.integers(0, len(sound) - 1)), data.draw(st.integers(0, 7))
    return sound[:place] + bytes([sound[place] ^ (1 << bit)]) + sound[place + 1 :]


def test_each_entry_of_a_file_is_proved_with_the_key_alone(
    log: SimulatedLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, key = tmp_path / "proofs", log.signer.verifier().text()
    path.write_bytes(proofs(log, 0, 7, 304))
    assert main(["proof", str(path), "--key", key]) == PROVED
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in said[:-1]] == ["0", "7", "304"]
    assert (said[1].endswith(log.entries[7].body.decode()), said[-1]) == (True, "PROVED.")
    path.write_bytes(proofs(log, 7)[:-1])
    assert main(["proof", str(path), "--key", key]) == NOT_PROVED
    assert main(["proof", str(path), "--key", "nonsense"]) == NOT_CHECKED
    assert main(["proof", str(tmp_path / "none"), "--key", key]) == NOT_CHECKED


def test_a_proof_under_another_key_is_not_believed(log: SimulatedLog, stranger: SignerKey, tmp_path: Path) -> None:
    path = tmp_path / "proofs"
    path.write_bytes(proofs(log, 7))
    assert main(["proof", str(path), "--key", stranger.verifier().text()]) == NOT_PROVED


def test_a_proof_without_its_entry_is_checked_with_the_bytes_beside_it(
    log: SimulatedLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, entry = tmp_path / "proof", tmp_path / "entry"
    words = ["proof", str(path), "--key", log.signer.verifier().text()]
    path.write_bytes(write_proof(proved(log, 7, log.notes[-1].note).proof()))
    assert main(words) == NOT_CHECKED
    assert "entry 7 does not carry its entry; give the bytes with --entry FILE." in capsys.readouterr().err
    entry.write_bytes(log.entries[7].body)
    assert main([*words, "--entry", str(entry)]) == PROVED
    entry.write_bytes(log.entries[8].body)
    assert main([*words, "--entry", str(entry)]) == NOT_PROVED
    assert main([*words, "--entry", str(tmp_path / "none")]) == NOT_CHECKED


def test_a_witness_that_is_demanded_must_have_cosigned(log: SimulatedLog, witness: SignerKey, tmp_path: Path) -> None:
    path, words = tmp_path / "proofs", ["--key", log.signer.verifier().text(), "--witness", witness.cosigner().text()]
    path.write_bytes(proofs(log, 7, note=cosigned(log, witness)))
    assert main(["proof", str(path), *words]) == PROVED
    path.write_bytes(proofs(log, 7))
    assert main(["proof", str(path), *words]) == NOT_PROVED


def test_a_later_checkpoint_is_proved_to_contain_the_earlier_one(
    log: SimulatedLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier, later, key = tmp_path / "earlier", tmp_path / "later", log.signer.verifier().text()
    earlier.write_bytes(log.notes[0].note)
    later.write_bytes(grown(log))
    assert main(["grown", str(later), "--since", str(earlier), "--key", key]) == PROVED
    assert "305 entries begin with the 5 of before" in capsys.readouterr().out
    other = simulated(log.signer)
    other.grow(5, "other")
    earlier.write_bytes(other.notes[0].note)
    assert main(["grown", str(later), "--since", str(earlier), "--key", key]) == NOT_PROVED
    earlier.write_bytes(log.notes[1].note)
    assert main(["grown", str(later), "--since", str(earlier), "--key", key]) == NOT_PROVED


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_never_verifies(log: SimulatedLog, data: st.DataObject) -> None:
    keys, sound = [log.signer.verifier()], proofs(log, 7, 8)
    assert [verify_carried(each, keys).index for each in parse_proofs(sound)] == [7, 8]
    wrong = flipped(data, sound)
    with pytest.raises((ParseError, NotVerified)):
        tuple(verify_carried(each, keys) for each in parse_proofs(wrong))
    later, earlier = grown(log), log.notes[0].note
    assert verify_growth(later, earlier, keys)[1].size == 305
    with pytest.raises((ParseError, NotVerified)):
        verify_growth(flipped(data, later), earlier, keys)
    with pytest.raises((ParseError, NotVerified)):
        verify_growth(later, flipped(data, earlier), keys)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_under_a_demanded_witness_never_verifies(
    log: SimulatedLog, witness: SignerKey, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped-proof"
    path.write_bytes(flipped(data, proofs(log, 7, note=cosigned(log, witness))))
    words = ["--key", log.signer.verifier().text(), "--witness", witness.cosigner().text()]
    assert main(["proof", str(path), *words]) == NOT_PROVED


@given(
    st.lists(
        st.sampled_from([b"c2sp.org/tlog-proof@v1", b"\n", b"index ", b"0", b"extra ", b"AAAA", b"log"]), max_size=12
    )
)
def test_any_bytes_are_proofs_or_a_parse_error(parts: list[bytes]) -> None:
    end = b"\nlog\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 log AAAAAAA=\n"
    data = b"c2sp.org/tlog-proof@v1\nindex 0\n" + end + b"".join(parts) + end
    try:
        found: tuple[LogProof, ...] = parse_proofs(data)
    except ParseError:
        return
    assert b"".join(write_proof(each) for each in found) == data


def test_an_entry_obeys_no_terminal(signer: SignerKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON escapes what lies below a blank, and no control character above; whoever may write events could write an answer of their own."""
    body = encode({"id": "x", "said": "\x9b2K\x9b1G\u202ePROVED.\x7f é"})
    log = simulated(signer, 1)
    log.entries[0] = Entry(0, body, merkle.leaf_hash(body))
    log.tiles = tiles.grow(0, [merkle.leaf_hash(body)], {})
    log.sign()
    (tmp_path / "proof").write_bytes(proofs(log, 0))
    assert main(["proof", str(tmp_path / "proof"), "--key", signer.verifier().text()]) == PROVED
    line, answer = capsys.readouterr().out.splitlines()
    said = '{"id":"x","said":"[U+009B]2K[U+009B]1G[U+202E]PROVED.[U+007F] é"}'
    assert (line.partition(": ")[2], answer) == (said, "PROVED.")
