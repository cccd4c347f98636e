"""One POST to a receiver: to an address that was judged, within a time, with a bounded answer, following nothing."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from queue import Empty, SimpleQueue

from portal.notifications.channels.webhook.addresses import Network, Url, may_reach

RESOLVE_S = 5.0  # for the name
CONNECT_S = 3.0  # for each step of the connection
WHOLE_S = 10.0  # for everything after the name was resolved; well below the outbox's lease
ANSWER_BYTES = 4_096  # of a body that is thrown away: it is read only to let the receiver finish


class NotReached(Exception):
    """The receiver was not reached, or did not answer in time. ``code`` is a short word without addresses."""

    def __init__(self, code: str) -> None:
        """Keep the word."""
        super().__init__(code)
        self.code = code


def post(
    url: Url, body: bytes, headers: Mapping[str, str], *, named: Iterable[Network], whole_s: float | None = None
) -> int:
    """Send it and return the status of the answer. No proxy, no redirect, no cookie.

    Raises:
        NotReached: no connection, TLS that cannot be trusted, no answer in time, or an address that may not be reached.
    """
    connection = _Judged(url, _resolve(url, tuple(named)))
    deadline = threading.Timer(WHOLE_S if whole_s is None else whole_s, connection.cut)
    deadline.daemon = True
    deadline.start()
    try:
        connection.request("POST", url.target, body, {**headers, "Connection": "close"})
        answer = connection.getresponse()
        if connection.was_cut:  # a head that never ended looks like one that did, once it is cut
            raise TimeoutError
        _finish(answer)
        return answer.status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotReached("too_slow" if connection.was_cut else _code(error)) from None
    finally:
        deadline.cancel()
        connection.close()


def _finish(answer: http.client.HTTPResponse) -> None:
    """The status has been said; whatever befalls the body changes nothing."""
    try:
        answer.read(ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError):
        return


def _resolve(url: Url, named: tuple[Network, ...]) -> str:
    addresses = _looked_up(url)
    if not addresses:
        raise NotReached("name_unknown")
    if not all(may_reach(each, tls=url.tls, named=named) for each in addresses):
        raise NotReached("address_not_allowed")
    return addresses[0]


def _looked_up(url: Url) -> list[str]:
    """The addresses of its name; none where it has none.

    The system's resolver takes no deadline and may wait for a dead name server many times as long. So it is asked in a thread of its own, which
    is left to end by itself: the other receivers wait for it no longer.
    """
    said = SimpleQueue[list[str]]()

    def ask() -> None:
        try:
            said.put([str(each[4][0]) for each in socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError):
            said.put([])

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        return said.get(timeout=RESOLVE_S)
    except Empty:
        raise NotReached("name_too_slow") from None


def _code(error: Exception) -> str:
    return "tls_not_trusted" if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Judged(http.client.HTTPConnection):
    """A connection to one IP address that checks the certificate of the name."""

    def __init__(self, url: Url, address: str) -> None:
        super().__init__(url.host, url.port, timeout=CONNECT_S)
        self._url, self._address = url, address
        self.was_cut = False

    def connect(self) -> None:
        """Connect to the address that was judged, whatever the name means by now."""
        self.sock = socket.create_connection((self._address, self._url.port), CONNECT_S)
        if self._url.tls:
            self.sock = _trust().wrap_socket(self.sock, server_hostname=self._url.host, do_handshake_on_connect=False)
            self.sock.do_handshake()
        self.sock.settimeout(None)  # from here on the deadline alone counts
        if self.was_cut:
            raise TimeoutError

    def cut(self) -> None:
        """The time is over: whoever waits for this socket stops waiting."""
        self.was_cut = True
        if self.sock is not None:
            try:
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
            except OSError:  # closed already
                return
