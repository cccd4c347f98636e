"""One short connection to a target: TLS demanded, everything bounded in time, errors told in one sentence."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from portal.connectors.base import Target
from portal.connectors.errors import BadSettings, ConnectorError, TargetRefused, Unreachable

Connection = psycopg.Connection[DictRow]

CONNECT_S = 5
DEADLINE_S = 40.0  # the longest a whole connection may last: a frozen server answers no timeout of its own
TIMEOUTS = "-c lock_timeout=2000 -c statement_timeout=10000 -c idle_in_transaction_session_timeout=15000"
# Nothing that a responder made in a schema may stand in front of what the portal calls.
OPTIONS = f"{TIMEOUTS} -c search_path=pg_catalog -c client_min_messages=error"

BUSY = ("08", "40", "53", "55", "57")  # connection lost, retry, out of resources, locked, cancelled or shutting down


def is_loopback(host: str) -> bool:
    """True for this machine: a socket folder, `localhost`, 127.0.0.0/8 or ::1."""
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def parameters(target: Target) -> dict[str, Any]:
    """What libpq is given. Raises BadSettings where outside loopback TLS would not be checked in full."""
    settings = target.settings
    missing = [name for name in ("host", "port", "dbname", "user") if not settings.get(name)]
    if missing:
        raise BadSettings(f"The system's settings lack {', '.join(missing)}.")
    host = str(settings["host"])
    if "," in host:
        raise BadSettings("The system's host must be a single one.")
    return {
        "host": host,
        "port": int(settings["port"]),
        "dbname": str(settings["dbname"]),
        "user": str(settings["user"]),
        "password": target.password.reveal() if target.password else None,
        "connect_timeout": int(settings.get("connect_timeout_s") or CONNECT_S),
        "application_name": "breakglass portal",
        "options": OPTIONS,
        "client_encoding": "utf8",
        "gssencmode": "disable",
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        **_tls(host, settings),
    }


def _tls(host: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """verify-full outside loopback; there it is the default to say nothing and the mistake to say less."""
    mode = str(settings.get("sslmode") or ("prefer" if is_loopback(host) else "verify-full"))
    if not is_loopback(host) and mode != "verify-full":
        raise BadSettings("Outside this machine the connection must use sslmode verify-full.")
    root = settings.get("sslrootcert") or ("system" if mode == "verify-full" else None)
    return {"sslmode": mode, **({"sslrootcert": str(root)} if root else {})}


@contextmanager
def connected(target: Target, *, dbname: str | None = None, deadline_s: float = DEADLINE_S) -> Iterator[Connection]:
    """A connection in autocommit; every psycopg error leaves as one of ours."""
    given = parameters(target)
    with told(target):
        given["dbname"] = dbname or given["dbname"]
        connection = psycopg.connect(**given, autocommit=True, row_factory=dict_row)
        try:
            with cut_after(connection, deadline_s):
                yield connection
        finally:
            connection.close()


@contextmanager
def cut_after(connection: Connection, deadline_s: float) -> Iterator[None]:
    """Whoever waits on the connection within gets an error after the time, also where a frozen server lets no timeout of libpq work."""
    descriptor = os.dup(connection.fileno())
    cut = threading.Timer(deadline_s, _shut_socket, [descriptor])
    cut.daemon = True
    cut.start()
    try:
        yield
    finally:
        cut.cancel()
        cut.join()  # else it could shut whatever gets this descriptor's number next
        os.close(descriptor)


def _shut_socket(descriptor: int) -> None:
    """End a connection from outside, so that whoever waits on it gets an error."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as ours:
        ours.shutdown(socket.SHUT_RDWR)


@contextmanager
def told(target: Target) -> Iterator[None]:
    """Turn psycopg's errors into ours. Only the primary message is kept: contexts and details hold statements."""
    try:
        yield
    except psycopg.Error as error:
        raise explained(target, error) from None


def explained(target: Target, error: psycopg.Error) -> ConnectorError:
    """The error in our words."""
    where = f"{target.settings.get('host')}:{target.settings.get('port')}"
    state, said = error.sqlstate, error.diag.message_primary
    if state is None and isinstance(error, psycopg.OperationalError):
        return _not_connected(where, str(error))
    if state is None or state.startswith(BUSY):
        return Unreachable(f"The target {where} is busy or was cut off: {said or 'no answer'} ({state or 'no code'}).")
    if state == "42501":
        return TargetRefused(f"The portal's login on {where} lacks a right: {said}.")
    return TargetRefused(f"The target {where} refused: {said} ({state}).")


REFUSALS = (  # libpq gives no code when the connection itself fails, only text
    ("password authentication failed", "refused the portal's own password"),
    ("no pg_hba.conf entry", "has no pg_hba.conf entry for the portal's login"),
    ("certificate", "showed a certificate that could not be verified"),
    ("server does not support SSL", "does not speak TLS"),
    ("is not permitted to log in", "does not let the portal's login in"),
    ("does not exist", "does not know the portal's login or the database"),
)


def _not_connected(where: str, text: str) -> ConnectorError:
    """Tell a refusal, which needs a person, from a target that is merely away."""
    for part, sentence in REFUSALS:
        if part in text and "No such file" not in text:
            return TargetRefused(f"The target {where} {sentence}.")
    return Unreachable(f"The target {where} does not answer.")


def statement(text: LiteralString, /, **parts: Any) -> sql.Composed:
    """A command that takes no parameters: names (`n_...`) and literals are put in by the driver's own quoting."""
    quoted = {
        name: sql.Identifier(value) if name.startswith("n_") else sql.Literal(value) for name, value in parts.items()
    }
    return sql.SQL(text).format(**quoted)
