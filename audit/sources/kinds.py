"""How each kind of source is read: where its files lie, how a line tells its time, and the fold of its lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from audit.sources.declared import Source
from audit.sources.follower import Follower, OutOfReach
from audit.sources.postgresql import parse as postgresql_lines
from audit.sources.postgresql import sessions as postgresql
from audit.sources.records import Found
from audit.sources.simulated import sessions as simulated
from audit.sources.state import Head, Session


class Fold(Protocol):
    """What folds lines into findings, and may be stored between two readings."""

    head: Head
    sessions: dict[str, Session]
    changed: set[str]
    ended: set[str]

    def read(self, lines: Iterable[bytes]) -> list[Found]:
        """Take the lines of one reading."""


@dataclass(frozen=True)
class Kind:
    """A kind of source."""

    follower: Callable[[Source], Follower]
    fold: Callable[[Source, Callable[[str], bool], Head, dict[str, Session]], Fold]


def kind_of(source: Source) -> Kind:
    """How to read a source.

    Raises:
        OutOfReach: nothing here reads such a source.
    """
    if source.kind == "simulated" and not (settings.PORTAL_DEMO or settings.PORTAL_TESTING):
        raise OutOfReach("A simulated source is read in the demo and in tests only.")
    if source.kind not in KINDS:
        raise OutOfReach(f"Nothing here reads a source of the kind {source.kind}.")
    return KINDS[source.kind]


def _postgresql_follower(source: Source) -> Follower:
    return Follower(_place(source, "log_dir"), order=_postgresql_time)


def _postgresql_time(raw: bytes) -> int | None:
    try:
        return postgresql_lines.parse_line(raw).at
    except postgresql_lines.ParseError:
        return None


def _postgresql_fold(source: Source, watched: Callable[[str], bool], head: Head, sessions: dict[str, Session]) -> Fold:
    reader = postgresql.Reader(source.portal_login, watched, source.text("literals", "keep"))
    return postgresql.Fold(reader, head, sessions)


def _simulated_follower(source: Source) -> Follower:
    told = source.text("log_path")
    path = Path(told) if told else Path(f"{_place(source, 'state_path')}.log.jsonl")
    return Follower(path.parent, order=_simulated_time, suffix=path.name)


def _simulated_time(raw: bytes) -> int | None:
    try:
        return simulated.parse_line(raw).at_ms
    except simulated.ParseError:
        return None


def _simulated_fold(_: Source, watched: Callable[[str], bool], head: Head, sessions: dict[str, Session]) -> Fold:
    return simulated.Fold(watched, head, sessions)


def _place(source: Source, name: str) -> Path:
    told = source.text(name)
    if not told:
        raise OutOfReach(f"The source was declared without {name}.")
    return Path(told)


KINDS = {
    "postgresql": Kind(_postgresql_follower, _postgresql_fold),
    "simulated": Kind(_simulated_follower, _simulated_fold),
}
