"""What was found in a target's log, as entries of ours. Times stay the target's; ``received_at`` is when it was read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from audit.log.append import Actor, Entry, now_ms, process
from audit.sources import records
from audit.sources.binding import Binding, Bindings, over_at
from audit.sources.declared import Source
from audit.sources.marker import number_of

GATHER: Actor = process("gather")


@dataclass
class Teller:
    """Turns what was found in one source into entries, each bound to its grant."""

    source: Source
    bindings: Bindings
    logins: dict[str, str] = field(default_factory=dict)
    """Login of each open session, by the session's name."""
    starts: dict[str, int] = field(default_factory=dict)
    """When each began (ms): of a sealed account it says whose it was."""

    def entries(self, found: Iterable[records.Found]) -> list[Entry]:
        """Entries in the order of what was found."""
        return [entry for each in found for entry in self._entries(each)]

    def _entries(self, each: records.Found) -> list[Entry]:
        match each:
            case records.Activity():
                return [self._activity(each)]
            case records.OutcomeLearned():
                return [self._outcome(each)]
            case records.SessionStarted():
                return self._started(each)
            case records.SessionEnded():
                return [self._ended(each)]
            case records.SessionRefused():
                return [self._refused(each)]
            case records.HeartbeatSeen():
                return [self._heartbeat(each)]
            case records.LossFound():
                return [self._loss(each)]
            case records.EpochStarted():
                return [self._entry("source.epoch_started", epoch=each.epoch, started_at=each.at, after=each.after)]
            case records.SettingsChanged():
                return [self._settings(each)]

    def _entry(self, name: str, bound: Binding | None = None, **fields: Any) -> Entry:
        common = {"source_id": self.source.id, "system_id": self.source.system_id}
        if bound is None:
            return Entry(name, GATHER, {**common, **fields}, subject=self.source.subject)
        subject = f"grant:{bound.grant_id}"
        return Entry(name, GATHER, {**common, "grant_id": bound.grant_id, **fields}, bound.case, subject)

    def _bound(self, session: str) -> Binding | None:
        login = self.logins.get(session)
        return self.bindings.find(login, self.source.system_id, self.starts.get(session, 0)) if login else None

    def _marked(self, login: str) -> bool:
        """A login that the portal gives or guards."""
        return number_of(login) is not None or self.bindings.accounts.find(login, self.source.system_id) is not None

    def _session_id(self, session: str) -> str:
        return records.session_uuid(self.source.id, session)

    def _started(self, each: records.SessionStarted) -> list[Entry]:
        self.logins[each.session], self.starts[each.session] = each.login, each.at
        bound = self._bound(each.session)
        common: dict[str, Any] = {
            "session_id": self._session_id(each.session), "source_session": each.session, "login": each.login,
            "marker": each.login if self._marked(each.login) else None, "database": each.database or None,
            "remote": each.remote or None, "started_at": each.at, "received_at": now_ms(),
        }  # fmt: skip
        entries = [self._entry("session.started", bound, **common)]
        why = self._unmatched(each, bound)
        if why:
            entries.append(self._entry("session.unmatched", why=why, **common))
        return entries

    def _unmatched(self, each: records.SessionStarted, bound: Binding | None) -> str:
        if bound is None:
            if number_of(each.login) is not None:
                return "no_grant"
            return "not_held" if self._marked(each.login) else "undeclared_login"
        over = over_at(bound.grant_id)
        return "grant_over" if over is not None and each.at > over else ""

    def _ended(self, each: records.SessionEnded) -> Entry:
        bound = self._bound(each.session)
        self.logins.pop(each.session, None)
        self.starts.pop(each.session, None)
        ranges = [f"{first}-{last}" for first, last in each.missing]
        return self._entry(
            "session.ended", bound, session_id=self._session_id(each.session), source_session=each.session, ended_at=each.at,
            last_number=each.last_number, state=each.state, missing=sum(last - first + 1 for first, last in each.missing),
            missing_ranges=ranges[:100] or None, received_at=now_ms(),
        )  # fmt: skip

    def _refused(self, each: records.SessionRefused) -> Entry:
        bound = self.bindings.find(each.login, self.source.system_id, each.at)
        return self._entry(
            "session.refused", bound, session_id=self._session_id(each.session), source_session=each.session,
            login=each.login or None, remote=each.remote or None, happened_at=each.at, outcome=each.outcome,
            state_code=each.state_code or None, source_number=each.number, received_at=now_ms(),
        )  # fmt: skip

    def _activity(self, each: records.Activity) -> Entry:
        bound = self._bound(each.session)
        who = {"person_id": bound.person_id, "privilege_id": bound.privilege_id} if bound else {}
        return self._entry(
            "activity.recorded", bound, activity_id=records.activity_uuid(self._session_id(each.session), each.number),
            session_id=self._session_id(each.session), **who, **{"class": each.class_}, at_least=each.at_least,
            outcome=each.outcome, state_code=each.state_code or None, happened_at=each.at, zone_known=each.zone_known,
            received_at=now_ms(), source_number=each.number, last_number=each.last_number, statement=each.statement or None,
            statement_length=each.statement_length, object=each.object, raw_sha256=each.raw_sha256, raw_salt=each.raw_salt,
        )  # fmt: skip

    def _outcome(self, each: records.OutcomeLearned) -> Entry:
        bound = self._bound(each.session)
        entry = self._entry(
            "activity.outcome_learned", bound,
            activity_id=records.activity_uuid(self._session_id(each.session), each.of_number),
            session_id=self._session_id(each.session), outcome=each.outcome, state_code=each.state_code or None,
            happened_at=each.at, source_number=each.number, received_at=now_ms(), raw_sha256=each.raw_sha256,
            raw_salt=each.raw_salt,
        )  # fmt: skip
        entry.fields.pop("system_id")
        return entry

    def _heartbeat(self, each: records.HeartbeatSeen) -> Entry:
        return self._entry(
            "source.heartbeat_seen", nonce=each.nonce, seen_at=each.at, epoch=each.epoch or None,
            session_id=self._session_id(each.session), source_number=each.number, authorized_seen=each.authorized,
            received_at=now_ms(),
        )  # fmt: skip

    def _loss(self, each: records.LossFound) -> Entry:
        bound = self._bound(each.session) if each.session else None
        return self._entry(
            "source.loss_found", bound, kind=each.kind, from_at=each.from_at, to_at=each.to_at,
            session_id=self._session_id(each.session) if each.session else None, source_session=each.session or None,
            from_number=each.from_number, to_number=each.to_number, count=each.count, says=each.says[:1000],
        )  # fmt: skip

    def _settings(self, each: records.SettingsChanged) -> Entry:
        return self._entry(
            "source.settings_changed", happened_at=each.at, setting=each.setting[:100], weakens=each.weakens,
            value=each.value[:200], session_id=self._session_id(each.session) if each.session else None,
            source_number=each.number,
        )  # fmt: skip
