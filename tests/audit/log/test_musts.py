"""Each MUST of the C2SP pages has its test, and the few that no other file holds are here."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audit.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from audit.log.cosignature import parse_lines, verify_cosignatures
from audit.log.errors import ParseError
from audit.log.note import Note, write_note
from audit.log.signing import SignerKey, cosign, sign_checkpoint, sign_note
from audit.log.tile_paths import parse_path
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from audit.log.witness.application import Witness
from audit.log.witness.requests import parse_request, write_request
from tests.audit.log.musts import MUSTS
from tests.audit.log.simulator import SimulatedLog, simulated
from tests.audit.log.verify.published import published
from tests.audit.log.witness.test_witness import WITNESS, Called, add, request

HERE = Path(__file__).parent
AT = 1_790_000_000


def _names() -> Iterator[str]:
    """The names of all tests of the log."""
    for path in HERE.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


def test_every_must_has_a_test_that_exists_or_a_reason() -> None:
    named = {must.test for must in MUSTS if must.test}
    assert sorted(named - set(_names())) == []
    assert [must for must in MUSTS if bool(must.test) == bool(must.why_not)] == []
    assert {must.page for must in MUSTS} == {
        "tlog-tiles", "tlog-checkpoint", "signed-note", "tlog-cosignature", "tlog-witness", "tlog-proof",
    }  # fmt: skip


def test_checkpoint_must_carry_an_ed25519_signature_by_the_log(signer: SignerKey, tmp_path: Path) -> None:
    signed = parse_checkpoint((published(signer, tmp_path, 3) / "checkpoint").read_bytes())
    (line,) = [each for each in signed.note.signatures if each.name == signer.name]
    assert verify_checkpoint(signed, [signer.verifier()]).origin == signer.name
    assert (line.key_id, len(line.value)) == (signer.verifier().key_id, 64)
    signer.private.public_key().verify(line.value, signed.note.text.encode())


@pytest.mark.parametrize(
    "text", ["tile/00/000", "tile/64/000", "tile/-1/000", "tile/+1/000", "tile/1 /000", "tile//000", "tile/²/000"]
)
def test_level_must_be_between_0_and_63_without_leading_zeroes(text: str) -> None:
    with pytest.raises(ParseError):
        parse_path(text)
    assert [parse_path(f"tile/{level}/000").level for level in (0, 9, 63)] == [0, 9, 63]


@dataclass(frozen=True)
class Watched:
    """A folder that notes what is read."""

    folder: Folder
    read_paths: list[str] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        self.read_paths.append(path)
        return self.folder.read(path)


def test_clients_must_not_fetch_partial_tiles_that_no_verified_checkpoint_requires(
    signer: SignerKey, stranger: SignerKey, tmp_path: Path
) -> None:
    source = Watched(Folder(published(signer, tmp_path, 300)))
    check(source, Wanted([signer.verifier()]))
    partial = [path for path in source.read_paths if ".p/" in path]
    assert source.read_paths[0] == "checkpoint"
    assert set(partial) == {"tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"}
    unknown = Watched(source.folder)
    check(unknown, Wanted([stranger.verifier()]))
    assert unknown.read_paths == ["checkpoint"]


def test_a_different_key_id_must_be_used_for_each_signature_type(signer: SignerKey) -> None:
    assert signer.verifier().public == signer.cosigner().public
    assert signer.verifier().key_id != signer.cosigner().key_id


def test_extension_lines_must_be_included_in_the_cosigned_message(signer: SignerKey) -> None:
    note = parse_checkpoint(sign_note(f"{plain(signer)}one more line\n", [signer])).note
    line = cosign(note.text, WITNESS, AT)
    assert note.text.endswith("\none more line\n")
    WITNESS.private.public_key().verify(line.value[8:], f"cosignature/v1\ntime {AT}\n{note.text}".encode())


def plain(signer: SignerKey) -> str:
    return parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 7, bytes(32)), signer)).note.text


@pytest.fixture
def log(signer: SignerKey) -> SimulatedLog:
    return simulated(signer, 3, 300)


@pytest.fixture
def ask(signer: SignerKey, tmp_path: Path) -> Called:
    return Called(Witness(WITNESS, {signer.name: [signer.verifier()]}, tmp_path))


def test_the_request_must_be_a_post(ask: Called, log: SimulatedLog) -> None:
    assert [ask(method, "/add-checkpoint", request(log, 0, 0))[0] for method in ("GET", "PUT", "HEAD", "POST")] == [
        405,
        405,
        405,
        200,
    ]


@pytest.mark.parametrize(
    ("good", "wrong"),
    [
        (b"old 3\n", b"old 03\n"), (b"old 3\n", b"old  3\n"), (b"old 3\n", b"old\t3\n"), (b"old 3\n", b"Old 3\n"), (b"old 3\n", b"old 3 \n"),
        (b"old 3\n", b"old +3\n"), (b"old 3\n", b"old 3\r\n"), (b"old 3\n", b"old 3"), (b"\n\n", b"\n"), (b"=\n", b"\n"), (b"=\n", b"=="),
        (b"=\n", b"= \n"), (b"\n\n", b"\n" + (b"A" * 43 + b"=\n") * 63 + b"\n"),
    ],
)  # fmt: skip
def test_the_lines_of_a_request_must_be_written_in_one_way(
    ask: Called, log: SimulatedLog, good: bytes, wrong: bytes
) -> None:
    add(ask, request(log, 0, 0))
    body = request(log, 3, 1)
    assert good in body
    assert add(ask, body.replace(good, wrong, 1))[0] == 400
    assert add(ask, body)[0] == 200
    longest = write_request(303, (bytes(32),) * 63, log.notes[1].note)
    assert len(parse_request(longest).path) == 63
    with pytest.raises(ParseError):
        parse_request(write_request(303, (bytes(32),) * 64, log.notes[1].note))


def test_answers_must_be_cosignature_lines_with_a_time_by_the_witness(ask: Called, log: SimulatedLog) -> None:
    note = parse_checkpoint(log.notes[0].note).note
    status, _, body = add(ask, request(log, 0, 0))
    assert (status, body.decode()[0], body.decode()[-1]) == (200, "—", "\n")
    (found,) = verify_cosignatures(Note(note.text, parse_lines(body)), [WITNESS.cosigner()])
    assert found.at > 0
    assert write_note(Note(note.text, (*note.signatures, found.signature))).endswith(body)
