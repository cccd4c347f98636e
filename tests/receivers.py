"""A real receiver of webhooks on the loopback interface. It trusts nobody: the library of Standard Webhooks checks each request."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answers(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Behaviour:
    """Answer with this."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@dataclass
class Server:
    """What came in, and how it answers. ``secret`` is what it checks with: an empty one checks nothing."""

    url: str
    secret: str = ""
    behave: Behaviour = field(default_factory=lambda: answers(204))
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    forged: int = 0
    gone: threading.Event = field(default_factory=threading.Event)

    def taken(self) -> dict[str, dict[str, Any]]:
        """By id: a receiver that keeps to the specification takes each once."""
        return dict(zip(self.ids, self.got, strict=True))


@contextmanager
def running_receiver(port: int = 0) -> Iterator[Server]:
    """A receiver that answers 204 until it is told otherwise."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Check, keep, answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                said = Webhook(server.secret).verify(body, dict(self.headers)) if server.secret else {}
            except WebhookVerificationError:
                server.forged += 1
                return answers(401)(self)
            server.got.append(said)
            server.ids.append(self.headers["webhook-id"])
            server.signatures.append(self.headers["webhook-signature"])
            return server.behave(self)

        def do_GET(self) -> None:
            """Where a redirect was followed."""
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Listener(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Whoever was cut off is no news."""

    with Listener(("127.0.0.1", port), Handler) as listener:
        server = Server(f"http://127.0.0.1:{listener.server_address[1]}/hook?for=us")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.gone.set()
            listener.shutdown()
            thread.join(10)


def says_nothing(server: Server) -> Behaviour:
    """Take it and stay silent until the receiver is gone."""

    def behave(_: BaseHTTPRequestHandler) -> None:
        server.gone.wait(90)

    return behave


def drips(server: Server) -> Behaviour:
    """A header without end, a byte at a time: never late for one read, never done."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not server.gone.is_set():
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.01)

    return behave
