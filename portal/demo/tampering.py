"""What only a demo offers: change the log as the database's superuser, then let the checks name the damage, then put it right again.

The triggers that keep the log insert-only are passed over, as a superuser can. What stood there is kept in a file, since nobody but a demo
wants it back.
"""

import fcntl
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from audit.log.locks import Lock
from portal.demo import signing_anew
from portal.embedded.state import ENVIRONMENT

PATIENCE_S = 90
TABLES = {"audit_event": "id", "audit_sealed_entry": "event_id", "audit_personal_value": "event_id"}
KEYS = {table: (key,) for table, key in TABLES.items()} | {
    "audit_tile": ("level", "index"),
    "audit_checkpoint": ("size",),
}
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Kept:
    """What stood there before: rows by table, bytes by the path of their file."""

    rows: Rows = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """One way to tamper, in words, and what it does; `pages` says what the portal's pages show of it, `limit` what no check of the log in itself can see."""

    label: str
    hint: str
    act: Callable[[psycopg.Connection], Kept]
    pages: str
    limit: str = ""


@dataclass(frozen=True)
class Done:
    """What was done and not yet put right; where it was an entry that changed, its place and its case."""

    kind: Kind
    index: int | None = None
    case: str = ""


@dataclass(frozen=True)
class Ran:
    """A command, as it runs in a shell at the root of the checkout, and what it said."""

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
    found = done()
    return found.kind.label if found else ""


def done() -> Done | None:
    """The same, with what is to be said of it."""
    try:
        kept = json.loads(_file().read_text())
    except FileNotFoundError:
        return None
    return Done(KINDS[kept["kind"]], *kept.get("place", ()))


def tamper(kind: str) -> None:
    """Do it, unless something is tampered with already."""
    with _one_at_a_time():
        if tampered():
            return
        with _unguarded() as connection:
            _head_kept().write_bytes((Path(settings.PORTAL_LOG_STORE) / "checkpoint").read_bytes())
            place = () if kind == "published" else _place(connection)
            kept = KINDS[kind].act(connection)
            _keep(kind, kept, place)


def mend() -> None:
    """Put back what stood there."""
    with _one_at_a_time():
        if tampered():
            _put_back(json.loads(_file().read_text()))
            _file().unlink()


def _put_back(kept: dict[str, Any]) -> None:
    with _unguarded() as connection:
        for table, rows in kept["rows"].items():
            name, keys = sql.Identifier(table), [sql.Identifier(each) for each in KEYS[table]]
            same = sql.SQL(" AND ").join(sql.SQL("{0}.{1} = old.{1}").format(name, key) for key in keys)
            gone = sql.SQL("DELETE FROM {table} USING json_populate_recordset(NULL::{table}, %s) AS old WHERE {same}")
            back = sql.SQL("INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)")
            for statement in (gone, back):
                connection.execute(statement.format(table=name, same=same), [json.dumps(rows)])
    for path, data in kept["files"].items():
        Path(path).write_bytes(bytes.fromhex(data))


def checks() -> list[Ran]:
    """The checks, as anybody would call them: the portal's own, and the one that needs the published files and the key alone.

    While something is tampered with, the second is made once more by somebody who kept the checkpoint that was published before.
    """
    key, store = settings.PORTAL_LOG_PUBLIC_KEY.split()[0], settings.PORTAL_LOG_STORE
    own = "The portal's own check reads the database and what is published of it."
    outsider = "An outsider's check needs the published files and the public key alone. What was changed in the database only, it cannot see."
    remembers = "The same outsider has kept the checkpoint of an earlier visit, as a witness does: what is published now must contain it."
    outside = ("-m", "audit.log.verify", store, "--key", key)
    ran = [
        _run("manage.py", "verify_log", title="The portal checks itself", about=own),
        _run(*outside, title="An outsider checks what is published", about=outsider),
    ]
    if tampered():
        seen = ("--seen", str(_head_kept()))
        ran.append(_run(*outside, *seen, title="An outsider who remembers the last checkpoint", about=remembers))
    return ran


def _run(*arguments: str, title: str = "", about: str = "") -> Ran:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Ran(title, about, _printed(arguments), (done.stdout + done.stderr).strip(), done.returncode)


def _printed(arguments: Sequence[str]) -> str:
    """For a fresh shell: with what the portal's own check is told by the environment of this process."""
    told = f". {_path(Path(settings.PORTAL_DATA) / ENVIRONMENT)} && " if "manage.py" in arguments else ""
    return told + " ".join([_path(Path(sys.executable)), *map(shlex.quote, arguments)])


def _path(path: Path) -> str:
    """From the root of the checkout, where it lies below it; a shell looks for a bare name elsewhere."""
    below = path.is_relative_to(settings.BASE_DIR)
    return shlex.quote(f"./{path.relative_to(settings.BASE_DIR)}" if below else str(path))


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


def _head_kept() -> Path:
    """The checkpoint that was published before anything was tampered with."""
    return Path(settings.PORTAL_DATA) / "head-seen.checkpoint"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait for another visitor's act: of two at once, the second would keep what the first has changed as if it had stood there before."""
    with _file().with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _keep(kind: str, kept: Kept, place: Sequence[object]) -> None:
    """Whole or not at all."""
    part = _file().with_suffix(".part")
    files = {path: data.hex() for path, data in kept.files.items()}
    part.write_text(json.dumps({"kind": kind, "place": place, "rows": kept.rows, "files": files}))
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


def _place(connection: psycopg.Connection) -> tuple[object, ...]:
    """Index and case of the approval, while it is there."""
    found = connection.execute(
        'SELECT s.index, e."case" FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id WHERE e.id = %s',
        [_approval(connection)],
    ).fetchone()
    return tuple(found or ())


def _rows(connection: psycopg.Connection, event: str, *tables: str) -> Kept:
    found = {}
    for table in tables:
        statement = sql.SQL("SELECT row_to_json(t) FROM {} t WHERE {} = %s")
        rows = connection.execute(
            statement.format(sql.Identifier(table), sql.Identifier(TABLES[table])), [event]
        ).fetchall()
        found[table] = [row for (row,) in rows]
    return Kept(found)


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
    return Kept(files={str(bundle): data})


def _signed_anew(connection: psycopg.Connection) -> Kept:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [Lock.SEALING])  # nothing is sealed meanwhile
    rows = _rows(connection, _approval(connection), "audit_sealed_entry").rows
    index = rows["audit_sealed_entry"][0]["index"]
    rows |= signing_anew.rows_from(connection, index) | _other_approver(connection).rows
    files = signing_anew.sign_anew(
        connection, index, Path(settings.PORTAL_LOG_STORE), Path(settings.PORTAL_DATA) / "sealer.key"
    )
    return Kept(rows, files)


KINDS: Mapping[str, Kind] = {
    "approver": Kind("Say that somebody else approved", "The newest approval gets another name, in its bytes and in its column.", _other_approver,
        "Its own page says that it cannot be proved: it is held against the signed tree whenever it is shown. The case and lists show what the database says."),
    "removed": Kind("Remove an approval", "The newest approval and its place in the log are deleted.", _removed,
        "Its page is not there, and the case shows no approval: no page looks for what is missing. The checks do."),
    "name": Kind("Change a name beside an entry", "Personal values lie beside the log, so that they can be erased. This one gets another value.", _other_name,
        "Its own page says that the value does not fit its hash. Lists show what the database says."),
    "published": Kind("Change a published file", "One bit of the first bundle, as whoever holds the disk could.", _published,
        "No page of the portal reads the published files. The checks do."),
    "anew": Kind(
        "Say that somebody else approved, and sign all of it anew",
        "As an operator who holds database, published files and the sealer's key: the newest approval says another name, the tree is built anew from there,"
        " and every checkpoint from there on is signed anew.",
        _signed_anew,
        "Its own page calls it proved, for the tree was signed anew with the right key.",
        "Nothing in this log contradicts itself, so a check that remembers nothing calls it whole, the portal's own among them."
        " It is named by whoever has kept a checkpoint from before: an outsider (--seen, or --memory from one month to the next), verify_log --checkpoint,"
        " a witness in another team's hands, which cosigns no other history, and beside the published log the last checkpoint that it did cosign."
        " This demo runs no witness. Its sealer remembers too, and seals nothing until this is put right; an operator of all would make it forget.",
    ),
}  # fmt: skip
