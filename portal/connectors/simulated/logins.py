"""Logins of a simulated target. It ends sessions at the login's own limit by itself, as a target should."""

import sqlite3
from typing import Any

from portal.connectors.base import Closing, Target
from portal.connectors.errors import ForeignMarker
from portal.connectors.simulated import controls, log


def find(connection: sqlite3.Connection, name: str) -> dict[str, Any] | None:
    """The login of that name."""
    row = connection.execute("SELECT * FROM login WHERE name = ?", [name]).fetchone()
    return dict(row) if row else None


def ours(connection: sqlite3.Connection, closing: Closing) -> dict[str, Any] | None:
    """The login of a grant. Raises ForeignMarker where the name is somebody else's and ours was never known."""
    row = find(connection, closing.login)
    if row is None or (row["comment"] == closing.comment and closing.marker_ref in ("", str(row["ref"]))):
        return row
    if closing.marker_ref and closing.marker_ref != str(row["ref"]):
        return None
    raise ForeignMarker(f"The login {closing.login} on the target is not this grant's; nothing was changed.")


def can_log_in(target: Target, connection: sqlite3.Connection, name: str, now: int) -> bool:
    """Is the login usable now; one that was shut stays usable as long as the target lags."""
    row = find(connection, name)
    if row is None or (row["expires_at_ms"] is not None and row["expires_at_ms"] <= now):
        return False
    return bool(row["can_login"]) or lagging(target, row, now)


def lagging(target: Target, row: dict[str, Any], now: int) -> bool:
    """The login was shut and the target has not come round to it."""
    shut = row["shut_at_ms"]
    return shut is not None and now < shut + controls.read(target).lag_ms


def live_sessions(connection: sqlite3.Connection, name: str) -> list[sqlite3.Row]:
    """Sessions of a login that have not ended."""
    query = "SELECT * FROM session WHERE login = ? AND ended_at_ms IS NULL ORDER BY number"
    return connection.execute(query, [name]).fetchall()


def end_sessions(target: Target, connection: sqlite3.Connection, name: str, now: int) -> int:
    """End the sessions of a login, unless the target will not; how many ended."""
    if controls.read(target).keep_sessions:
        return 0
    found = live_sessions(connection, name)
    for each in found:
        log.disconnect(target, connection, each["number"], now)
    return len(found)


def end_due(target: Target, connection: sqlite3.Connection, now: int) -> None:
    """The target's own limit: at the end of a login its sessions end, at that very time."""
    due = connection.execute(
        "SELECT DISTINCT l.name, l.expires_at_ms FROM login l JOIN session s ON s.login = l.name"
        " WHERE s.ended_at_ms IS NULL AND l.expires_at_ms <= ?",
        [now],
    ).fetchall()
    for row in due:
        end_sessions(target, connection, row["name"], row["expires_at_ms"])


def add_standing(connection: sqlite3.Connection, name: str, privilege: str) -> None:
    """An account that was there before and is no grant's."""
    connection.execute(
        "INSERT OR IGNORE INTO login (name, privilege, comment, can_login) VALUES (?, ?, '', 1)", [name, privilege]
    )
