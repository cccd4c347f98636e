"""Lines folded into sessions, activities and losses: every number of every session is there once, or the hole is named.

The fold is pure: it knows neither files nor grants. A reading is any number of lines; wherever one reading ends and the next begins, the
same activities come out, only that an error which is read later than its statement is told as `OutcomeLearned`.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from audit.sources.marker import number_of
from audit.sources.postgresql import masking
from audit.sources.postgresql.classes import Classified, classify, classify_fastpath, classify_tag
from audit.sources.postgresql.executed import readings
from audit.sources.postgresql.muting import logging_changes, outlives_an_error
from audit.sources.postgresql.parse import Entry, Kind, Line, ParseError, parameter, parse_line
from audit.sources.postgresql.settings import Setting, is_logging, shown, weakens
from audit.sources.records import (
    CLASSES,
    Activity,
    EpochStarted,
    Found,
    HeartbeatSeen,
    LossFound,
    OutcomeLearned,
    SessionEnded,
    SessionRefused,
    SessionStarted,
    SettingsChanged,
)
from audit.sources.state import Asked, Head, Session

DENIED = frozenset({"42501", "28000", "28P01", "53300", "0P000", "0LP01", "0L000"})
LOGIN_TEST, NO_DATABASE = (
    "breakglass_login_test",
    "3D000",
)  # as the portal's login tests ask for it, and what the server says then
UNREADABLE = frozenset({"42601", "22021"})
"""A syntax error, and bytes that are no text: the statement may be anything, a password too."""
HEARTBEAT = re.compile(r"\s*select\s+'breakglass heartbeat ([0-9A-Za-z._:-]{1,100})'", re.IGNORECASE)
AUDIT_CLASSES = {"WRITE": "data_change", "DDL": "schema_change", "ROLE": "permission_change"}
BEFORE_LOGIN = frozenset({"", "authentication", "startup"})
TELLING = frozenset({Kind.STATEMENT, Kind.EXECUTE, Kind.UNCLEAR, Kind.FASTPATH, Kind.UNKNOWN})
"""Lines that tell what a session did. One that is not known may tell it too, so it is never left out."""
SHORT_LIVED = frozenset({"autovacuum worker", "parallel worker", "background worker"})
FORGET_AFTER = 24 * 3600 * 1000
REFUSED_WITHIN = 1000
"""Milliseconds of the log in which the refusal of a changed setting is written; until then the change is not told."""


@dataclass(frozen=True)
class Reader:
    """How to read one source. ``watched`` says of a login whether its statements are recorded."""

    portal_login: str = ""
    watched: Callable[[str], bool] = lambda login: number_of(login) is not None
    literals: str = "keep"


@dataclass
class Fold:
    """The state of one source's log, and what was found in the running reading."""

    reader: Reader
    head: Head = field(default_factory=Head)
    sessions: dict[str, Session] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    found: list[Found] = field(default_factory=list)
    _held: dict[str, tuple[Activity, bytes, str]] = field(default_factory=dict)

    def read(self, lines: Iterable[bytes]) -> list[Found]:
        """Take the lines of one reading, in the order of the log."""
        for raw in lines:
            try:
                self._take(parse_line(raw), raw)
            except ParseError as error:
                self.found.append(LossFound("line_unreadable", self.head.last_at, self.head.last_at, str(error)))
        for name in list(self._held):
            self._release(name)
        for session in self.sessions.values():
            if session.asked and self.head.last_at > session.asked[0].at + REFUSED_WITHIN:
                self._changed(session)
        found, self.found = self.found, []
        return found

    def _take(self, line: Line, raw: bytes) -> None:
        head = self.head
        head.joined_at = head.joined_at or line.at
        head.lines += 1
        session = self._count(line)
        head.last_at = max(head.last_at, line.at)
        if session is None:
            return
        if line.entry.backend_type == "postmaster":
            self._server(line)
        elif session.is_client:
            self._client(session, line, raw)

    # --- counting

    def _count(self, line: Line) -> Session | None:
        """Hold the line's number against the last one of its session; None where the line was read before."""
        session = self.sessions.get(line.session)
        if session is None:
            session = self._first(line)
        number = line.number
        if number <= session.last:
            says = f"Number {number} came again after number {session.last}."
            self.found.append(LossFound("numbers_repeated", line.at, line.at, says, line.session, number, number))
            return None
        if number > session.last + 1:
            self._missing(session, session.last + 1, number - 1, session.last_at or _started(line), line.at)
        session.last, session.last_at = number, line.at
        session.backend = line.entry.backend_type or session.backend
        self.changed.add(line.session)
        return session

    def _first(self, line: Line) -> Session:
        if line.entry.backend_type == "postmaster" and line.session != self.head.epoch:
            self._epoch(line)
        session = Session(line.session, epoch=self.head.epoch, backend=line.entry.backend_type, key=os.urandom(16))
        if line.number > 1 and _started(line) < self.head.joined_at // 1000 * 1000:
            session.last = line.number - 1  # it began before anything of this log was read
        self.sessions[line.session] = session
        self.ended.discard(line.session)
        return session

    def _missing(self, session: Session, first: int, last: int, from_at: int, to_at: int) -> None:
        session.missing.append((first, last))
        many = "Number" if first == last else "Numbers"
        span = str(first) if first == last else f"{first} to {last}"
        says = f"{many} {span} of session {session.session} never came."
        self.found.append(LossFound("numbers_missing", min(from_at, to_at), to_at, says, session.session, first, last))

    # --- the server as a whole

    def _epoch(self, line: Line) -> None:
        head = self.head
        after = "first" if not head.epoch else "shut down" if head.epoch_closed else "unknown"
        if head.epoch and not head.epoch_closed:
            self._cut_all(line.at, "the server started anew without having said that it stopped")
            says = "The server started anew, and the log does not say how the time before ended."
            self.found.append(LossFound("epoch_not_chained", head.last_at, line.at, says))
        self.found.append(EpochStarted(line.session, line.at, after, head.last_at or None))
        head.epoch, head.epoch_closed = line.session, False

    def _server(self, line: Line) -> None:
        if line.kind is Kind.SHUT_DOWN:
            self.head.epoch_closed = True
            self._cut_all(line.at, "the server stopped")
        elif line.kind is Kind.REINITIALIZING:
            self._cut_all(line.at, "a process of the server crashed and all others were stopped")
        elif line.kind is Kind.PARAMETER:
            name, value = parameter(line)
            if is_logging(name):
                weak = weakens(name, value, everywhere=True)
                self.found.append(SettingsChanged(line.at, *_kept(Setting(name, value)), weak))
        self._forget(line.at)

    def _cut_all(self, at: int, why: str) -> None:
        """End what has no end of its own; the tail of a connection cannot be shown then."""
        for session in list(self.sessions.values()):
            if session.is_client and session.authorized:
                self._go_on(session)
                says = f"Session {session.session} has no end: {why}. What came after number {session.last} cannot be shown."
                self.found.append(
                    LossFound("session_cut", session.last_at, at, says, session.session, session.last + 1)
                )
                self._end(session, at, "cut")
            elif session.session != self.head.epoch or self.head.epoch_closed:
                self._drop(session)

    def _forget(self, at: int) -> None:
        """Workers say nothing when they go; after a day none of them lives."""
        for session in list(self.sessions.values()):
            if session.backend in SHORT_LIVED and session.last_at < at - FORGET_AFTER:
                self._drop(session)

    def _drop(self, session: Session) -> None:
        self.sessions.pop(session.session, None)
        self.changed.discard(session.session)
        self.ended.add(session.session)

    # --- connections

    def _client(self, session: Session, line: Line, raw: bytes) -> None:
        kind = line.kind
        if session.trial and kind is not Kind.AUTHORIZED and self._was_a_trial(session, line):
            return
        if kind is Kind.AUTHORIZED:
            self._let_in(session, line, line.at)
        elif not session.authorized and line.entry.user and _acts(line):
            self._let_in(session, line, _started(line))
        if kind is Kind.DISCONNECTION:
            self._go_on(session)
            self._end(session, line.at, "gap" if session.missing else "complete")
        elif kind in TELLING and session.authorized:
            self._go_on(session)
            self._statement(session, line, raw)
        elif kind is Kind.ERROR or (kind is Kind.FATAL and line.entry.statement is not None):
            self._error(session, line, raw)
        elif kind is Kind.FATAL and not session.statements and line.entry.ps in BEFORE_LOGIN:
            self._refused(session, line)
        elif kind is Kind.AUDIT:
            self._audited(session.session, line)

    def _let_in(self, session: Session, line: Line, at: int) -> None:
        """By its own line, or by what it does: who acts was let in, also where that line is lost or older than our reading."""
        session.login, session.database, session.remote = line.entry.user, line.entry.dbname, _remote(line.entry)
        session.authorized = True
        session.watched = self.reader.watched(session.login)
        # The server counts no replication; one whose own line is lost within our reading was counted all the same.
        session.counted = line.entry.message.startswith("connection ") or bool(session.missing)
        self.head.authorized += session.counted
        session.started_at, session.trial = at, session.database == LOGIN_TEST
        if session.watched and not session.trial:
            self._tell_start(session)

    def _tell_start(self, session: Session) -> None:
        self.found.append(
            SessionStarted(session.session, session.login, session.database, session.remote, session.started_at)
        )

    def _was_a_trial(self, session: Session, line: Line) -> bool:
        """A login test asks for a database that does not exist and gets no further: nothing could be done in it. Else it is a session like any."""
        session.trial = False
        if line.kind is Kind.FATAL and line.entry.state_code == NO_DATABASE and not session.statements:
            self.head.authorized -= session.counted
            self._drop(session)
            return True
        if session.watched:
            self._tell_start(session)
        return False

    def _refused(self, session: Session, line: Line) -> None:
        login = session.login or line.entry.user
        code = line.entry.state_code
        outcome = "denied" if code in DENIED else "failed"
        if number_of(login) is not None or session.watched:
            remote = session.remote or _remote(line.entry)
            refused = SessionRefused(
                session.session, login, line.entry.dbname, remote, line.at, outcome, code, line.number
            )
            self.found.append(refused)
        if session.authorized:
            self.head.authorized -= session.counted  # the server does not count it as a session either
            self._end(session, line.at, "gap" if session.missing else "complete")
        else:
            self._drop(session)

    def _end(self, session: Session, at: int, state: str) -> None:
        if session.watched and session.trial:
            self._tell_start(session)
        if session.watched:
            missing = tuple((first, last) for first, last in session.missing)
            self.found.append(SessionEnded(session.session, at, session.last, state, missing))
        self._drop(session)

    # --- what was done

    def _statement(self, session: Session, line: Line, raw: bytes) -> None:
        session.statements += line.kind is not Kind.UNKNOWN  # it may be of a login that is refused yet
        session.pending, session.pending_text = line.number, _fingerprint(session, line.text)
        if session.login == self.reader.portal_login and session.login:
            self._heartbeat(session, line)
        if session.watched:
            self._held[session.session] = (self._activity(session, line, raw), raw, line.text)
        for text in readings(line.text) if line.kind is Kind.UNCLEAR else [line.text]:
            self._settings(session, line.at, line.number, text)

    def _heartbeat(self, session: Session, line: Line) -> None:
        beat = HEARTBEAT.match(line.text)
        if beat and line.kind in (Kind.STATEMENT, Kind.EXECUTE):
            head = self.head
            self.found.append(
                HeartbeatSeen(beat[1], line.at, head.epoch, session.session, line.number, head.authorized)
            )

    def _activity(self, session: Session, line: Line, raw: bytes, code: str = "") -> Activity:
        fatal = line.kind is Kind.FATAL
        outcome = _outcome(code, fatal=fatal) if line.kind in (Kind.ERROR, Kind.FATAL) else "no_error_seen"
        classified = self._classified(line)
        salt = os.urandom(32)
        return Activity(
            session.session, line.number, line.number, line.at, line.zone_known,
            classified.class_, classified.at_least, outcome, code,
            self._shown(line, code), len(line.text), classified.object or session.database,
            hashlib.sha256(salt + raw).hexdigest(), salt.hex(),
        )  # fmt: skip

    def _classified(self, line: Line) -> Classified:
        if line.kind is Kind.FASTPATH:
            return classify_fastpath(line.text)
        if line.kind in (Kind.UNCLEAR, Kind.UNKNOWN):
            return classify_tag(line.entry.ps)
        return classify(line.text, prepared=_prepared(line)) if line.text else Classified("other", at_least=True)

    def _shown(self, line: Line, code: str) -> str:
        if line.kind is Kind.FASTPATH:
            return f"fastpath function call: {line.text}"[: masking.LONGEST]
        if code in UNREADABLE:
            return masking.first_word(line.text)
        if line.kind in (Kind.UNCLEAR, Kind.UNKNOWN) and masking.hides(line.text, literals=self.reader.literals):
            return masking.first_word(line.text)  # a quote in a name would turn values into code
        return masking.mask(line.text, literals=self.reader.literals, about=_prepared(line))

    def _error(self, session: Session, line: Line, raw: bytes) -> None:
        """An error belongs to the action before it if it carries the same text and did not arise before running it."""
        text = line.entry.statement or ""
        code = line.entry.state_code
        same = session.pending and text and _fingerprint(session, text) == session.pending_text
        if same and line.entry.ps not in ("PARSE", "BIND"):
            of_number, session.pending, session.asked = session.pending, 0, []
            if session.watched:
                self._outcome(session, line, raw, of_number)
            return
        self._go_on(session)
        session.statements += 1
        session.pending = 0
        if session.watched:
            self.found.append(self._activity(session, line, raw, code))

    def _outcome(self, session: Session, line: Line, raw: bytes, of_number: int) -> None:
        code = line.entry.state_code
        outcome = _outcome(code, fatal=line.kind is Kind.FATAL)
        held = self._held.pop(session.session, None)
        salt = os.urandom(32)
        if held is None:
            digest = hashlib.sha256(salt + raw).hexdigest()
            learned = OutcomeLearned(
                session.session, of_number, line.number, line.at, outcome, code, digest, salt.hex()
            )
            self.found.append(learned)
            return
        activity, first_raw, text = held
        statement = masking.first_word(text) if code in UNREADABLE else activity.statement
        digest = hashlib.sha256(salt + first_raw + b"\n" + raw).hexdigest()
        self.found.append(
            replace(
                activity,
                outcome=outcome,
                state_code=code,
                last_number=line.number,
                statement=statement,
                raw_sha256=digest,
                raw_salt=salt.hex(),
            )
        )

    def _audited(self, session: str, line: Line) -> None:
        """A line of pgaudit belongs to the statement before it and may show that it did more than its text says."""
        held = self._held.get(session)
        words = line.text.split(",", 4)
        class_ = AUDIT_CLASSES.get(words[3]) if len(words) > 3 else None
        if held and class_ and held[0].at_least:
            raised = max(held[0].class_, class_, key=CLASSES.index)
            self._held[session] = (replace(held[0], class_=raised), *held[1:])

    def _go_on(self, session: Session) -> None:
        """The session went on, so nothing more belongs to its last statement."""
        self._release(session.session)
        self._changed(session)

    def _release(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is not None:
            self.found.append(held[0])

    def _settings(self, session: Session, at: int, number: int, text: str) -> None:
        """Changes of what is logged that a statement asks for: told when no error followed, at once where none could undo them."""
        for setting in logging_changes(text):
            name, value = _kept(setting)
            weak = weakens(setting.name, setting.value, everywhere=False)
            if outlives_an_error(text):
                self.found.append(SettingsChanged(at, name, value, weak, session.session))
            else:
                session.asked.append(Asked(at, number, name, value, weak))

    def _changed(self, session: Session) -> None:
        for each in session.asked:
            self.found.append(
                SettingsChanged(each.at, each.setting, each.value, each.weakens, session.session, each.number)
            )
        if session.asked:
            session.asked = []
            self.changed.add(session.session)


def _kept(setting: Setting) -> tuple[str, str]:
    """Name and value as they are told; both stand in clear."""
    kept = shown(setting)
    return kept.name, "its default" if kept.value is None else kept.value


def _acts(line: Line) -> bool:
    """Whether only a session that was let in can have written the line."""
    if line.kind in (Kind.ERROR, Kind.FATAL):
        return line.entry.ps not in BEFORE_LOGIN
    if line.kind is Kind.UNKNOWN:
        return line.entry.ps not in BEFORE_LOGIN
    return line.kind in TELLING or line.kind in (Kind.DISCONNECTION, Kind.AUDIT, Kind.FORGED)


def _fingerprint(session: Session, text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16, key=session.key or b"-").digest()


def _prepared(line: Line) -> str:
    """The text that an EXECUTE runs, where the server says it."""
    detail = line.entry.detail
    return detail[len("prepare: ") :] if detail.startswith("prepare: ") else ""


def _outcome(code: str, *, fatal: bool) -> str:
    if code in DENIED:
        return "denied"
    return "failed" if code or fatal else "unknown"


def _started(line: Line) -> int:
    """The session's start, from its name: whole seconds."""
    return int(line.session.partition(".")[0], 16) * 1000


def _remote(entry: Entry) -> str:
    return f"{entry.remote_host}:{entry.remote_port}" if entry.remote_port else entry.remote_host
