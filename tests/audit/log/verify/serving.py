"""A folder behind an address, as an organisation serves its published log."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Served(SimpleHTTPRequestHandler):
    """Remembers what was asked of it, and answers a path below ``stuck`` only once the test is over."""

    def __init__(self, asked: list[str], stuck: str, over: threading.Event, *of_request: Any, directory: str) -> None:
        self.asked, self.stuck, self.over = asked, stuck, over
        super().__init__(*of_request, directory=directory)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.stuck and self.path.startswith(self.stuck):
            self.over.wait()
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@contextmanager
def served(folder: Path, stuck: str = "") -> Iterator[tuple[str, list[str]]]:
    """The address, and the paths that were asked of it."""
    asked, over = list[str](), threading.Event()
    answers = partial(Served, asked, stuck, over, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            over.set()
            server.shutdown()
            thread.join()
