"""One row in every table of the database, with the same word in each column that can hold it, and the same id in each that holds ids.

So a row of one table belongs to the row of every other: what is looked for by a way over foreign keys is found.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction

WORD = "Zebulonq Quuxford"
TEXTS = ("text", "character varying")
VALUES: Mapping[str, str] = {
    "json": '{{"x": {{"comment": "{word}"}}}}', "jsonb": '{{"x": {{"comment": "{word}"}}}}', "bytea": "{word}", "ARRAY": '{{"{word}"}}',
    "uuid": "{identity}", "boolean": "false", "date": "2020-01-01", "inet": "127.0.0.1", "timestamp with time zone": "2020-01-01T00:00:00Z",
    "time without time zone": "00:00", "interval": "1 second", "tstzrange": "empty",
}  # fmt: skip
COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.character_maximum_length FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER' ORDER BY 1, c.ordinal_position
"""
CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'"


@contextmanager
def everywhere(identity: UUID, given: Mapping[str, str]) -> Iterator[None]:
    """Plant it, whatever the tables' checks say, for as long as the block lasts. ``given``: what stands in ``table.column`` instead."""
    with transaction.atomic():
        for table, columns in _tables().items():
            _plant(table, columns, identity, given)
        yield
        transaction.set_rollback(True)


def _tables() -> dict[str, list[tuple[str, str, int | None]]]:
    found: dict[str, list[tuple[str, str, int | None]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for table, *column in cursor.fetchall():
            found.setdefault(table, []).append((column[0], column[1], column[2]))
    return found


def _plant(table: str, columns: list[tuple[str, str, int | None]], identity: UUID, given: Mapping[str, str]) -> None:
    values = [given.get(f"{table}.{name}", _value(kind, most, identity)) for name, kind, most in columns]
    names = ", ".join(f'"{name}"' for name, *_ in columns)
    with connection.cursor() as cursor:
        cursor.execute(CHECKS, [table])
        for (check,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{check}"')
        marks = ", ".join("%s" for _ in values)
        cursor.execute(f'INSERT INTO "{table}" ({names}) OVERRIDING SYSTEM VALUE VALUES ({marks})', values)


def _value(kind: str, most: int | None, identity: UUID) -> Any:
    if kind in TEXTS:
        return WORD if most is None or most >= len(WORD) else "x"[:most]
    value = VALUES.get(kind, "4242").format(word=WORD, identity=identity)
    return value.encode() if kind == "bytea" else value


def choices() -> set[str]:
    """Columns in which one of the portal's own words stands, and nothing that anybody typed."""
    return {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.choices
    }
