"""How far each witness has cosigned what is published: beside the log lies, for each, the last checkpoint that it cosigned.

Where the log grows faster than a witness answers, the head has been followed by the next one before the line comes in, and no head ever carries it.
"""

from collections.abc import MutableMapping

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log.checkpoint import parse_checkpoint
from audit.log.cosignature import parse_cosigner_key, witnessed_path
from audit.log.errors import ParseError
from audit.log.note import Note, parse_note, parse_signature, write_note
from audit.log.publishing import Head, unless_moved
from audit.log.stores import Store
from audit.log.witnessing import cosignature_lines

LAST_LINES = """
WITH RECURSIVE each AS (
  SELECT min(witness) AS witness FROM audit_cosignature
  UNION ALL SELECT (SELECT min(witness) FROM audit_cosignature WHERE witness > each.witness) FROM each WHERE each.witness IS NOT NULL
)
SELECT each.witness, last.size, last.line, c.note FROM each
JOIN LATERAL (SELECT size, line FROM audit_cosignature WHERE witness = each.witness AND size <= %s ORDER BY size DESC LIMIT 1) last ON true
JOIN audit_checkpoint c ON c.size = last.size ORDER BY each.witness
"""  # from witness to witness by the index: millions of lines may be kept

MOST_SAID = 80  # characters of a name that nobody could read


def publish_lines(
    connection: BaseDatabaseWrapper, store: Store, head: Head, done: MutableMapping[str, bytes]
) -> list[str]:
    """Put the last checkpoint of each witness, with all lines under it, beside the log; a sentence for each whose line cannot be read.

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
        newest = cursor.fetchall()
    unread = []
    for witness, size, line, text in newest:
        try:
            path = witnessed_path(parse_cosigner_key(witness).text())
            parse_signature(line)
            note = parse_note(text.encode())
        except ParseError as error:
            unread.append(f"{witness[:MOST_SAID]!r} at {size} entries: {error}")
            continue
        data = write_note(Note(note.text, (*note.signatures, *cosignature_lines(connection, size))))
        if done.get(path) != data:
            _move(store, head, path, size, data)
            done[path] = data
    return unread


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
