"""Lines of the simulated target's log folded into the same findings as a real one's. See docs/formats/sources.md."""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from audit.sources.marker import number_of
from audit.sources.records import (
    CLASSES,
    OUTCOMES,
    Activity,
    Found,
    HeartbeatSeen,
    LossFound,
    SessionEnded,
    SessionStarted,
)
from audit.sources.state import Head, Session

PORTAL_LOGIN = "portal"


class ParseError(ValueError):
    """The bytes are no line of a simulated target's log."""


class Line(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """One line, as written."""

    session: str
    line: int
    marker: str
    kind: str
    at_ms: int
    statement: str = ""
    class_: str = "other"
    outcome: str = "unknown"
    object: str = ""


_decoder = msgspec.json.Decoder(Line)


def parse_line(raw: bytes) -> Line:
    """Read one line, without its newline.

    Raises:
        ParseError: not JSON, a key is missing, or a word is not one of the format's.
    """
    try:
        line = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ParseError("The bytes are no line of a simulated log.") from error
    known = line.kind in ("connect", "statement", "heartbeat", "disconnect")
    if not known or line.line < 1 or line.class_ not in CLASSES or line.outcome not in OUTCOMES:
        raise ParseError("The line holds a word that the format does not know.")
    return line


@dataclass
class Fold:
    """The state of one simulated log. The same attributes as the fold of a real one."""

    watched: Callable[[str], bool] = lambda login: number_of(login) is not None
    head: Head = field(default_factory=Head)
    sessions: dict[str, Session] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    found: list[Found] = field(default_factory=list)

    def read(self, lines: Iterable[bytes]) -> list[Found]:
        """Take the lines of one reading, in the order of the log."""
        for raw in lines:
            try:
                self._take(parse_line(raw), raw)
            except ParseError as error:
                self.found.append(LossFound("line_unreadable", self.head.last_at, self.head.last_at, str(error)))
        found, self.found = self.found, []
        return found

    def _take(self, line: Line, raw: bytes) -> None:
        self.head.joined_at = self.head.joined_at or line.at_ms
        self.head.lines += 1
        session = self.sessions.get(line.session)
        if session is None:
            session = self.sessions[line.session] = Session(line.session, backend="client backend")
            self._begin(session, line)
        if not self._count(session, line):
            return
        self.head.last_at = max(self.head.last_at, line.at_ms)
        if line.kind == "heartbeat" and line.marker == PORTAL_LOGIN:
            beat = HeartbeatSeen(line.statement, line.at_ms, "", line.session, line.line, self.head.authorized)
            self.found.append(beat)
        elif line.kind == "statement" and session.watched:
            self.found.append(_activity(line, raw))
        elif line.kind == "disconnect":
            self._end(session, line)

    def _begin(self, session: Session, line: Line) -> None:
        session.login, session.authorized, session.watched = line.marker, True, self.watched(line.marker)
        session.started_at = line.at_ms
        self.head.authorized += 1
        self.ended.discard(line.session)
        if session.watched:
            self.found.append(SessionStarted(line.session, line.marker, "", "", line.at_ms))

    def _count(self, session: Session, line: Line) -> bool:
        if line.line <= session.last:
            says = f"Number {line.line} came again after number {session.last}."
            loss = LossFound("numbers_repeated", line.at_ms, line.at_ms, says, line.session, line.line, line.line)
            self.found.append(loss)
            return False
        first, last = session.last + 1, line.line - 1
        if first <= last:
            session.missing.append((first, last))
            many, span = ("Number", str(first)) if first == last else ("Numbers", f"{first} to {last}")
            says = f"{many} {span} of session {line.session} never came."
            since = session.last_at or line.at_ms
            self.found.append(LossFound("numbers_missing", since, line.at_ms, says, line.session, first, last))
        session.last, session.last_at = line.line, line.at_ms
        self.changed.add(line.session)
        return True

    def _end(self, session: Session, line: Line) -> None:
        if session.watched:
            state = "gap" if session.missing else "complete"
            missing = tuple((first, last) for first, last in session.missing)
            self.found.append(SessionEnded(line.session, line.at_ms, line.line, state, missing))
        del self.sessions[line.session]
        self.changed.discard(line.session)
        self.ended.add(line.session)


def _activity(line: Line, raw: bytes) -> Activity:
    salt = os.urandom(32)
    return Activity(
        line.session, line.line, line.line, line.at_ms, True, line.class_, False, line.outcome, "", line.statement,
        len(line.statement), line.object or "simulated", hashlib.sha256(salt + raw).hexdigest(), salt.hex(),
    )  # fmt: skip
