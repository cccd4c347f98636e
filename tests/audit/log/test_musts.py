"""Each MUST of the C2SP pages has its test, and the few that no other file holds are here."""

import ast
import hashlib
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from audit.log.cosignature import COSIGNATURE, parse_cosigner_key, parse_lines, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.note import ED25519, Note, Signature, key_id_of, parse_note, parse_verifier_key, to_base64, write_note
from audit.log.proof import LogProof, parse_proof, write_proof
from audit.log.signing import SignerKey, cosign, sign_checkpoint, sign_note
from audit.log.tile_paths import parse_path
from audit.log.verify.check import Wanted, check
from audit.log.verify.sources import Folder
from audit.log.witness.application import Witness
from audit.log.witness.client import Client
from audit.log.witness.requests import parse_request, write_request
from tests.audit.log.musts import MUSTS, SENTENCES
from tests.audit.log.simulator import SimulatedLog, simulated
from tests.audit.log.verify.published import published
from tests.audit.log.witness.test_witness import WITNESS, Called, add, request
from tests.witnesses import serving

HERE = Path(__file__).parent
AT = 1_790_000_000
SECOND = SignerKey("witness.example/w2", Ed25519PrivateKey.from_private_bytes(b"v" * 32))


def _names() -> Iterator[str]:
    """The names of all tests of the log."""
    for path in HERE.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


def test_every_must_has_tests_that_exist_or_a_reason() -> None:
    named = {name for must in MUSTS for name in must.tests}
    assert sorted(named - set(_names())) == []
    assert [must for must in MUSTS if bool(must.tests) == bool(must.why_not)] == []
    assert [must for must in MUSTS if not re.search(r"MUST|SHALL", must.quote)] == []


def test_the_sentences_of_each_page_are_numbered_without_a_gap() -> None:
    found = {page: [must.number for must in MUSTS if must.page == page] for page in SENTENCES}
    assert found == {page: [*range(1, last + 1)] for page, last in SENTENCES.items()}
    assert {must.page for must in MUSTS} == SENTENCES.keys()


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


@pytest.mark.parametrize("place", ["tile/0", "tile/entries"])
@pytest.mark.parametrize(
    "index",
    [
        "1", "01", "0001", "001/000", "x01/000", "x001", "x000/001", "x001/x000", "X001/000", "-01", "+01", "\u0660\u0660\u0661", "001/", "",
        "001.p/0", "001.p/256", "001.p/01", "001.p/", "001.p/-1",
    ],
)  # fmt: skip
def test_index_must_be_read_in_padded_three_digit_elements_alone(place: str, index: str) -> None:
    with pytest.raises(ParseError):
        parse_path(f"{place}/{index}")
    assert [parse_path(f"{place}/{each}").index for each in ("001", "x001/000", "x001/x234/067")] == [
        1,
        1000,
        1_234_067,
    ]


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


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\x01"], ids=repr)
def test_key_names_must_hold_in_signature_lines_and_in_keys(signer: SignerKey, name: str) -> None:
    public = signer.verifier().public
    for kind, parse in ((ED25519, parse_verifier_key), (COSIGNATURE, parse_cosigner_key)):
        for each, refused in ((name, True), ("a.example/b", False)):
            text = f"{each}+{key_id_of(each, kind + public).hex()}+{to_base64(kind + public)}"
            with pytest.raises(ParseError) if refused else nullcontext():
                parse(text)
    with pytest.raises(ParseError):
        parse_note(f"text\n\n— {name} {to_base64(bytes(68))}\n".encode())
    assert parse_note(f"text\n\n— a.example/b {to_base64(bytes(68))}\n".encode()).text == "text\n"


def test_ml_dsa_cosignatures_are_ignored_as_of_unknown_keys(signer: SignerKey) -> None:
    note, kind, public = parse_checkpoint(simulated(signer, 3).notes[0].note).note, b"\x06", bytes(1312)
    line = Signature(WITNESS.name, key_id_of(WITNESS.name, kind + public), AT.to_bytes(8, "big") + bytes(2420))
    both = parse_note(write_note(Note(note.text, (*note.signatures, line, cosign(note.text, WITNESS, AT)))))
    assert [each.by for each in verify_cosignatures(both, [WITNESS.cosigner()])] == [WITNESS.cosigner()]
    with pytest.raises(ParseError):
        parse_cosigner_key(f"{WITNESS.name}+{line.key_id.hex()}+{to_base64(kind + public)}")


def test_a_different_key_id_must_be_used_for_each_signature_type(signer: SignerKey) -> None:
    assert signer.verifier().public == signer.cosigner().public
    assert signer.verifier().key_id != signer.cosigner().key_id


def test_extension_lines_must_be_included_in_the_cosigned_message(signer: SignerKey) -> None:
    note = parse_checkpoint(sign_note(f"{plain(signer)}one more line\n", [signer])).note
    line = cosign(note.text, WITNESS, AT)
    assert note.text.endswith("\none more line\n")
    WITNESS.private.public_key().verify(line.value[8:], f"cosignature/v1\ntime {AT}\n{note.text}".encode())


def test_consensus_on_extension_lines_shall_not_be_assumed(signer: SignerKey) -> None:
    """Two witnesses may have seen one tree under different lines; each line proves the text over which it was made, and no other."""
    one, other = (f"{plain(signer)}{extension}\n" for extension in ("one", "other"))
    lines = {one: cosign(one, WITNESS, AT), other: cosign(other, SECOND, AT)}
    keys = [WITNESS.cosigner(), SECOND.cosigner()]
    assert [[each.by.name for each in verify_cosignatures(Note(text, (lines[text],)), keys)] for text in (one, other)] == [
        [WITNESS.name], [SECOND.name],
    ]  # fmt: skip
    for text, elsewhere in ((one, other), (other, one)):
        with pytest.raises(NotVerified):
            verify_cosignatures(Note(text, (lines[text], lines[elsewhere])), keys)


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


def test_size_zero_must_be_written_as_0(log: SimulatedLog, signer: SignerKey) -> None:
    first = write_request(0, (), log.notes[0].note)
    assert first.startswith(b"old 0\n\n")
    for wrong in (b"old 00\n\n", b"old \n\n", b"old -0\n\n"):
        with pytest.raises(ParseError):
            parse_request(first.replace(b"old 0\n\n", wrong))
    leaf = hashlib.sha256(b"\x00entry").digest()
    proof = write_proof(LogProof(0, (), parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 1, leaf), signer))))
    assert parse_proof(proof).index == 0
    for other in (b"index 00\n", b"index \n", b"index -0\n"):
        with pytest.raises(ParseError):
            parse_proof(proof.replace(b"index 0\n", other))


def test_must_respond_403_where_a_trusted_line_is_wrong_beside_a_good_one(
    ask: Called, log: SimulatedLog, signer: SignerKey
) -> None:
    note = parse_checkpoint(log.notes[0].note).note
    wrong = Signature(signer.name, signer.verifier().key_id, bytes(64))
    for lines in ((*note.signatures, wrong), (wrong, *note.signatures)):
        assert add(ask, write_request(0, (), write_note(Note(note.text, lines))))[0] == 403
    assert add(ask, request(log, 0, 0))[0] == 200


def test_must_not_cosign_what_fails(ask: Called, log: SimulatedLog, signer: SignerKey) -> None:
    other = sign_checkpoint(Checkpoint(signer.name, 3, bytes(32)), signer)
    failing = [
        write_request(0, (bytes(32),), log.notes[0].note), request(log, 3, 1), write_request(4, (), log.notes[0].note),
        write_request(0, (), sign_checkpoint(Checkpoint(signer.name, 0, bytes(32)), signer)), b"old 0\n",
    ]  # fmt: skip
    told = [add(ask, each) for each in failing]
    path = f"/{hashlib.sha256(signer.name.encode()).hexdigest()}/checkpoint"
    assert [status for status, _, _ in told] == [422, 409, 400, 422, 400]
    assert (["—" in body.decode() for _, _, body in told], ask("GET", path)[0]) == ([False] * 5, 404)
    assert add(ask, request(log, 0, 0))[0] == 200
    status, _, body = add(ask, write_request(3, (), other))
    assert (status, "—" in body.decode(), ask("GET", path)[2].startswith(log.notes[0].note)) == (422, False, True)


def test_the_request_for_the_latest_must_be_a_get(ask: Called, log: SimulatedLog, signer: SignerKey) -> None:
    add(ask, request(log, 0, 0))
    path = f"/{hashlib.sha256(signer.name.encode()).hexdigest()}/checkpoint"
    assert [ask(method, path)[0] for method in ("POST", "PUT", "GET")] == [404, 404, 200]


def test_an_endpoint_for_subtrees_is_not_served(ask: Called, log: SimulatedLog) -> None:
    add(ask, request(log, 0, 0))
    assert ask("POST", "/sign-subtree", b"subtree 0 1\n" + request(log, 0, 0))[0] == 404


def test_client_must_ignore_cosignatures_of_unknown_keys_beside_the_known(log: SimulatedLog, signer: SignerKey) -> None:
    seen = verify_checkpoint(parse_checkpoint(log.notes[0].note), [signer.verifier()])
    lines = [cosign(seen.signed.note.text, each, AT) for each in (SECOND, WITNESS)]
    answer = "".join(f"— {each.name} {to_base64(each.key_id + each.value)}\n" for each in lines).encode()

    def both(_: Any, start: Any) -> list[bytes]:
        start("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    with serving(both) as address:
        client = Client(WITNESS.cosigner(), address)
        found = client.ask(request(log, 0, 0), seen)
        client.close()
    assert (found.by, found.at, found.signature) == (WITNESS.cosigner(), AT, lines[1])
