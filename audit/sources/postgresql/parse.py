"""One line of a PostgreSQL jsonlog to one typed record. Any bytes give a `Line` or a `ParseError`.

Real lines about connections and statements carry neither ``statement`` nor ``context``; lines that a session makes with RAISE carry
both, whatever their message says. So the keys decide, never the message alone.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import Enum

import msgspec

from audit.sources.postgresql.executed import PREFIX, executed


class ParseError(ValueError):
    """The bytes are no line of a jsonlog in English."""


class Kind(Enum):
    """What a line tells."""

    RECEIVED = "connection received"
    AUTHORIZED = "connection authorized"
    DISCONNECTION = "disconnection"
    STATEMENT = "statement"
    EXECUTE = "execute"
    UNCLEAR = "execute, and where its name ends is not certain"
    FASTPATH = "fastpath function call"
    AUDIT = "audit"
    ERROR = "error"
    FATAL = "fatal"
    STARTING = "server starting"
    SHUT_DOWN = "server shut down"
    CRASH = "process crashed"
    REINITIALIZING = "server reinitializing"
    PARAMETER = "parameter changed"
    FORGED = "forged"
    UNKNOWN = "a line of a session that is not known"
    OTHER = "other"


class Entry(msgspec.Struct, frozen=True):
    """The keys of a jsonlog object that are used; the server leaves out those that are null."""

    timestamp: str
    session_id: str
    line_num: int
    session_start: str
    error_severity: str
    message: str = ""
    pid: int = 0
    user: str = ""
    dbname: str = ""
    remote_host: str = ""
    remote_port: int = 0
    ps: str = ""
    vxid: str = ""
    state_code: str = ""
    detail: str = ""
    context: str | None = None
    statement: str | None = None
    backend_type: str = ""
    leader_pid: int = 0


class Line(msgspec.Struct, frozen=True):
    """A line that was understood. ``text`` is the statement, where there is one, without its prefix; the whole message where it is not clear."""

    kind: Kind
    entry: Entry
    at: int
    zone_known: bool
    text: str = ""

    @property
    def session(self) -> str:
        """The server's name for the process that wrote the line."""
        return self.entry.session_id

    @property
    def number(self) -> int:
        """The line's number within its session, from 1."""
        return self.entry.line_num


SEVERITIES = frozenset({"DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5"}) | {
    "LOG", "INFO", "NOTICE", "WARNING", "ERROR", "FATAL", "PANIC",
}  # fmt: skip
CONNECTIONS = frozenset({"client backend", "walsender", ""})
"""Of these processes a line that no rule knows may tell what somebody did."""
_SESSION = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{1,8})")
_CRASH = re.compile(
    r".{1,80} \(PID \d+\) (?:was terminated by signal|was terminated by exception|exited with exit code 2\b)"
)
_PARAMETER = re.compile(
    r'parameter "([^"]+)" (?:changed to "(.*)"|removed from configuration file, reset to default)', re.DOTALL
)
# What the server says of a connection beside its statements, and of the time that they took (their text was told before).
_ASIDE = re.compile(
    r"connection |replication connection |could not (?:receive data from|send data to|accept) |unexpected EOF |SSL |temporary file: "
    r"|duration: [\d.]+ ms(?:  (?:parse|bind|plan:)|$)"
)
_decoder = msgspec.json.Decoder(Entry)


def parse_line(raw: bytes) -> Line:
    """Read one line, without its newline.

    Raises:
        ParseError: the bytes are not JSON, lack a key, or are not in English.
    """
    entry = _decode(raw)
    if entry.error_severity not in SEVERITIES:
        raise ParseError(f"The severity {entry.error_severity[:20]!r} is not known; is lc_messages of the target C?")
    if entry.line_num < 1 or not _SESSION.fullmatch(entry.session_id):
        raise ParseError("The line has no number or session.")
    at, zone_known = _time(entry)
    kind, text = _kind(entry)
    return Line(kind, entry, at, zone_known, text)


def _decode(raw: bytes) -> Entry:
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    try:  # a database without an encoding may log bytes that are no UTF-8; the raw hash keeps them
        return _decoder.decode(raw.decode("utf-8", "replace").encode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ParseError("The bytes are no entry of a jsonlog.") from error


def _time(entry: Entry) -> tuple[int, bool]:
    """The line's time, by the session's start: its name holds the same instant as ``session_start``, in UTC seconds.

    So the offset of a zone that is known by an abbreviation only is found, as long as both texts carry the same abbreviation.
    """
    at, zone = _read_time(entry.timestamp)
    if zone in ("UTC", "GMT"):
        return at, True
    started, started_zone = _read_time(entry.session_start)
    utc = int(entry.session_id.partition(".")[0], 16) * 1000
    return at - (started - utc), zone == started_zone


def _read_time(text: str) -> tuple[int, str]:
    clock, _, zone = text.rpartition(" ")
    try:
        moment = datetime.fromisoformat(clock)
    except ValueError as error:
        raise ParseError("The line has no time.") from error
    if moment.tzinfo is not None or not zone or " " not in clock:
        raise ParseError("The line has no time.")
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1), zone


def _kind(entry: Entry) -> tuple[Kind, str]:
    if entry.error_severity in ("ERROR", "FATAL", "PANIC"):
        return (Kind.ERROR if entry.error_severity == "ERROR" else Kind.FATAL), entry.statement or ""
    if entry.error_severity != "LOG":
        return Kind.OTHER, ""
    kind, text = _server_kind(entry) if entry.backend_type == "postmaster" else _session_kind(entry)
    if entry.statement is None and entry.context is None:
        return kind, text
    return (Kind.OTHER if kind in (Kind.OTHER, Kind.UNKNOWN) else Kind.FORGED), ""


def _session_kind(entry: Entry) -> tuple[Kind, str]:
    message = entry.message
    if message.startswith("statement: "):
        return Kind.STATEMENT, message[len("statement: ") :]
    if message.startswith(PREFIX):
        text = executed(message)
        return (Kind.UNCLEAR, message) if text is None else (Kind.EXECUTE, text)
    if message.startswith("fastpath function call: "):
        return Kind.FASTPATH, message[len("fastpath function call: ") :]
    if message.startswith("connection received: "):
        return Kind.RECEIVED, ""
    if message.startswith(("connection authorized: ", "replication connection authorized: ")):
        return Kind.AUTHORIZED, ""
    if message.startswith("disconnection: session time: "):
        return Kind.DISCONNECTION, ""
    if message.startswith("AUDIT: "):
        return Kind.AUDIT, message[len("AUDIT: ") :]
    known = entry.backend_type not in CONNECTIONS or _ASIDE.match(message)
    return (Kind.OTHER, "") if known else (Kind.UNKNOWN, message)


def _server_kind(entry: Entry) -> tuple[Kind, str]:
    message = entry.message
    if message.startswith("starting PostgreSQL "):
        return Kind.STARTING, ""
    if message == "database system is shut down":
        return Kind.SHUT_DOWN, ""
    if message == "all server processes terminated; reinitializing":
        return Kind.REINITIALIZING, ""
    if _PARAMETER.fullmatch(message):
        return Kind.PARAMETER, message
    return (Kind.CRASH, "") if _CRASH.match(message) else (Kind.OTHER, "")


def parameter(line: Line) -> tuple[str, str | None]:
    """Name and new value of a `Kind.PARAMETER` line; None where the setting went back to its default."""
    found = _PARAMETER.fullmatch(line.text)
    if found is None:
        raise ValueError("The line tells of no parameter.")
    return found[1], found[2]
