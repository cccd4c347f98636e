"""Real witnesses on the loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.signing import SignerKey
from audit.log.witness.application import Witness
from audit.log.witness.listed import Listed, parse_witnesses
from tests.audit.log.logged import run_signer

ONE, OTHER = (
    SignerKey(f"witness.example/w{number}", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))
    for number in (1, 2)
)


class Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def serving(application: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, application, WSGIServer, Silent) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def witness(signer: SignerKey, folder: Path) -> Witness:
    folder.mkdir(exist_ok=True)
    log = run_signer()
    return Witness(signer, {log.name: [log.verifier()]}, folder)


def required(settings: Any, *listed: Listed) -> None:
    words = [f"{'required' if each.required else 'optional'} {each.key.text()} {each.address}" for each in listed]
    settings.PORTAL_LOG_WITNESSES = "\n".join(words)
    assert parse_witnesses(settings.PORTAL_LOG_WITNESSES) == listed
