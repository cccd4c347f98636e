"""Accounts that last on a simulated target: a login that was there before and is no grant's."""

import hashlib
import sqlite3
from typing import Any

from portal.connectors.base import Remainder, Secret, Snapshot, Target
from portal.connectors.errors import Gone
from portal.connectors.sealed.keeper import Standing
from portal.connectors.simulated import controls, log, logins, state


class SimulatedKeeper:
    """As the connector of the kind, over the same file."""

    looks = True
    keeps = True

    def look(self, target: Target, account: str) -> Standing | None:
        """The login of that name."""
        settings = controls.answering(target)
        with state.changing(target) as connection:
            row = logins.find(connection, account)
        if row is None:
            return None
        return Standing(str(row["ref"]), bool(row["can_login"]), logged=not settings.mute)

    def snapshot(self, target: Target) -> Snapshot:
        """Nothing is compared."""
        controls.answering(target)
        return Snapshot(state.now_ms(target), {})

    def drift(self, target: Target, before: Snapshot) -> tuple[Remainder, ...]:  # noqa: ARG002 - other kinds need them
        """What the controls say."""
        return controls.read(target).drift()

    def unseal(self, target: Target, account: str, *, expires_at_ms: int) -> None:
        """Let it log in until then."""
        self._set(target, account, "can_login = 1, shut_at_ms = NULL, expires_at_ms = ?", [expires_at_ms])

    def rotate(self, target: Target, account: str, password: Secret) -> None:
        """Keep a hash of the password."""
        set_password(target, account, password)

    def tries_login(self, target: Target, account: str, password: Secret) -> bool:
        """Whether the hash is that of the password."""
        controls.answering(target)
        with state.changing(target) as connection:
            return bool(_row(connection, account)["verifier"] == hashed(account, password))

    def seal(self, target: Target, account: str) -> None:
        """Shut it."""
        self._set(target, account, "can_login = 0, shut_at_ms = NULL, expires_at_ms = NULL", [])

    def end_sessions(self, target: Target, account: str) -> int:
        """All that the target lets end."""
        controls.answering(target)
        with state.changing(target) as connection:
            return logins.end_sessions(target, connection, account, state.now_ms(target))

    def sessions(self, target: Target, account: str) -> tuple[str, ...]:
        """By name."""
        controls.answering(target)
        with state.changing(target) as connection:
            logins.end_due(target, connection, state.now_ms(target))
            return tuple(log.name(row["number"]) for row in logins.live_sessions(connection, account))

    def _set(self, target: Target, account: str, what: str, values: list[Any]) -> None:
        controls.answering(target)
        with state.changing(target) as connection:
            row = _row(connection, account)
            connection.execute(f"UPDATE login SET {what} WHERE ref = ?", [*values, row["ref"]])  # noqa: S608  our own words


def hashed(account: str, password: Secret) -> str:
    """What the file keeps of a password."""
    return hashlib.sha256(f"{account} {password.reveal()}".encode()).hexdigest()


def set_password(target: Target, account: str, password: Secret) -> None:
    """What somebody does on the target itself."""
    controls.answering(target)
    with state.changing(target) as connection:
        row = _row(connection, account)
        connection.execute("UPDATE login SET verifier = ? WHERE ref = ?", [hashed(account, password), row["ref"]])


def _row(connection: sqlite3.Connection, account: str) -> dict[str, Any]:
    row = logins.find(connection, account)
    if row is None:
        raise Gone(f"The target has no login {account}.")
    return row
