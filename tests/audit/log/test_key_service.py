"""The log's key behind a socket: a service in a process of its own signs, and the sealer never sees the key."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from audit.log.examination import examine
from audit.log.key_service import KeyService, connect
from audit.log.sealing import SealingError, seal_once
from audit.log.signing import CannotSign
from tests.audit.log.logged import appended, run_signer
from tests.servers import wait_until

CHECKOUT = Path(__file__).parents[3]
SERVICE = """
import base64, socketserver, sys
from pathlib import Path
from audit.log.keys import load_signer

signer = load_signer(Path(sys.argv[2]))

class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        word, _, data = self.rfile.readline(100_000).decode().rstrip().partition(" ")
        signature = signer.sign(base64.b64decode(data))
        self.wfile.write((signer.verifier().text() if word == "key" else base64.b64encode(signature).decode()).encode() + b"\\n")

socketserver.UnixStreamServer(sys.argv[1], Answer).serve_forever()
"""
LYING = """
import socketserver, sys

class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline(100_000)
        self.wfile.write(sys.argv[2].encode().decode("unicode_escape").encode())

socketserver.UnixStreamServer(sys.argv[1], Answer).serve_forever()
"""


@contextmanager
def serving(program: str, path: Path, argument: str) -> Iterator[Path]:
    process = subprocess.Popen([sys.executable, "-c", program, str(path), argument], cwd=CHECKOUT)
    try:
        wait_until(lambda: _is_served(path), "the service")
        yield path
    finally:
        process.kill()
        process.wait()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asked:
        return asked.connect_ex(str(path)) == 0


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "log.key"
    path.write_text(run_signer().text())
    return str(path)


@pytest.mark.django_db
def test_a_key_in_another_process_seals_as_one_in_a_file(tmp_path: Path, key_file: str) -> None:
    appended(3)
    with serving(SERVICE, tmp_path / "socket", key_file) as path:
        signer = connect(path)
        assert (signer.name, signer.verifier()) == (run_signer().name, run_signer().verifier())
        assert signer.sign(b"data") == run_signer().sign(b"data")
        assert seal_once(connection, signer, 1) == 3
    appended(1)
    with pytest.raises(SealingError, match=r"The key does not sign. The key service at .* does not answer"):
        seal_once(connection, signer, 1)
    assert (examine([signer.verifier()]).ok, examine([signer.verifier()]).waiting) == (True, 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("No.\\n", "The key service answers: No."),
        ("", "broke off"),
        ("AAAA", "broke off"),
        ("AAAA\\n", "a signature that is not of the log's key"),
    ],
)
def test_no_answer_but_a_signature_of_the_key_is_believed(tmp_path: Path, answer: str, words: str) -> None:
    with serving(LYING, tmp_path / "socket", answer) as path:
        with pytest.raises(CannotSign, match=words):
            KeyService(path, run_signer().verifier()).sign(b"data")
        with pytest.raises(CannotSign):
            connect(path)
