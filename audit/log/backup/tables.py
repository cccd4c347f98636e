"""Tables in the text format of PostgreSQL's COPY, which ``psql`` reads too."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

from audit.log.cuts import begins_at

PART_BYTES = 8 * 2**20
# The log's own, which come from its bundles, values and checkpoints; as rows is kept what no bundle holds.
LOG = ("audit_event", "audit_personal_value", "audit_queue")
OF_SEALER = ("audit_sealed_entry", "audit_tile", "audit_checkpoint", "audit_cosignature")
# Of the running instance alone. Nobody stays signed in over a restore.
LEFT = ("audit_heartbeat", "django_session", "django_migrations")
WAITING: Mapping[str, str] = {
    "audit_queue": "SELECT {} FROM audit_queue",
    "audit_event": "SELECT {} FROM audit_event WHERE id IN (SELECT event_id FROM audit_queue UNION ALL"
    ' SELECT event_id FROM audit_sealed_entry WHERE "index" < {begins})',
    "audit_personal_value": "SELECT {} FROM audit_personal_value WHERE event_id IN (SELECT event_id FROM audit_queue)",
}
FILLED_BY_MIGRATING = ("auth_permission", "django_content_type")


@dataclass(frozen=True)
class Table:
    """A table with its columns in their order."""

    name: str
    columns: tuple[str, ...]

    def listed(self) -> sql.Composed:
        """Its columns for a statement."""
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read inside is of one moment of the database; nothing is locked against anybody."""
    at_once = not connection.in_atomic_block
    with transaction.atomic():
        if at_once:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def kept_tables() -> list[Table]:
    """The tables whose rows are kept as rows, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'"
            " GROUP BY table_name ORDER BY table_name"
        )
        rows = cursor.fetchall()
    return [Table(name, tuple(columns)) for name, columns in rows if name not in (*OF_SEALER, *LEFT)]


def migrations() -> tuple[str, ...]:
    """The last migration of each app."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, max(name) FROM django_migrations GROUP BY app ORDER BY app")
        return tuple(f"{app}={name}" for app, name in cursor.fetchall())


def sequences() -> dict[str, int]:
    """The last value of each sequence that has given one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL"
            " ORDER BY sequencename"
        )
        return dict(cursor.fetchall())


def read(table: Table) -> Iterator[bytes]:
    """Its rows, in parts of a few megabytes; of the log's own tables what waits to be sealed, and what stays of a log that was cut."""
    if table.name in WAITING:
        query = sql.SQL(WAITING[table.name]).format(table.listed(), begins=sql.Literal(begins_at()))
    else:
        query = sql.SQL("SELECT {} FROM {}").format(table.listed(), sql.Identifier(table.name))
    yield from copied_out(query)


def copied_out(query: sql.Composable) -> Iterator[bytes]:
    """The rows of a query, whole lines in each part; nothing where there are none."""
    part, size = [], 0
    with connection.cursor() as cursor, cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
        for row in copy:
            part.append(bytes(row))
            size += len(row)
            if size >= PART_BYTES:
                yield b"".join(part)
                part, size = [], 0
    if part:
        yield b"".join(part)


def rows_in(data: bytes) -> int:
    """How many rows a part holds: each is a line, for COPY writes a line's end within a value as two signs."""
    return data.count(b"\n")


def values_held() -> int:
    """How many personal values there are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_personal_value")
        return int(cursor.fetchone()[0])


def copy_in(into: str, columns: sql.Composable, data: bytes) -> int:
    """Add rows to a table; how many there were, as the database counts them."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(into), columns)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(data)
        return int(cursor.rowcount)
