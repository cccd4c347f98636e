"""A way to a PostgreSQL server that lets chosen connections in and then falls silent, as a server does that freezes after the sign-in."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

READY = b"Z\x00\x00\x00\x05I"  # ReadyForQuery, idle: the sign-in is over


@contextmanager
def falling_silent(port: int, *, only: str) -> Iterator[int]:
    """A port that leads to ``port``; who names the application ``only`` gets no byte further once they are in. All is cut at the end."""
    sockets: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        sockets.append(door)
        threading.Thread(target=_let_in, args=(door, port, only.encode(), sockets), daemon=True).start()
        try:
            yield door.getsockname()[1]
        finally:
            for each in sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()


def _let_in(door: socket.socket, port: int, only: bytes, sockets: list[socket.socket]) -> None:
    with suppress(OSError):
        while True:
            client = door.accept()[0]
            server = socket.create_connection(("127.0.0.1", port))
            sockets += [client, server]
            chosen, silent = threading.Event(), threading.Event()
            for pump in (_ask, _answer):
                threading.Thread(target=pump, args=(client, server, only, chosen, silent), daemon=True).start()


def _ask(
    client: socket.socket, server: socket.socket, only: bytes, chosen: threading.Event, silent: threading.Event
) -> None:
    with suppress(OSError):
        while said := client.recv(65536):
            if only in said:
                chosen.set()
            if not silent.is_set():
                server.sendall(said)
        server.shutdown(socket.SHUT_WR)


def _answer(
    client: socket.socket, server: socket.socket, _only: bytes, chosen: threading.Event, silent: threading.Event
) -> None:
    with suppress(OSError):
        while said := server.recv(65536):
            if chosen.is_set() and said.endswith(READY):
                silent.set()
            client.sendall(said)
        client.shutdown(socket.SHUT_WR)
