"""What only a demo offers: change the log as the database's superuser, then let the checks name the damage, then put it right again.

The triggers that keep the log insert-only are passed over, as a superuser can. What stood there is kept in a file, since nobody but a demo
wants it back.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

PATIENCE_S = 90
TABLES = {"audit_event": "id", "audit_sealed_entry": "event_id", "audit_personal_value": "event_id"}
Kept = dict[str, object]


@dataclass(frozen=True)
class Kind:
    """One way to tamper, in words, and what it does."""

    label: str
    hint: str
    act: Callable[[psycopg.Connection], Kept]


@dataclass(frozen=True)
class Ran:
    """A command as it was run, and what it said."""

    title: str
    about: str
    command: str
    said: str
    status: int


def superuser() -> str:
    """The address of the portal's database for its superuser; nothing where this demo has none."""
    return os.environ.get("PORTAL_DEMO_SUPERUSER_URL", "") if settings.PORTAL_DEMO else ""


def tampered() -> str:
    """What was done and not yet put right, in words."""
    try:
        return KINDS[json.loads(_file().read_text())["kind"]].label
    except FileNotFoundError:
        return ""


def tamper(kind: str) -> None:
    """Do it, unless something is tampered with already."""
    with _one_at_a_time():
        if tampered():
            return
        with _unguarded() as connection:
            kept = KINDS[kind].act(connection)
            _keep({"kind": kind, **kept})


def mend() -> None:
    """Put back what stood there."""
    with _one_at_a_time():
        if tampered():
            _put_back(json.loads(_file().read_text()))
            _file().unlink()


def _put_back(kept: dict[str, Any]) -> None:
    with _unguarded() as connection:
        for table, rows in kept.get("rows", {}).items():
            key = sql.Identifier(TABLES[table])
            for row in rows:
                connection.execute(
                    sql.SQL("DELETE FROM {} WHERE {} = %s").format(sql.Identifier(table), key), [row[TABLES[table]]]
                )
            statement = sql.SQL("INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)")
            connection.execute(statement.format(table=sql.Identifier(table)), [json.dumps(rows)])
    if "path" in kept:
        Path(kept["path"]).write_bytes(bytes.fromhex(kept["bytes"]))


def checks() -> list[Ran]:
    """Both checks, as anybody would call them: the portal's own, and the one that needs the published files and the key alone."""
    key, store = settings.PORTAL_LOG_PUBLIC_KEY.split()[0], settings.PORTAL_LOG_STORE
    own = "The portal's own check reads the database and what is published of it."
    outsider = "An outsider's check needs the published files and the public key alone. What was changed in the database only, it cannot see."
    return [
        _run("manage.py", "verify_log", title="The portal checks itself", about=own),
        _run(
            "-m", "audit.log.verify", store, "--key", key, title="An outsider checks what is published", about=outsider
        ),
    ]


def _run(*arguments: str, title: str = "", about: str = "") -> Ran:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Ran(title, about, " ".join(["python", *arguments]), (done.stdout + done.stderr).strip(), done.returncode)


def _unguarded() -> psycopg.Connection:
    """A connection that passes over triggers, in one transaction.

    Raises:
        LookupError: this demo has no superuser's address; an empty one would be whatever the environment names.
    """
    if not superuser():
        raise LookupError("There is no address of a superuser.")
    return psycopg.connect(superuser(), options="-c session_replication_role=replica", connect_timeout=5)


def _file() -> Path:
    return Path(settings.PORTAL_DATA) / "tampered.json"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another visitor's act: of two at once, the second would keep what the first has changed as if it had stood there before."""
    with _file().with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _keep(kept: Kept) -> None:
    """Whole or not at all."""
    part = _file().with_suffix(".part")
    part.write_text(json.dumps(kept))
    part.replace(_file())


def _approval(connection: psycopg.Connection) -> str:
    """The newest approval that is sealed and published, as an event id."""
    row = connection.execute(
        "SELECT e.id FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id"
        " WHERE e.name = 'request.approved' ORDER BY s.index DESC LIMIT 1"
    ).fetchone()
    if row is None:
        raise LookupError("Nothing was approved yet.")
    return str(row[0])


def _rows(connection: psycopg.Connection, event: str, *tables: str) -> Kept:
    found = {}
    for table in tables:
        statement = sql.SQL("SELECT row_to_json(t) FROM {} t WHERE {} = %s")
        rows = connection.execute(
            statement.format(sql.Identifier(table), sql.Identifier(TABLES[table])), [event]
        ).fetchall()
        found[table] = [row for (row,) in rows]
    return {"rows": found}


def _other_approver(connection: psycopg.Connection) -> Kept:
    event = _approval(connection)
    kept = _rows(connection, event, "audit_event")
    done = connection.execute(
        """
        UPDATE audit_event SET "by" = other.id,
          body = convert_to(replace(convert_from(body, 'UTF8'), '"by":"' || "by" || '"', '"by":"' || other.id || '"'), 'UTF8')
        FROM (SELECT "by" AS id FROM audit_event WHERE name = 'request.made') AS other
        WHERE audit_event.id = %s AND other.id <> audit_event."by"
        """,
        [event],
    )
    if not done.rowcount:
        raise LookupError("Nobody else asked for anything yet.")
    return kept


def _removed(connection: psycopg.Connection) -> Kept:
    event = _approval(connection)
    kept = _rows(connection, event, "audit_event", "audit_sealed_entry")
    for table in ("audit_sealed_entry", "audit_event"):
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(TABLES[table])),
            [event],
        )
    return kept


def _other_name(connection: psycopg.Connection) -> Kept:
    event = _approval(connection)
    kept = _rows(connection, event, "audit_personal_value")
    connection.execute(
        "UPDATE audit_personal_value SET value = 'Nobody at all' WHERE event_id = %s AND field = 'by_name'", [event]
    )
    return kept


def _published(_connection: psycopg.Connection) -> Kept:
    bundle = Path(settings.PORTAL_LOG_STORE) / "tile" / "entries" / "000"
    data = bundle.read_bytes()
    place = len(data) // 2
    bundle.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    return {"path": str(bundle), "bytes": data.hex()}


KINDS: Mapping[str, Kind] = {
    "approver": Kind("Say that somebody else approved", "The newest approval gets another name, in its bytes and in its column.", _other_approver),
    "removed": Kind("Remove an approval", "The newest approval and its place in the log are deleted.", _removed),
    "name": Kind("Change a name beside an entry", "Personal values lie beside the log, so that they can be erased. This one gets another value.", _other_name),
    "published": Kind("Change a published file", "One bit of the first bundle, as whoever holds the disk could.", _published),
}  # fmt: skip
