"""Lines of a jsonlog: real ones, forged ones, and any bytes at all."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sources.postgresql.parse import Kind, Line, ParseError, parameter, parse_line
from tests.audit.sources.logs import recorded

ENTRY: dict[str, Any] = {
    "timestamp": "2026-11-24 17:36:21.617 UTC",
    "user": "bg_7",
    "dbname": "shop",
    "pid": 9111,
    "session_id": "6b05cb15.2397",
    "line_num": 4,
    "ps": "idle",
    "session_start": "2026-11-24 17:36:21 UTC",
    "error_severity": "LOG",
    "message": "statement: SELECT 1",
    "backend_type": "client backend",
}


def line(**changes: Any) -> bytes:
    entry = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    return json.dumps(entry).encode()


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({}, Kind.STATEMENT, "SELECT 1"),
        ({"message": "statement: "}, Kind.STATEMENT, ""),
        ({"message": "execute <unnamed>: SELECT $1", "detail": "Parameters: $1 = '1'"}, Kind.EXECUTE, "SELECT $1"),
        ({"message": "execute a:b: SELECT ': '"}, Kind.EXECUTE, "SELECT ': '"),
        ({"message": "execute fetch from s/c: SELECT 1"}, Kind.EXECUTE, "SELECT 1"),
        # a name is free text: where it ends is certain only if one place alone is followed by a command
        ({"message": "execute a\nb: UPDATE t SET x = 0"}, Kind.EXECUTE, "UPDATE t SET x = 0"),
        ({"message": "execute a: b: UPDATE t SET x = 0"}, Kind.EXECUTE, "UPDATE t SET x = 0"),
        ({"message": "execute <unnamed>: /* why */ (SELECT 1)"}, Kind.EXECUTE, "/* why */ (SELECT 1)"),
        ({"message": "execute <unnamed>: SELECT 'note: select \\' me'"}, Kind.EXECUTE, "SELECT 'note: select \\' me'"),
        ({"message": "execute q: VALUES ('{\"a\": 1}', 'note: delete me')"}, Kind.EXECUTE, "VALUES ('{\"a\": 1}', 'note: delete me')"),
        ({"message": "execute x: SELECT 1 --: UPDATE t SET x = 1"}, Kind.UNCLEAR, "execute x: SELECT 1 --: UPDATE t SET x = 1"),
        ({"message": "execute x: SELECT ': UPDATE t SET x = ' '"}, Kind.UNCLEAR, "execute x: SELECT ': UPDATE t SET x = ' '"),
        ({"message": "execute x: nothing known"}, Kind.UNCLEAR, "execute x: nothing known"),
        ({"message": "execute " + 9 * ": SELECT 1 --"}, Kind.UNCLEAR, "execute " + 9 * ": SELECT 1 --"),
        # what no rule knows is kept; what the server says aside of a connection, and of the time that was taken, is known
        ({"message": "Anweisung: SELECT 1"}, Kind.UNKNOWN, "Anweisung: SELECT 1"),
        ({"message": "duration: 0.1 ms  statement: SELECT 1"}, Kind.UNKNOWN, "duration: 0.1 ms  statement: SELECT 1"),
        ({"message": "duration: 0.123 ms"}, Kind.OTHER, ""),
        ({"message": "duration: 0.123 ms  bind s: SELECT 1"}, Kind.OTHER, ""),
        ({"message": "could not receive data from client: Connection reset by peer"}, Kind.OTHER, ""),
        ({"message": "unexpected EOF on client connection with an open transaction"}, Kind.OTHER, ""),
        ({"message": 'fastpath function call: "lo_create" (OID 715)'}, Kind.FASTPATH, '"lo_create" (OID 715)'),
        ({"message": "connection received: host=127.0.0.1 port=1"}, Kind.RECEIVED, ""),
        ({"message": "connection authorized: user=bg_7 database=shop"}, Kind.AUTHORIZED, ""),
        ({"message": "replication connection authorized: user=r"}, Kind.AUTHORIZED, ""),
        ({"message": "connection authenticated: user=\"bg_7\" method=trust"}, Kind.OTHER, ""),
        ({"message": "connection ready: setup total=1.2 ms"}, Kind.OTHER, ""),
        ({"message": "disconnection: session time: 0:00:00.1 user=bg_7"}, Kind.DISCONNECTION, ""),
        ({"error_severity": "ERROR", "statement": "SELECT x"}, Kind.ERROR, "SELECT x"),
        ({"error_severity": "ERROR"}, Kind.ERROR, ""),
        ({"error_severity": "FATAL"}, Kind.FATAL, ""),
        ({"error_severity": "PANIC"}, Kind.FATAL, ""),
        ({"error_severity": "WARNING"}, Kind.OTHER, ""),
        ({"message": "AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<none>"}, Kind.AUDIT, "SESSION,1,1,READ,SELECT,,,SELECT 1,<none>"),
        # what a session writes with RAISE has a statement and a context, whatever it says
        ({"statement": "DO ..", "context": "PL/pgSQL"}, Kind.FORGED, ""),
        ({"message": "still waiting for a lock", "statement": "DO .."}, Kind.OTHER, ""),
        ({"message": "disconnection: session time: 0", "statement": "DO ..", "context": "PL/pgSQL"}, Kind.FORGED, ""),
        ({"message": "disconnection: session time: 0", "statement": "DO .."}, Kind.FORGED, ""),
        ({"message": "connection authorized: user=x", "context": "PL/pgSQL"}, Kind.FORGED, ""),
        # lines of the server as a whole come from its first process alone
        ({"message": "database system is shut down"}, Kind.UNKNOWN, "database system is shut down"),
        ({"message": "database system is shut down", "backend_type": "postmaster"}, Kind.SHUT_DOWN, ""),
        ({"message": "starting PostgreSQL 18.6 on x", "backend_type": "postmaster"}, Kind.STARTING, ""),
        ({"message": "client backend (PID 7) was terminated by signal 9: Killed", "backend_type": "postmaster"}, Kind.CRASH, ""),
        ({"message": "server process (PID 7) was terminated by signal 9: Killed", "backend_type": "postmaster"}, Kind.CRASH, ""),
        ({"message": "all server processes terminated; reinitializing", "backend_type": "postmaster"}, Kind.REINITIALIZING, ""),
        ({"message": "statement: SELECT 1", "backend_type": "postmaster"}, Kind.OTHER, ""),
    ],
)  # fmt: skip
def test_kind_of_a_line(changes: dict[str, Any], kind: Kind, text: str) -> None:
    found = parse_line(line(**changes))
    assert (found.kind, found.text) == (kind, text)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('parameter "log_connections" changed to "off"', ("log_connections", "off")),
        ('parameter "log_line_prefix" changed to ""', ("log_line_prefix", "")),
        ('parameter "log_connections" removed from configuration file, reset to default', ("log_connections", None)),
    ],
)
def test_changed_parameter_is_read(message: str, found: tuple[str, str | None]) -> None:
    assert parameter(parse_line(line(message=message, backend_type="postmaster"))) == found


@pytest.mark.parametrize(
    ("changes", "at", "known"),
    [
        ({}, 1_795_541_781_617, True),
        # the session's name holds its start in UTC, so the zone of session_start is known whatever its abbreviation means
        ({"timestamp": "2026-11-24 18:36:21.617 CET", "session_start": "2026-11-24 18:36:21 CET"}, 1_795_541_781_617, True),
        ({"timestamp": "2026-11-24 12:06:21.617 -0530", "session_start": "2026-11-24 12:06:21 -0530"}, 1_795_541_781_617, True),
        ({"timestamp": "2026-11-24 18:36:21.617 CET", "session_start": "2026-11-24 19:36:21 CEST"}, 1_795_538_181_617, False),
    ],
)  # fmt: skip
def test_time_is_in_milliseconds_utc(changes: dict[str, Any], at: int, known: bool) -> None:
    found = parse_line(line(**changes))
    assert (found.at, found.zone_known) == (at, known)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        line()[:-1],
        line() + line(),
        line(line_num=0),
        line(line_num="4"),
        line(line_num=None),
        line(session_id=None),
        line(session_id="x.y"),
        line(timestamp="yesterday"),
        line(timestamp="2026-11-24 17:36:21.617"),
        line(error_severity="PROTOKOLL"),
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_line_is_refused(raw: bytes) -> None:
    with pytest.raises(ParseError):
        parse_line(raw)


def test_bytes_that_are_no_text_do_not_hide_a_statement() -> None:
    found = parse_line(line(message="statement: SELECT 'x'").replace(b"x", b"\xff\xfe"))
    assert (found.kind, found.text) == (Kind.STATEMENT, "SELECT '\ufffd\ufffd'")


def test_every_recorded_line_is_read() -> None:
    kinds = {parse_line(raw).kind for raw in recorded()}
    assert kinds == {
        Kind.RECEIVED, Kind.AUTHORIZED, Kind.DISCONNECTION, Kind.STATEMENT, Kind.EXECUTE, Kind.ERROR, Kind.FATAL, Kind.FORGED,
        Kind.STARTING, Kind.SHUT_DOWN, Kind.OTHER,
    }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_a_line_or_the_one_error(raw: bytes) -> None:
    _line_or_error(raw)


@given(st.sampled_from(sorted(ENTRY)), JSON)
def test_any_value_of_a_key_gives_a_line_or_the_one_error(key: str, value: object) -> None:
    _line_or_error(json.dumps({**ENTRY, key: value}).encode())


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_one_changed_byte_gives_a_line_or_the_one_error(place: int, byte: int) -> None:
    raw = bytearray(line(detail="é", context="x"))
    raw[place % len(raw)] = byte
    _line_or_error(bytes(raw))


def _line_or_error(raw: bytes) -> None:
    with contextlib.suppress(ParseError):
        assert isinstance(parse_line(raw), Line)
