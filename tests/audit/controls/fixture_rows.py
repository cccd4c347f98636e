"""The fixtures as a database of facts: base rows with their defaults, and faults as patches on them."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from audit.controls.loading import load_catalogue
from audit.controls.runner import prepare
from audit.facts.given import CutAway, Period, lay_given
from audit.facts.schema import as_json, insert_rows, load_schema, new_database

FOLDER = Path(__file__).with_name("fixtures")
Patch = Mapping[str, Any]


def read(name: str) -> Any:
    """One file of fixtures."""
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def base() -> Any:
    """The base rows as stored."""
    return read("base.yaml")


@cache
def faults() -> list[dict[str, Any]]:
    """All faults as stored."""
    return list(read("faults.yaml")["faults"])


def milliseconds(value: Any) -> int:
    """A day, or a day and a time of it, in UTC."""
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
    return int(datetime.strptime(str(value), "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp() * 1000)


def row(table: str, key: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the fold would give it: defaults beneath, times in milliseconds."""
    declared = load_schema().tables[table]
    named = {declared.key: key, **base()["defaults"].get(table, {}), **columns}
    return {name: _value(declared.columns[name], value) for name, value in named.items()}


def _value(kind: str, value: Any) -> Any:
    return milliseconds(value) if kind == "time" and value is not None else value


def period(changed: Mapping[str, Any] | None = None) -> Period:
    """The period of the fixtures, with what a patch changes of it."""
    return Period(**{name: milliseconds(value) for name, value in {**base()["period"], **(changed or {})}.items()})


def base_database() -> sqlite3.Connection:
    """A database with the base rows and all that lies beside them."""
    db = new_database()
    for table, rows in base()["rows"].items():
        insert_rows(db, table, [row(table, key, columns) for key, columns in rows.items()])
    prepare(db, load_catalogue(), period())
    return db


@contextmanager
def patched(db: sqlite3.Connection, patch: Patch) -> Iterator[None]:
    """The database with a patch laid on it, for as long as the block lasts."""
    db.execute("BEGIN")
    try:
        _delete(db, patch.get("delete", {}))
        _set(db, patch.get("set", {}))
        for table, rows in patch.get("insert", {}).items():
            insert_rows(db, table, [row(table, key, columns) for key, columns in rows.items()])
        lay_given(
            db,
            period=period(patch.get("period")),
            parameters=load_catalogue().parameters,
            carried_over=[(first, second) for first, second in patch.get("carried_over", ())],
            unreadable=[(first, second) for first, second in patch.get("unreadable", ())],
            cuts=[CutAway(**each) for each in patch.get("cuts", ())],
        )
        yield
    finally:
        db.execute("ROLLBACK")


def _delete(db: sqlite3.Connection, tables: Mapping[str, list[str]]) -> None:
    for table, keys in tables.items():
        key = load_schema().tables[table].key
        for each in keys:
            done = db.execute(f"DELETE FROM {table} WHERE ? IN ('*', {key})", (each,))
            assert done.rowcount, f"{table} {each} is not there"


def _set(db: sqlite3.Connection, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    for table, rows in tables.items():
        declared = load_schema().tables[table]
        for key, columns in rows.items():
            for name, value in columns.items():
                stored = _stored(table, name, value)
                done = db.execute(f"UPDATE {table} SET {name} = ? WHERE ? IN ('*', {declared.key})", (stored, key))
                assert done.rowcount, f"{table} {key} is not there"


def _stored(table: str, name: str, value: Any) -> Any:
    kind = load_schema().tables[table].columns[name]
    return as_json(value) if kind in ("list", "map") and value is not None else _value(kind, value)
