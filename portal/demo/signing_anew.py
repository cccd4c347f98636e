"""What an operator with all keys can do: after an entry was edited, build the tree anew from there, and sign every checkpoint of it again.

Nothing that is left contradicts itself. Whoever remembers a checkpoint from before sees it, and nobody else.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from audit.log import merkle, tiles
from audit.log.checkpoint import Checkpoint, parse_checkpoint
from audit.log.keys import load_signer
from audit.log.signing import sign_checkpoint
from audit.log.stores import HEAD

Tree = dict[tuple[int, int], bytes]
ROWS = {
    "audit_tile": 'SELECT row_to_json(t) FROM audit_tile t WHERE "index" >= (%s::bigint >> (8 * (level + 1)))',  # with the entry, or later ones
    "audit_checkpoint": "SELECT row_to_json(t) FROM audit_checkpoint t WHERE size > %s",
}
BODY = 'SELECT body FROM audit_event JOIN audit_sealed_entry ON event_id = id WHERE "index" = %s'


def rows_from(connection: psycopg.Connection, index: int) -> dict[str, list[dict[str, Any]]]:
    """The rows that `sign_anew` changes besides those of the entry itself, as they are now."""
    return {
        table: [row for (row,) in connection.execute(statement, [index]).fetchall()]
        for table, statement in ROWS.items()
    }


def sign_anew(connection: psycopg.Connection, index: int, store: Path, key_file: Path) -> dict[str, bytes]:
    """Let hash, tree, checkpoints and published files follow the bytes that an entry has now.

    Returns the bytes of each file that was changed, as they were.

    Raises:
        LookupError: The entry is not published yet.
        OSError: A file, or the key, cannot be read or written.
    """
    head = parse_checkpoint((store / HEAD).read_bytes()).checkpoint
    if head.size <= index:
        raise LookupError("The newest approval is not published yet.")
    ((stored,),) = connection.execute(BODY, [index]).fetchall()
    body = bytes(stored)
    leaf = merkle.leaf_hash(body)
    connection.execute('UPDATE audit_sealed_entry SET leaf_hash = %s WHERE "index" = %s', [leaf, index])
    tree = _grown_anew(connection, index)
    notes = _signed(connection, index, tree, key_file)
    after = dict(_files(store, index, body, tree)) | {store / HEAD: notes[head.size]}
    before = {str(path): path.read_bytes() for path in after}
    for path, data in after.items():
        path.write_bytes(data)
    return before


def _grown_anew(connection: psycopg.Connection, index: int) -> Tree:
    """The stored tiles, those that hold the entry or a later one changed."""
    rows = connection.execute('SELECT level, "index", hashes FROM audit_tile').fetchall()
    stored = {(level, place): bytes(hashes) for level, place, hashes in rows}
    edge = {
        (each.level or 0, each.index): stored[each.level or 0, each.index][: each.width * tiles.HASH_BYTES]
        for each in tiles.right_edge(index)
    }
    leaves = connection.execute(
        'SELECT leaf_hash FROM audit_sealed_entry WHERE "index" >= %s ORDER BY "index"', [index]
    )
    changed = tiles.grow(index, [bytes(leaf) for (leaf,) in leaves.fetchall()], edge)
    for (level, place), hashes in changed.items():
        connection.execute(
            'UPDATE audit_tile SET hashes = %s WHERE level = %s AND "index" = %s', [hashes, level, place]
        )
    return stored | changed


def _signed(connection: psycopg.Connection, index: int, tree: Tree, key_file: Path) -> dict[int, bytes]:
    """A note for each checkpoint that holds the entry, by its size."""
    key, notes = load_signer(key_file), {}
    for (size,) in connection.execute("SELECT size FROM audit_checkpoint WHERE size > %s", [index]).fetchall():
        root = tiles.tree_root(size, lambda level, place, width: tree[level, place][: width * tiles.HASH_BYTES])
        notes[size] = sign_checkpoint(Checkpoint(key.name, size, root), key)
        connection.execute(
            "UPDATE audit_checkpoint SET root = %s, note = %s WHERE size = %s", [root, notes[size].decode(), size]
        )
    return notes


def _files(store: Path, index: int, body: bytes, tree: Tree) -> Iterator[tuple[Path, bytes]]:
    """Every published tile and bundle, whole or partial, that lies there for what has changed, with its new bytes."""
    for level, place in tree:
        if place >= index >> tiles.HEIGHT * (level + 1):
            for path, width in _widths(store, level, place):
                yield path, tree[level, place][: width * tiles.HASH_BYTES]
    place, offset = divmod(index, tiles.WIDTH)
    for path, width in _widths(store, None, place):
        entries = tiles.parse_bundle(path.read_bytes(), width)
        if offset < width:
            yield path, tiles.encode_bundle([*entries[:offset], body, *entries[offset + 1 :]])


def _widths(store: Path, level: int | None, place: int) -> Iterator[tuple[Path, int]]:
    whole = store / tiles.path(tiles.TileName(level, place, tiles.WIDTH))
    if whole.exists():
        yield whole, tiles.WIDTH
    yield from ((path, int(path.name)) for path in whole.with_name(f"{whole.name}.p").glob("[0-9]*"))
