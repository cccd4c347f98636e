"""One reading of a source: its events and the position behind it in one transaction.

So a gatherer that dies anywhere reads the same lines again or has told them, never half of it; a second one that runs beside it finds
another position than the one it read from, and begins again from there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from django.db import transaction

from audit.log.append import Entry, append_many, now_ms
from audit.sources.binding import Bindings, able_logins
from audit.sources.declared import Source
from audit.sources.follower import CHUNK, Follower, OutOfReach, Position
from audit.sources.kinds import Fold, kind_of
from audit.sources.marker import number_of
from audit.sources.models import CountedSession, SourcePosition
from audit.sources.sealed import Accounts
from audit.sources.state import Head, Session
from audit.sources.telling import GATHER, Teller

LISTING_AGE = 30.0
"""Seconds after which the listing of logins is read again."""


class Overtaken(Exception):
    """Another gatherer moved the position meanwhile; nothing was written."""


@dataclass
class Gathering:
    """A source that is being followed. What it holds in memory can be made again from the database at any time."""

    source: Source
    follower: Follower
    fold: Fold
    teller: Teller
    position: Position
    trouble: str

    def step(self, *, chunk: int = CHUNK) -> bool:
        """Read on once; whether more is waiting.

        Raises:
            OutOfReach: the log cannot be read.
            Overtaken: another gatherer reads this source.
            LogUnavailable: our own log cannot be written; nothing moved.
        """
        reading = self.follower.read(self.position, now=now_ms(), chunk=chunk)
        if not reading.lines and not reading.losses and reading.position == self.position and not self.trouble:
            return False
        found = [*reading.losses, *self.fold.read(reading.lines)]
        entries = self.teller.entries(found)
        if self.trouble:
            fields = {"source_id": self.source.id, "system_id": self.source.system_id, "kind": "in reach"}
            entries.append(Entry("source.recovered", GATHER, fields, subject=self.source.subject))
        self._keep(entries, reading.position)
        return reading.more

    @transaction.atomic
    def _keep(self, entries: list[Entry], position: Position) -> None:
        row = SourcePosition.objects.select_for_update().get(pk=self.source.id)
        if _position(row) != self.position:
            raise Overtaken(self.source.id)
        append_many(entries)
        self._keep_sessions(row)
        row.position, row.head, row.trouble = msgspec.to_builtins(position), msgspec.to_builtins(self.fold.head), ""
        row.save()
        self.position, self.trouble = position, ""

    def _keep_sessions(self, row: SourcePosition) -> None:
        fold = self.fold
        if fold.ended:
            CountedSession.objects.filter(source=row, session__in=fold.ended).delete()
        CountedSession.objects.bulk_create(
            [CountedSession(source=row, session=name, state=msgspec.to_builtins(fold.sessions[name])) for name in sorted(fold.changed)],
            update_conflicts=True, unique_fields=["source", "session"], update_fields=["state"],
        )  # fmt: skip
        fold.changed.clear()
        fold.ended.clear()


def gathering(source: Source) -> Gathering:
    """Begin, or go on, where the database says.

    Raises:
        OutOfReach: nothing here reads such a source.
    """
    kind = kind_of(source)
    row, _ = SourcePosition.objects.get_or_create(pk=source.id)
    head = msgspec.convert(row.head, Head)
    sessions = {each.session: msgspec.convert(each.state, Session) for each in row.sessions.all()}
    bindings = Bindings()
    logins = {name: session.login for name, session in sessions.items() if session.login}
    fold = kind.fold(source, watcher(source, bindings.accounts), head, sessions)
    starts = {name: session.started_at for name, session in sessions.items() if session.login}
    teller = Teller(source, bindings, logins, starts)
    return Gathering(source, kind.follower(source), fold, teller, _position(row), row.trouble)


def _position(row: SourcePosition) -> Position:
    return msgspec.convert(row.position, Position)


@dataclass
class _Listing:
    logins: frozenset[str] | None = None
    read_at: float = field(default=float("-inf"))


def watcher(source: Source, accounts: Accounts | None = None) -> Callable[[str], bool]:
    """Whether the statements of a login are recorded: a grant's, a sealed account's, or one able to act as a privilege that nobody declared.

    Without a listing of the target nobody knows who is able, so every login that was not declared counts as able.
    """
    listing = _Listing()
    sealed = accounts or Accounts()

    def watched(login: str) -> bool:
        if number_of(login) is not None or sealed.find(login, source.system_id) is not None:
            return True
        if not login or login == source.portal_login or login in source.declared_logins:
            return False
        if time.monotonic() - listing.read_at > LISTING_AGE:
            listing.logins, listing.read_at = able_logins(source.system_id), time.monotonic()
        return listing.logins is None or login in listing.logins

    return watched


@transaction.atomic
def note_trouble(source: Source, error: OutOfReach) -> None:
    """Say once that a log is out of reach; silence is never "no activity"."""
    row, _ = SourcePosition.objects.select_for_update().get_or_create(pk=source.id)
    sentence = str(error)[:300]
    if row.trouble == sentence:
        return
    row.trouble = sentence
    row.save(update_fields=["trouble", "updated_at"])
    fields = {"source_id": source.id, "system_id": source.system_id, "kind": "out of reach", "says": sentence}
    append_many([Entry("source.error_seen", GATHER, fields, subject=source.subject)])
