"""What a backup writes of the log and of the tables, file by file; what lies there already is listed and not written again."""

from dataclasses import dataclass, field

from psycopg import sql

from audit.log.backup import tables
from audit.log.backup.age import Recipient, encrypted
from audit.log.backup.manifest import sha256
from audit.log.backup.passing import Keeping
from audit.log.backup.target import (
    BEGINS,
    CHECKPOINTS,
    PERSONAL,
    RANGE,
    STAYED,
    Target,
    folder_of,
    personal_folder,
    written_at,
)
from audit.log.cuts import begins_at

VALUES = """
SELECT v.event_id, v.field, v.salt, v.value FROM audit_personal_value v JOIN audit_sealed_entry s ON s.event_id = v.event_id
WHERE s."index" >= {} AND s."index" < {} ORDER BY s."index", v.field
"""
NOTES = {
    "checkpoints": "SELECT size, root, note, signed_at FROM audit_checkpoint WHERE size > {} AND size <= {} ORDER BY size",
    "cosignatures": "SELECT size, witness, line, signed_at FROM audit_cosignature WHERE size > {} AND size <= {} ORDER BY size, witness",
}


PLACES = 'SELECT "index", event_id, leaf_hash FROM audit_sealed_entry WHERE "index" < {} ORDER BY "index"'


@dataclass
class Made:
    """A backup that was made: its name and size, what it holds, and what it wrote."""

    id: str
    size: int
    root: str
    rows: int = 0  # of the tables that are kept as rows
    values: int = 0  # personal ones, of sealed entries and of those that wait
    manifest_sha256: str = ""
    files: int = 0
    bytes: int = 0
    erased: int = 0  # folders that had passed
    not_cut: str = ""  # why bundles that no kept backup rests on are there still
    took_ms: int = 0


@dataclass
class Writing:
    """What a backup in the making has listed so far."""

    target: Target
    made: Made
    now: int
    recipients: tuple[Recipient, ...]
    keeping: Keeping
    known: dict[str, str]  # of the backup before
    listed: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, data: bytes) -> None:
        self.target.rest.put({path: data})
        self.listed[path] = sha256(data)
        self.made.files += 1
        self.made.bytes += len(data)

    def put_own(self, name: str, data: bytes) -> None:
        self.put(f"{folder_of(self.made.id)}/{name}", data)

    def again(self, start: str) -> bool:
        """List what the backup before has below this path; whether there was any."""
        found = {path: digest for path, digest in self.known.items() if path.startswith(start)}
        self.listed |= found
        return bool(found)


def write_ranges(writing: Writing) -> None:
    """Checkpoints and personal values, cut by the index of the entries; the last range is not full and is written each time."""
    full = (writing.made.size - 1) // RANGE
    for number in range(full + 1):
        start, end = number * RANGE, min((number + 1) * RANGE, writing.made.size)
        for kind, query in NOTES.items():
            if number < full and writing.again(f"{CHECKPOINTS}/{kind}-{number:06}-"):
                continue
            data = b"".join(tables.copied_out(_between(query, start, end)))
            name = f"{kind}-{number:06}-{sha256(data)[:16]}"
            if number < full:
                writing.put(f"{CHECKPOINTS}/{name}", data)
            else:
                writing.put_own(name, data)
        if number == full:
            writing.put_own(f"personal-{number:06}.age", encrypted(_values(start, end), writing.recipients))
        elif not _fresh(writing, number):
            path = f"{personal_folder(number, writing.made.id)}/values.age"
            writing.put(path, encrypted(_values(start, end), writing.recipients))


def write_stayed(writing: Writing) -> None:
    """Where the log begins, and the places of the entries that stay before; their rows are among the tables."""
    begins = begins_at()
    if begins:
        writing.put_own(BEGINS, f"{begins}\n".encode())
        writing.put_own(STAYED, b"".join(tables.copied_out(sql.SQL(PLACES).format(sql.Literal(begins)))))


def _values(start: int, end: int) -> bytes:
    return b"".join(tables.copied_out(_between(VALUES, start, end)))


def _between(query: str, start: int, end: int) -> sql.Composed:
    return sql.SQL(query).format(sql.Literal(start), sql.Literal(end))


def _fresh(writing: Writing, number: int) -> bool:
    """Whether the values of a full range lie there, not too old; then they are listed as they are."""
    start = f"{PERSONAL}/{number:06}-"
    found = [path.rpartition("/")[0] for path in writing.known if path.startswith(start)]
    if not found or writing.now - written_at(found[0]) > writing.keeping.rewrite_after_ms():
        return False
    return writing.again(start)


def write_tables(writing: Writing) -> None:
    """The rows that are kept as rows, encrypted, with their columns and the sequences."""
    described = []
    for table in tables.kept_tables():
        for part, data in enumerate(tables.read(table)):
            writing.made.rows += tables.rows_in(data)
            writing.put_own(f"{table.name}.{part:03}.age", encrypted(data, writing.recipients))
        described.append(f"{table.name} {','.join(table.columns)}\n")
    writing.put_own("tables", "".join(described).encode())
    lines = (f"{name} {value}\n" for name, value in tables.sequences().items())
    writing.put_own("sequences", "".join(lines).encode())
