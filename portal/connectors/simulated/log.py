"""The simulated target's own log: one JSON object a line, read by the source of the same kind.

Keys: session, line (1.. per session, dense), marker (the login), kind (connect, statement, heartbeat, disconnect),
at_ms, and for statements statement, class, outcome and perhaps object. Lines are appended whole and never rewritten.
"""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from portal.connectors.base import Target
from portal.connectors.simulated import controls, state


def path(target: Target) -> Path:
    """The file of the log."""
    told = target.settings.get("log_path")
    return Path(told) if told else state.path(target).with_name(state.path(target).name + ".log.jsonl")


def name(number: int) -> str:
    """Name of a session in the log."""
    return f"s-{number:06d}"


def connect(target: Target, connection: sqlite3.Connection, login: str, at_ms: int) -> int:
    """Begin a session; its number."""
    cursor = connection.execute("INSERT INTO session (login, started_at_ms) VALUES (?, ?)", [login, at_ms])
    number = int(cursor.lastrowid or 0)
    write(target, connection, number, "connect", at_ms)
    return number


def disconnect(target: Target, connection: sqlite3.Connection, number: int, at_ms: int) -> None:
    """End a session."""
    connection.execute("UPDATE session SET ended_at_ms = ? WHERE number = ?", [at_ms, number])
    write(target, connection, number, "disconnect", at_ms)


def write(target: Target, connection: sqlite3.Connection, number: int, kind: str, at_ms: int, **fields: Any) -> None:
    """One line, under the state's lock; a dropped one uses its number up all the same."""
    row = connection.execute(
        "UPDATE session SET lines = lines + 1 WHERE number = ? RETURNING lines, login", [number]
    ).fetchone()
    settings = controls.read(target)
    if (name(number), row["lines"]) in settings.drop_log_lines:
        return
    line = {
        "session": name(number),
        "line": row["lines"],
        "marker": row["login"],
        "kind": kind,
        **fields,
        "at_ms": at_ms,
    }
    data = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode()
    descriptor = os.open(path(target), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
