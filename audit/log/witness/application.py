"""The witness as a WSGI application: ``POST /add-checkpoint``, ``GET /<hash of the origin>/checkpoint``."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from audit.log.errors import NotVerified, ParseError
from audit.log.signing import SignerKey
from audit.log.witness.judging import PLAIN, Answer, Logs, judge
from audit.log.witness.requests import MAX_BYTES, parse_request
from audit.log.witness.state import KeptFile, held, origin_hash

MAX_DIGITS = 20  # of the length that a request says it has
log = logging.getLogger("breakglass.witness")
Start = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Witness:
    """One witness: its key, the logs that it knows by their origin, and the folder of its state."""

    signer: SignerKey
    logs: Logs
    folder: Path

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request."""
        try:
            answer = self._answer(environ)
        except (OSError, ParseError, NotVerified) as error:  # of its own state; a request that is wrong was answered
            log.critical("Nothing is cosigned, for what was seen before cannot be read or kept: %s", error)
            answer = Answer(503, b"The witness cannot read or keep what it has seen.\n")
        phrase = HTTPStatus(answer.status).phrase
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start(f"{answer.status} {phrase}", headers)
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if path == "/add-checkpoint":
            return self._add(_body(environ)) if method == "POST" else Answer(405, b"This is asked by POST.\n")
        if path.endswith("/checkpoint") and method == "GET":
            return self._latest(path.removeprefix("/").removesuffix("/checkpoint"))
        return Answer(404, b"There is nothing here.\n")

    def _add(self, data: bytes) -> Answer:
        origin = _origin(data)
        if origin not in self.logs:  # no file is made for it
            return judge(data, {}, _Nothing(), self.signer, _now)
        with held(self.folder, origin, self.logs[origin]) as kept:
            return judge(data, self.logs, kept, self.signer, _now)

    def _latest(self, name: str) -> Answer:
        origin = next((each for each in self.logs if origin_hash(each) == name), None)
        found = KeptFile(self.folder / name, self.logs[origin]).read() if origin is not None else None
        return (
            Answer(200, found, PLAIN)
            if found is not None
            else Answer(404, b"No checkpoint of this log was cosigned.\n")
        )


class _Nothing:
    """Of a log that is not known nothing is kept."""

    def latest(self) -> None:
        return None

    def keep(self, note: bytes) -> None:
        raise AssertionError(note)


def _origin(data: bytes) -> str:
    try:
        return parse_request(data).checkpoint.checkpoint.origin
    except ParseError:
        return ""


def _body(environ: dict[str, Any]) -> bytes:
    """As much as the request says it has, for some servers would wait for more; a little above the largest request at most.

    One that comes in chunks says no length; its server ends the stream (PEP 3333's ``wsgi.input_terminated``).
    """
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        return bytes(environ["wsgi.input"].read(MAX_BYTES + 1))
    said = environ.get("CONTENT_LENGTH") or "0"
    if not (said.isdecimal() and len(said) <= MAX_DIGITS):  # int() itself refuses what has some thousands of them
        return b""
    return bytes(environ["wsgi.input"].read(min(int(said), MAX_BYTES + 1)))


def _now() -> int:
    return int(time.time())
