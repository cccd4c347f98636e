"""One request over HTTP with an end: so many bytes at most, and so many seconds from the first to the last of them. No Django.

A limit for each read alone lets a server that sends a byte now and then hold a process for days.
"""

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from audit.log.addresses import apart, spoken

MOST_LINES = 100  # before the body of an answer, as `http.client` has it of all but a proxy's


class NotFetched(Exception):
    """No answer, or none in time; why, without anything secret that the address holds. ``kind`` is one word for it."""

    def __init__(self, sentence: str, kind: str = "") -> None:
        """Keep both."""
        super().__init__(sentence)
        self.kind = kind or sentence


@dataclass(frozen=True)
class Answer:
    """The status, and of the body at most one byte more than was asked for; ``length`` as the server announced it."""

    status: int
    data: bytes
    length: int | None


@dataclass
class Deadline:
    """Cuts every connection that was made under it, when the time is over."""

    within_s: float
    over: bool = False
    _sockets: list[socket.socket] = field(default_factory=list)

    def keep(self, made: socket.socket | None) -> None:
        """One that is used until then."""
        if made is not None:
            self._sockets.append(made)
        if self.over:
            raise TimeoutError

    def __enter__(self) -> "Deadline":
        """From now on."""
        self._timer = threading.Timer(self.within_s, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """It was in time, or it was cut."""
        self._timer.cancel()

    def _cut(self) -> None:
        self.over = True
        for each in self._sockets:
            try:
                socket.socket.shutdown(each, socket.SHUT_RDWR)
            except OSError:  # closed already
                continue

    def late(self) -> str:
        """In words."""
        return f"it takes longer than {self.within_s:g} seconds"


class _Lines:
    """What a proxy answers before it lets through: so many lines at most, as of any other answer."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, MOST_LINES

    def readline(self, limit: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise http.client.HTTPException(f"the proxy answers with more than {MOST_LINES} lines")
        return self._file.readline(limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _OfProxy(http.client.HTTPResponse):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fp = cast(Any, _Lines(self.fp))


class _Cut(http.client.HTTPConnection):
    end: Deadline | None = None

    def _tunnel(self) -> None:
        """The proxy is asked while the connection is made."""
        if self.end:
            self.end.keep(self.sock)
        self.response_class = _OfProxy
        try:
            super()._tunnel()  # type: ignore[misc]  # no public name; without it a proxy could answer for ever
        finally:
            self.response_class = http.client.HTTPResponse


class Plain(_Cut):
    """A connection that a deadline cuts."""

    def connect(self) -> None:
        """Connect."""
        super().connect()
        if self.end:
            self.end.keep(self.sock)


class Tls(_Cut, http.client.HTTPSConnection):
    """The same over TLS, whose handshake is cut as well."""

    def connect(self) -> None:
        """Connect, then shake hands."""
        http.client.HTTPConnection.connect(self)
        host = getattr(self, "_tunnel_host", None) or self.host
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]
        self.sock = context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
        if self.end:
            self.end.keep(self.sock)
        self.sock.do_handshake()


def fetch(
    address: str, *, most: int, within_s: float, silent_s: float, body: bytes | None = None, headers: Mapping[str, str] | None = None,
    direct: bool = False,
) -> Answer:  # fmt: skip
    """Ask an address (http or https); user info in it goes to its server alone.

    Args:
        address: See above.
        most: Bytes that are wanted at most.
        within_s: From the connection to the last byte, in seconds; a name is looked up before that.
        silent_s: Between two bytes, in seconds.
        body: To be posted.
        headers: Of the request.
        direct: Over no proxy, and nowhere else.

    Raises:
        NotFetched: See there.
    """
    try:
        bare, who = apart(address)
        wanted = urllib.request.Request(bare, data=body, headers=dict(headers or {}))  # noqa: S310 - the openers below know nothing else
    except ValueError as error:
        raise NotFetched(spoken(str(error)), "no address") from None
    for name, value in who.items():
        wanted.add_unredirected_header(name, value)
    with Deadline(within_s) as end:
        try:
            with _opener(end, direct).open(wanted, timeout=silent_s) as answer:
                return _read(answer, most, end)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, b"", None)
        except (OSError, http.client.HTTPException, ValueError) as error:  # URLError and time-outs are OSErrors
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            words = end.late() if end.over else spoken(str(error))
            raise NotFetched(words, "too slow" if end.over else type(cause).__name__) from None


def _read(answer: Any, most: int, end: Deadline) -> Answer:
    data, said = bytes(answer.read(most + 1)), answer.headers.get("Content-Length", "")
    if end.over:  # what was cut looks like something that ended
        raise NotFetched(end.late(), "too slow")
    return Answer(answer.status, data, int(said) if said.isdecimal() else None)


class _Redirect(urllib.request.HTTPRedirectHandler):
    """What else such an answer holds is not read, however much it is."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class _OverPlain(urllib.request.HTTPHandler):
    def __init__(self, end: Deadline) -> None:
        super().__init__()
        self._made = _maker(Plain, end)

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._made, req)


class _OverTls(urllib.request.HTTPSHandler):
    def __init__(self, end: Deadline) -> None:
        super().__init__(context=_trust())
        self._made = _maker(Tls, end)

    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(self._made, req, context=_trust())


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _maker(kind: type[Plain | Tls], end: Deadline) -> Any:
    def made(host: str, **more: Any) -> Plain | Tls:
        connection = kind(host, **more)
        connection.end = end
        return connection

    return made


def _opener(end: Deadline, direct: bool) -> urllib.request.OpenerDirector:
    """Of http and https alone; proxies and redirects as everywhere."""
    through = () if direct else (urllib.request.ProxyHandler(), _Redirect())
    opener = urllib.request.OpenerDirector()
    for handler in (
        *through, _OverPlain(end), _OverTls(end), urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    return opener
