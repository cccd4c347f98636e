"""Acting on a simulated target as somebody who logged in there."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.connectors.base import Target
from portal.connectors.errors import TargetRefused
from portal.connectors.simulated import controls, log, logins, state


@dataclass(frozen=True)
class Act:
    """One statement. `class_` and `outcome` are the words of the activities' facts."""

    statement: str
    class_: str = "data_read"
    outcome: str = "ok"
    object_: str = ""


def log_in(target: Target, *, login: str, at_ms: int | None = None) -> int:
    """Begin a session; its number. Raises TargetRefused where the login cannot log in."""
    now = state.now_ms(target) if at_ms is None else at_ms
    with state.changing(target) as connection:
        logins.end_due(target, connection, now)
        if not logins.can_log_in(target, connection, login, now):
            raise TargetRefused(f"The login {login} cannot log in.")
        return log.connect(target, connection, login, now)


def do(target: Target, session: int, act: Act, *, at_ms: int | None = None) -> None:
    """One statement in a session. Raises TargetRefused where the session has ended."""
    now = state.now_ms(target) if at_ms is None else at_ms
    with state.changing(target) as connection:
        logins.end_due(target, connection, now)
        row = connection.execute("SELECT ended_at_ms FROM session WHERE number = ?", [session]).fetchone()
        if row is None or row["ended_at_ms"] is not None:
            raise TargetRefused(f"The session {log.name(session)} has ended.")
        connection.execute(
            "UPDATE session SET statement = ?, statement_at_ms = ? WHERE number = ?", [act.statement, now, session]
        )
        if controls.read(target).mute:
            return
        fields = {"statement": act.statement, "class": act.class_, "outcome": act.outcome}
        named = {"object": act.object_} if act.object_ else {}
        log.write(target, connection, session, "statement", now, **fields, **named)


def log_out(target: Target, session: int, *, at_ms: int | None = None) -> None:
    """End a session; nothing where it has ended already."""
    now = state.now_ms(target) if at_ms is None else at_ms
    with state.changing(target) as connection:
        live = connection.execute("SELECT 1 FROM session WHERE number = ? AND ended_at_ms IS NULL", [session])
        if live.fetchone():
            log.disconnect(target, connection, session, now)


def act(target: Target, *, login: str, statements: Sequence[Act], at_ms: int | None = None, pause_ms: int = 0) -> None:
    """A whole session: log in, the statements one after another, log out."""
    start = state.now_ms(target) if at_ms is None else at_ms
    session = log_in(target, login=login, at_ms=start)
    for number, each in enumerate(statements, 1):
        do(target, session, each, at_ms=start + number * pause_ms)
    log_out(target, session, at_ms=start + (len(statements) + 1) * pause_ms)
