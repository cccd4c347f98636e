"""The tables that control tests read, made from ``facts.yaml`` in any SQLite connection.

Pure: no Django, no clock. Tables are STRICT, so a value of the wrong type is refused by SQLite itself.
"""

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FACTS = Path(__file__).with_name("facts.yaml")
STORED_AS = {"time": "INTEGER", "bool": "INTEGER", "count": "INTEGER", "share": "REAL"}  # anything else is TEXT
BATCH = 500
OF_DISK = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_CANTOPEN: errno.EIO}


class WrongFact(ValueError):
    """A row does not fit its table: an unknown column, or a value of another type."""


@dataclass(frozen=True)
class Table:
    """One kind of fact: who knew it first, and its columns with their types; the first column is the key."""

    name: str
    kept_by: str
    columns: Mapping[str, str]
    note: str = ""

    @property
    def key(self) -> str:
        """Name of the column that identifies a row."""
        return next(iter(self.columns))


@dataclass(frozen=True)
class Schema:
    """All tables of facts and their indexes."""

    tables: Mapping[str, Table]
    indexes: tuple[str, ...]

    def kind_of(self, dotted: str) -> str | None:
        """Type of a column named ``table.column``; through a view, the type of a column of that name in any table."""
        table, _, column = dotted.partition(".")
        if table in self.tables:
            return self.tables[table].columns.get(column)
        return next((each.columns[column] for each in self.tables.values() if column in each.columns), None)


@cache
def load_schema() -> Schema:
    """Read ``facts.yaml``."""
    stored = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    tables = {
        name: Table(name, body["kept_by"], dict(body["columns"]), body.get("note", ""))
        for name, body in stored["tables"].items()
    }
    return Schema(tables, tuple(stored["indexes"]))


def new_database() -> sqlite3.Connection:
    """An empty database in memory with all tables of facts; no statement opens a transaction by itself."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    create_tables(db)
    return db


def create_tables(db: sqlite3.Connection) -> None:
    """Make every table of facts and its indexes."""
    schema = load_schema()
    for table in schema.tables.values():
        db.execute(f"CREATE TABLE {table.name} ({', '.join(_column(table, name) for name in table.columns)}) STRICT")
    for index in schema.indexes:
        name = index.rstrip(")").replace("(", "_").replace(", ", "_")
        db.execute(f"CREATE INDEX {name} ON {index}")


def _column(table: Table, name: str) -> str:
    stored = STORED_AS.get(table.columns[name], "TEXT")
    return f"{name} {stored} PRIMARY KEY NOT NULL" if name == table.key else f"{name} {stored}"


def insert_rows(db: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert rows, each a mapping of column to value; a column that a row does not name stays NULL.

    Lists and maps are stored as compact JSON, booleans as 0 and 1.

    Raises:
        WrongFact: a table or column is unknown, a value has another type than the column, or a key is there twice.
    """
    declared = _declared(table)
    names = tuple(declared.columns)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  names are our own
    count = 0
    for batch in _batches(_typed_row(declared, names, row) for row in rows):
        try:
            db.executemany(statement, batch)
        except sqlite3.IntegrityError as error:
            raise WrongFact(f"{table}: {error}") from error
        count += len(batch)
    return count


def _declared(table: str) -> Table:
    try:
        return load_schema().tables[table]
    except KeyError:
        raise WrongFact(f"there is no table of facts named {table}") from None


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _typed_row(table: Table, names: Sequence[str], row: Mapping[str, Any]) -> tuple[Any, ...]:
    if unknown := row.keys() - table.columns.keys():
        raise WrongFact(f"{table.name} has no column {sorted(unknown)[0]}")
    return tuple(_typed(table, name, row.get(name)) for name in names)


def _typed(table: Table, name: str, value: Any) -> Any:
    if value is None:
        return None
    kind = table.columns[name]
    if kind in READERS:
        accepts, store = READERS[kind]
        if accepts(value):
            return store(value)
    elif isinstance(value, str):
        return value
    raise WrongFact(f"{table.name}.{name} is a {kind}, not {value!r}")


def write_file(db: sqlite3.Connection, path: Path) -> None:
    """Write all that the database holds to a new SQLite file; the same facts give the same bytes.

    Raises:
        FileExistsError: something lies there already.
        OSError: it cannot be written; part of it may lie there.
    """
    if path.exists():
        raise FileExistsError(f"{path} lies there already; facts are never written over others.")
    try:
        db.execute("VACUUM INTO ?", (str(path),))
    except sqlite3.OperationalError as error:
        number = OF_DISK.get(error.sqlite_errorcode & 0xFF)  # the rest says which call it was
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def as_json(value: Any) -> str:
    """Compact JSON text, the same for the same value."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


READERS: dict[str, tuple[Callable[[Any], bool], Callable[[Any], Any]]] = {
    "time": (_is_integer, int),
    "count": (_is_integer, int),
    "bool": (lambda value: value in (0, 1) and isinstance(value, int), int),
    "share": (lambda value: _is_integer(value) or isinstance(value, float), float),
    "list": (lambda value: isinstance(value, list | tuple), lambda value: as_json(list(value))),
    "map": (lambda value: isinstance(value, Mapping), lambda value: as_json(dict(value))),
}
