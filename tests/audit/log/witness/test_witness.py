"""The witness (C2SP tlog-witness): every MUST of add-checkpoint, and what it remembers."""

import errno
import hashlib
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.log import tiles
from audit.log.checkpoint import Checkpoint, parse_checkpoint, parse_log_key
from audit.log.cosignature import parse_lines, verify_cosignatures
from audit.log.errors import ParseError
from audit.log.note import Note, to_base64
from audit.log.signing import SignerKey, sign_checkpoint, sign_note
from audit.log.witness import state
from audit.log.witness.application import Witness
from audit.log.witness.requests import Request, parse_request, write_request
from tests.audit.log.simulator import SimulatedLog, simulated

WITNESS = SignerKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"w" * 32))


class Called:
    """An application of WSGI, asked directly."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness

    def __call__(self, method: str, path: str, body: bytes = b"") -> tuple[int, str, bytes]:
        said: list[Any] = []
        answer = self.witness(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": BytesIO(body),
            },
            lambda status, headers: said.extend((status, dict(headers))),
        )
        return int(said[0].split()[0]), said[1]["Content-Type"], b"".join(answer)


@pytest.fixture
def log(signer: SignerKey) -> SimulatedLog:
    return simulated(signer, 3, 300, 40)


@pytest.fixture
def ask(signer: SignerKey, tmp_path: Path) -> Called:
    return Called(Witness(WITNESS, {signer.name: [signer.verifier()]}, tmp_path))


def request(log: SimulatedLog, old: int, number: int) -> bytes:
    note = log.notes[number]
    path = tiles.consistency_proof(old, note.size, log.fetch).path
    return write_request(old, path, note.note)


def add(ask: Called, body: bytes) -> tuple[int, str, bytes]:
    return ask("POST", "/add-checkpoint", body)


def test_a_log_that_grows_is_cosigned_each_time(ask: Called, log: SimulatedLog) -> None:
    for number, old in enumerate((0, 3, 303)):
        status, _, body = add(ask, request(log, old, number))
        note = parse_checkpoint(log.notes[number].note).note
        cosigned = Note(note.text, (*note.signatures, *parse_lines(body)))
        assert (status, [each.by for each in verify_cosignatures(cosigned, [WITNESS.cosigner()])]) == (
            200,
            [WITNESS.cosigner()],
        )


def test_the_latest_is_served_with_the_signatures_of_log_and_witness(
    ask: Called, log: SimulatedLog, signer: SignerKey
) -> None:
    path = f"/{hashlib.sha256(signer.name.encode()).hexdigest()}/checkpoint"
    assert ask("GET", path)[0] == 404
    line = add(ask, request(log, 0, 1))[2]
    assert ask("GET", path) == (200, "text/plain; charset=utf-8", log.notes[1].note + line)
    assert [ask("GET", other)[0] for other in ("/x/checkpoint", "/../checkpoint", "/")] == [404, 404, 404]


def test_must_respond_404_to_an_unknown_origin_and_keep_nothing(ask: Called, tmp_path: Path) -> None:
    other = SignerKey("other.example/log", Ed25519PrivateKey.generate())
    note = sign_checkpoint(Checkpoint(other.name, 0, hashlib.sha256(b"").digest()), other)
    assert (add(ask, write_request(0, (), note))[0], list(tmp_path.iterdir())) == (404, [])


def test_must_respond_403_without_a_good_signature(
    ask: Called, log: SimulatedLog, signer: SignerKey, stranger: SignerKey
) -> None:
    note = parse_checkpoint(log.notes[0].note).note
    unknown = sign_note(note.text, [stranger])
    line = note.signatures[0]
    broken = Note(note.text, (type(line)(line.name, line.key_id, bytes(64)),))
    from audit.log.note import write_note

    assert [add(ask, write_request(0, (), each))[0] for each in (unknown, write_note(broken))] == [403, 403]


def test_what_a_retired_key_signs_beyond_its_sizes_is_not_cosigned(
    log: SimulatedLog, signer: SignerKey, stranger: SignerKey, tmp_path: Path
) -> None:
    keys = [parse_log_key(f"{signer.verifier().text()}@0-3"), parse_log_key(f"{stranger.verifier().text()}@3-")]
    ask = Called(Witness(WITNESS, {signer.name: keys}, tmp_path))
    assert add(ask, request(log, 0, 0))[0] == 200
    status, _, body = add(ask, request(log, 3, 1))
    assert (status, body) == (403, b"The key that signed 303 entries is not valid for that size.\n")
    log.notes[1] = replace(log.notes[1], note=sign_note(parse_checkpoint(log.notes[1].note).note.text, [stranger]))
    assert add(ask, request(log, 3, 1))[0] == 200


def test_must_ignore_signatures_of_unknown_keys(
    ask: Called, log: SimulatedLog, signer: SignerKey, stranger: SignerKey
) -> None:
    text = parse_checkpoint(log.notes[0].note).note.text
    assert add(ask, write_request(0, (), sign_note(text, [stranger, signer])))[0] == 200


def test_must_respond_400_to_an_old_size_above_the_new(ask: Called, log: SimulatedLog) -> None:
    assert add(ask, write_request(4, (), log.notes[0].note))[0] == 400


@pytest.mark.parametrize(
    "change", [b"", b"old 0", b"old 00\n\n", b"new 0\n\n", b"old 0\nx\n\n", b"old 0\n" + b"A" * 70_000]
)
def test_must_respond_400_to_what_is_no_request(ask: Called, log: SimulatedLog, change: bytes) -> None:
    assert add(ask, change)[0] == 400
    assert add(ask, change + log.notes[0].note)[0] == 400


def test_must_respond_409_with_its_own_size_where_the_old_is_another(ask: Called, log: SimulatedLog) -> None:
    assert add(ask, request(log, 3, 1)) == (409, "text/x.tlog.size", b"0\n")
    add(ask, request(log, 0, 1))
    assert add(ask, request(log, 3, 2)) == (409, "text/x.tlog.size", b"303\n")


def test_must_respond_422_to_a_wrong_proof_and_remember_nothing_of_it(ask: Called, log: SimulatedLog) -> None:
    add(ask, request(log, 0, 0))
    asked = parse_request(request(log, 3, 1))
    wrong = (asked.path[:-1], (*asked.path, bytes(32)), (bytes(32), *asked.path[1:]), ())
    assert [add(ask, write_request(3, path, log.notes[1].note))[0] for path in wrong] == [422] * 4
    assert add(ask, write_request(3, asked.path, log.notes[1].note))[0] == 200


def test_must_respond_422_to_a_proof_where_nothing_was_seen(ask: Called, log: SimulatedLog) -> None:
    assert add(ask, write_request(0, (bytes(32),), log.notes[0].note))[0] == 422


def test_must_respond_422_to_another_root_of_the_same_size_and_to_another_empty_tree(
    ask: Called, log: SimulatedLog, signer: SignerKey
) -> None:
    empty = sign_checkpoint(Checkpoint(signer.name, 0, bytes(32)), signer)
    assert add(ask, write_request(0, (), empty))[0] == 422
    add(ask, request(log, 0, 0))
    other = sign_checkpoint(Checkpoint(signer.name, 3, bytes(32)), signer)
    assert [add(ask, write_request(3, (), note))[0] for note in (other, log.notes[0].note)] == [422, 200]


def test_a_fork_and_a_log_set_back_are_refused_after_a_restart_as_well(
    ask: Called, log: SimulatedLog, signer: SignerKey, tmp_path: Path
) -> None:
    add(ask, request(log, 0, 2))
    again = Called(Witness(WITNESS, {signer.name: [signer.verifier()]}, tmp_path))
    fork = simulated(signer, 3)
    fork.grow(400, "other")
    assert [add(again, request(fork, 343, 1))[0], add(again, request(log, 303, 1))[0]] == [422, 409]
    assert add(again, write_request(343, (), log.notes[1].note))[0] == 400


def test_must_persist_before_it_responds(
    ask: Called, log: SimulatedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, __: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(state, "write_whole", full)
        status, _, body = ask("POST", "/add-checkpoint", request(log, 0, 0))
    assert (status, "witness.example" in body.decode()) == (503, False)
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".lock"] == []
    assert add(ask, request(log, 0, 0))[0] == 200


def test_a_request_that_comes_in_chunks_is_read_to_its_end(
    signer: SignerKey, log: SimulatedLog, tmp_path: Path
) -> None:
    said: list[str] = []
    body = request(log, 0, 0)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/add-checkpoint",
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
    }
    Witness(WITNESS, {signer.name: [signer.verifier()]}, tmp_path)(environ, lambda status, _: said.append(status))
    assert said == ["200 OK"]


def test_must_keep_atomically(ask: Called, signer: SignerKey) -> None:
    """Fifty at once, of one tree that grows and of forks of it: what is cosigned lies on one line of growth."""
    logs = [simulated(signer) for _ in range(50)]
    for number, each in enumerate(logs):
        each.grow(10 + number, f"history-{number}")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda each=each: answers.append(add(ask, request(each, 0, 0))[0])) for each in logs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 49


def test_a_state_that_cannot_be_believed_cosigns_nothing(ask: Called, log: SimulatedLog, tmp_path: Path) -> None:
    add(ask, request(log, 0, 0))
    (kept,) = (each for each in tmp_path.iterdir() if each.suffix != ".lock")
    kept.write_bytes(b"lost")
    assert add(ask, request(log, 3, 1))[0] == 503
    assert add(ask, request(log, 0, 1))[0] == 503


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_request_or_our_error(data: bytes) -> None:
    try:
        found: Request = parse_request(data)
    except ParseError:
        return
    assert found.old >= 0


def test_requests_are_written_as_they_are_read(log: SimulatedLog) -> None:
    body = request(log, 3, 1)
    asked = parse_request(body)
    assert write_request(asked.old, asked.path, log.notes[1].note) == body
    assert body.decode().split("\n\n")[0] == "\n".join(["old 3", *(to_base64(each) for each in asked.path)])
