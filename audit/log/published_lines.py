"""How far each witness has cosigned what is published: beside the log lies, for each, the last checkpoint that it cosigned.

Where the log grows faster than a witness answers, the head has been followed by the next one before the line comes in, and no head ever carries it.
"""

from collections.abc import MutableMapping

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log.checkpoint import parse_checkpoint
from audit.log.cosignature import witnessed_path
from audit.log.errors import ParseError
from audit.log.note import Note, parse_note, write_note
from audit.log.publishing import Head, unless_moved
from audit.log.stores import Store
from audit.log.witnessing import cosignature_lines

LAST_LINES = """
SELECT s.size, s.witness, c.note FROM audit_cosignature s JOIN audit_checkpoint c ON c.size = s.size
WHERE s.size <= %s ORDER BY s.size DESC LIMIT 50
"""  # a witness that is not among them has published what it cosigned long ago


def publish_lines(connection: BaseDatabaseWrapper, store: Store, head: Head, done: MutableMapping[str, bytes]) -> None:
    """Put the last checkpoint of each witness, with all lines under it, beside the log.

    Args:
        connection: Of the sealer's role.
        store: Where the log is published.
        head: What is published; a checkpoint of more entries is not shown before that one is.
        done: What this publisher has put, by its path.

    Raises:
        StoreUnavailable, Overtaken: See `Store.move_head`.
    """
    with connection.cursor() as cursor:
        cursor.execute(LAST_LINES, [head.checkpoint.size])
        newest: dict[str, tuple[int, str]] = {}
        for size, witness, note in cursor.fetchall():
            newest.setdefault(witness, (size, note))
    for witness, (size, text) in newest.items():
        note = parse_note(text.encode())
        data = write_note(Note(note.text, (*note.signatures, *cosignature_lines(connection, size))))
        path = witnessed_path(witness)
        if done.get(path) != data:
            _move(store, head, path, size, data)
            done[path] = data


def _move(store: Store, head: Head, path: str, size: int, data: bytes) -> None:
    """Never back: of two publishers the one that knows more is right."""
    before = store.read(path)
    if before != data and _size(before) <= size:
        unless_moved(store, head.data)()
        store.beside(path).move_head(before, data)


def _size(data: bytes | None) -> int:
    """Of what cannot be read, none: it is replaced."""
    try:
        return parse_checkpoint(data).checkpoint.size if data is not None else 0
    except ParseError:
        return 0
