"""A server on the loopback that answers as nobody should: a byte now and then, or without end. Until it is let go, or for 15 seconds."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE_S = 0.02
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
Answering = Callable[[socket.socket, threading.Event], None]


def dripping_head(link: socket.socket, over: threading.Event) -> None:
    """Header after header."""
    link.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(99):
        for byte in b"A: b\r\n":
            link.sendall(bytes([byte]))
            if over.wait(PAUSE_S):
                return
    link.sendall(b"\r\n")


def dripping_body(link: socket.socket, over: threading.Event, head: bytes = HEAD) -> None:
    """Byte after byte."""
    link.sendall(head)
    for _ in range(750):
        link.sendall(b"x")
        if over.wait(PAUSE_S):
            return


def endless(link: socket.socket, over: threading.Event) -> None:
    """As fast as it goes, up to a gigabyte."""
    link.sendall(HEAD)
    for _ in range(2**14):
        link.sendall(b"x" * 2**16)
        if over.is_set():
            return


def saying(status: str, body: bytes = b"") -> Answering:
    """Something that ends."""

    def answer(link: socket.socket, _: threading.Event) -> None:
        link.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    return answer


@contextmanager
def answering(answer: Answering) -> Iterator[tuple[str, list[bytes]]]:
    """Host and port, and the beginnings of what it was asked."""
    over, asked = threading.Event(), list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    link, _ = server.accept()
                    with link:
                        link.settimeout(5)
                        asked.append(link.recv(65536))
                        answer(link, over)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            over.set()
            thread.join()
