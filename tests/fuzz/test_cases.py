"""Every kept case, and near it whatever chance makes of it: a value or our own error. The long search is `make fuzz`."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.checkpoint import parse_checkpoint
from audit.log.cosignature import parse_lines, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.note import Note, to_base64
from audit.log.signing import SignerKey, cosign
from portal import offline_card
from tests.audit.log.simulator import simulated
from tests.fuzz.targets import TARGETS

CASES = Path(__file__).parent / "cases"
KEPT = [(path.parent.name, path.name) for path in sorted(CASES.glob("*/*"))]


def test_every_target_has_a_case_and_no_other_is_kept() -> None:
    assert {name for name, _ in KEPT} == set(TARGETS)


@pytest.mark.parametrize(("name", "case"), KEPT)
def test_kept_case_gives_a_value_or_our_error(name: str, case: str) -> None:
    TARGETS[name]((CASES / name / case).read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(data=st.data())
def test_bytes_near_a_case_give_a_value_or_our_error(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([path.read_bytes() for path in sorted((CASES / name).iterdir())]))
    start = data.draw(st.integers(0, len(case)))
    end = data.draw(st.integers(start, min(len(case), start + 8)))
    other = data.draw(
        st.binary(max_size=8) | st.sampled_from([case[start:], case[:start], b"\n", b"\n\n", b"\x00", "²".encode()])
    )
    TARGETS[name](case[:start] + other + case[end:])


@given(data=st.data())
def test_cosignature_with_one_flipped_bit_never_verifies(data: st.DataObject) -> None:
    signer = SignerKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
    note = parse_checkpoint(simulated(signer, 3).notes[0].note).note
    line = cosign(note.text, signer, 1_790_000_000)
    written = f"— {line.name} {to_base64(line.key_id + line.value)}\n".encode()
    assert verify_cosignatures(Note(note.text, parse_lines(written)), [signer.cosigner()])
    place, bit = data.draw(st.integers(0, len(written) - 1)), data.draw(st.integers(0, 7))
    flipped = written[:place] + bytes([written[place] ^ (1 << bit)]) + written[place + 1 :]
    try:
        found = verify_cosignatures(Note(note.text, parse_lines(flipped)), [signer.cosigner()])
    except (ParseError, NotVerified):
        return
    assert found == ()


@given(data=st.data())
def test_line_of_a_card_with_one_flipped_bit_is_never_read(data: st.DataObject) -> None:
    line = (CASES / "card" / "qr").read_bytes()
    place, bit = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 7))
    flipped = line[:place] + bytes([line[place] ^ (1 << bit)]) + line[place + 1 :]
    with pytest.raises((UnicodeDecodeError, offline_card.DamagedCard)):
        offline_card.read(flipped.decode())
