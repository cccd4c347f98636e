"""What servers answer that are not ours, as functions over any bytes: the one of a webhook, a witness, a key service, a timestamp authority."""

import contextlib
import hashlib
import http.client
import io
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log import key_service
from audit.log.checkpoint import parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.signing import CannotSign, SignerKey
from audit.log.timestamps.tokens import parse_imprint, parse_roots, verify_timestamp
from audit.log.witness.client import Client, NotCosigned
from portal.notifications.channels.webhook import post as webhook
from portal.notifications.channels.webhook.addresses import parse as parse_url
from tests.audit.log.simulator import simulated

LOG = SignerKey("log.example/portal", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WITNESS = SignerKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
SEEN = verify_checkpoint(parse_checkpoint(simulated(LOG, 3).notes[0].note), [LOG.verifier()])
ROOTS = parse_roots((Path(__file__).parent / "authority.pem").read_bytes())
STAMPED = hashlib.sha256(b"what was stamped").digest()


def webhook_answer(data: bytes) -> None:
    """What a receiver answers, until it hangs up; the status, or that it was not reached."""
    ours, theirs = socket.socketpair()
    with ours, theirs, mock.patch.object(webhook, "_resolve", return_value="192.0.2.1"):
        theirs.sendall(data[:60_000])
        theirs.shutdown(socket.SHUT_WR)

        def connect(self: webhook._Judged) -> None:
            self.sock = ours

        with mock.patch.object(webhook._Judged, "connect", connect):
            try:
                status = webhook.post(parse_url("https://receiver.example/"), b"{}", {}, named=())
            except webhook.NotReached:
                return
    assert 100 <= status <= 999


def witness_answer(data: bytes) -> None:
    """What a witness answers, as often as it is asked anew, until it hangs up; its cosignature, or that it did not cosign."""

    def connect(self: http.client.HTTPConnection) -> None:
        self.sock, theirs = socket.socketpair()
        open_ends.enter_context(theirs)  # it still takes what is asked
        theirs.sendall(data[:60_000])
        theirs.shutdown(socket.SHUT_WR)

    client = Client(WITNESS.cosigner(), "http://witness.example/w1")
    with (
        contextlib.ExitStack() as open_ends,
        mock.patch.object(http.client.HTTPConnection, "connect", connect),
        contextlib.closing(client),
        contextlib.suppress(NotCosigned),
    ):
        client.ask(b"old 0\n\n", SEEN)


class _Desk:
    """A socket at which one line lies."""

    said = b""

    def __init__(self, *_: Any) -> None:
        pass

    def __enter__(self) -> "_Desk":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, _seconds: float) -> None:
        pass

    def connect(self, _path: str) -> None:
        pass

    def sendall(self, _question: bytes) -> None:
        pass

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(_Desk.said)


def key_service_answer(data: bytes) -> None:
    """What a key service says when it is asked for its key, and for a signature; a name and 64 bytes that fit, or that it cannot sign."""
    _Desk.said = data
    here = Path("/nowhere")
    with mock.patch.object(key_service, "socket", SimpleNamespace(socket=_Desk, AF_UNIX=1, SOCK_STREAM=1)):
        with contextlib.suppress(CannotSign):
            key_service.connect(here)
        with contextlib.suppress(CannotSign):
            key_service.KeyService(here, LOG.verifier()).sign(b"a note\n")


def timestamp(data: bytes) -> None:
    """An answer of an authority that is trusted: believed of the one thing that it stamped, or not at all."""
    with contextlib.suppress(ParseError):
        parse_imprint(data)
    try:
        verify_timestamp(data, STAMPED, ROOTS)
    except (ParseError, NotVerified):
        return
