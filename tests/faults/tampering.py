"""Twelve classes of tampering with a sealed and published log, each a function that does one random case and says which entries it touched, in order.

The one who does it holds everything: superuser of the database, owner of the published files, and a stolen retired key.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from audit.log import merkle, tiles
from audit.log.canonical import encode, parse_entry
from audit.log.checkpoint import Checkpoint
from audit.log.models import SealedEntry, StoredCheckpoint
from audit.log.signing import SignerKey, sign_checkpoint
from tests.audit.log.logged import doctored

RETIRED_AT = 200  # the size up to which the retired key signed
EVENT_AT = 'SELECT event_id FROM audit_sealed_entry WHERE "index" = %s'


@dataclass
class Scene:
    """A log of ``size`` entries in the database and in a folder."""

    folder: Path
    size: int
    chance: random.Random
    retired: SignerKey
    present: SignerKey

    @property
    def index(self) -> int:
        """Some entry."""
        return self.chance.randrange(self.size)

    def bundle(self, index: int) -> tuple[Path, list[bytes]]:
        """The published bundle of an entry."""
        place = index // tiles.WIDTH
        name = tiles.TileName(None, place, tiles.width(0, place, self.size))
        path = self.folder / tiles.path(name)
        return path, tiles.parse_bundle(path.read_bytes(), name.width)

    def pair(self) -> tuple[int, int]:
        """Two entries of one bundle."""
        one = self.index
        start = one // tiles.WIDTH * tiles.WIDTH
        others = [each for each in range(start, min(self.size, start + tiles.WIDTH)) if each != one]
        return one, self.chance.choice(others)


def flip(scene: Scene) -> tuple[int, ...]:
    """One bit of an entry, there and here."""
    index = scene.index
    path, entries = scene.bundle(index)
    data = bytearray(entries[index % tiles.WIDTH])
    place = scene.chance.randrange(len(data))
    data[place] ^= 1 << scene.chance.randrange(8)
    entries[index % tiles.WIDTH] = bytes(data)
    path.write_bytes(tiles.encode_bundle(entries))
    _set_body(index, bytes(data))
    return (index,)


def edit(scene: Scene) -> tuple[int, ...]:
    """An entry says something else, canonically; its columns and hash follow."""
    index = scene.index
    edit_at(scene, index)
    return (index,)


def reorder(scene: Scene) -> tuple[int, ...]:
    """Two entries change places."""
    one, other = scene.pair()
    path, entries = scene.bundle(one)
    a, b = one % tiles.WIDTH, other % tiles.WIDTH
    entries[a], entries[b] = entries[b], entries[a]
    path.write_bytes(tiles.encode_bundle(entries))
    first, second = (SealedEntry.objects.get(index=each) for each in (one, other))
    doctored('DELETE FROM audit_sealed_entry WHERE "index" IN (%s, %s)', one, other)
    for place, entry in ((one, second), (other, first)):
        _seal_as(place, entry)
    return min(one, other), max(one, other)


def drop(scene: Scene) -> tuple[int, ...]:
    """An entry is gone."""
    index = scene.index
    path, entries = scene.bundle(index)
    del entries[index % tiles.WIDTH]
    path.write_bytes(tiles.encode_bundle(entries))
    doctored('DELETE FROM audit_sealed_entry WHERE "index" = %s', index)
    return (index,)


def duplicate(scene: Scene) -> tuple[int, ...]:
    """An entry stands in the place of another too."""
    index, other = scene.pair()
    path, entries = scene.bundle(index)
    entries[other % tiles.WIDTH] = entries[index % tiles.WIDTH]
    path.write_bytes(tiles.encode_bundle(entries))
    _set_body(other, entries[index % tiles.WIDTH])
    return (other,)


def truncate(scene: Scene) -> tuple[int, ...]:
    """The newest entries are gone from both."""
    left = scene.chance.randrange(scene.size // 2, scene.size)
    doctored('DELETE FROM audit_sealed_entry WHERE "index" >= %s', left)
    start = left // tiles.WIDTH
    for place in range(start, (scene.size + tiles.WIDTH - 1) // tiles.WIDTH):
        width = tiles.width(0, place, scene.size)
        (scene.folder / tiles.path(tiles.TileName(None, place, width))).unlink()
    return (left,)


def swap_tiles(scene: Scene) -> tuple[int, ...]:
    """Two full tiles of hashes change places."""
    one, other = scene.chance.sample(range(scene.size // tiles.WIDTH), 2)
    a, b = (scene.folder / tiles.path(tiles.TileName(0, each, tiles.WIDTH)) for each in (one, other))
    first, second = a.read_bytes(), b.read_bytes()
    a.write_bytes(second)
    b.write_bytes(first)
    for place, data in ((one, second), (other, first)):
        doctored('UPDATE audit_tile SET hashes = %s WHERE level = 0 AND "index" = %s', data, place)
    return min(one, other) * tiles.WIDTH, max(one, other) * tiles.WIDTH


def forge(scene: Scene) -> tuple[int, ...]:
    """A checkpoint signed by a key of nobody, under the log's name."""
    nobody = SignerKey(scene.present.name, Ed25519PrivateKey.from_private_bytes(scene.chance.randbytes(32)))
    _put_note(scene, sign_checkpoint(_some_tree(scene), nobody))
    return (scene.size - 1,)


def resign(scene: Scene) -> tuple[int, ...]:
    """A checkpoint of another history, signed with the stolen retired key beyond its sizes."""
    _put_note(scene, sign_checkpoint(_some_tree(scene), scene.retired))
    return (scene.size - 1,)


def split_view(scene: Scene) -> tuple[int, ...]:
    """To this reader another history of the same size is shown, consistent in itself and signed with the present key."""
    index = scene.index
    edit_at(scene, index)
    _rebuild(scene)
    return (index,)


def roll_back(scene: Scene) -> tuple[int, ...]:
    """Database and tiles are set back together to an earlier state that was signed, and all of it fits."""
    sizes = list(StoredCheckpoint.objects.filter(size__lt=scene.size).values_list("size", "note"))
    size, note = scene.chance.choice(sizes)
    leaves = _leaves()[:size]
    _store_tree(scene, leaves)
    doctored('DELETE FROM audit_sealed_entry WHERE "index" >= %s', size)
    doctored("DELETE FROM audit_checkpoint WHERE size > %s", size)
    gone = "SELECT event_id FROM audit_sealed_entry"
    doctored(f"DELETE FROM audit_personal_value WHERE event_id NOT IN ({gone})")
    doctored("DELETE FROM audit_event WHERE id NOT IN (SELECT event_id FROM audit_sealed_entry)")
    (scene.folder / "checkpoint").write_text(note)
    return (size,)


def salts(scene: Scene) -> tuple[int, ...]:
    """A personal value or its salt says something else, or both are gone without an entry that says so."""
    index = scene.index
    field = scene.chance.choice(["name", "email"])
    change = scene.chance.choice(
        ["UPDATE {} SET value = value || 'x'", "UPDATE {} SET salt = sha256(salt)", "DELETE FROM {}"]
    ).format("audit_personal_value")
    doctored(f"{change} WHERE field = %s AND event_id = ({EVENT_AT})", field, index)
    return (index,)


CLASSES: dict[str, Callable[[Scene], tuple[int, ...]]] = {
    "flip a bit": flip, "edit an entry": edit, "reorder": reorder, "drop": drop, "duplicate": duplicate, "truncate the tail": truncate,
    "swap tiles": swap_tiles, "forge a checkpoint": forge, "re-sign with a retired key": resign, "split view": split_view,
    "roll back both": roll_back, "edit salts or values": salts,
}  # fmt: skip


def edit_at(scene: Scene, index: int) -> None:
    """Other bytes for one entry in database and bundle."""
    path, entries = scene.bundle(index)
    body = parse_entry(entries[index % tiles.WIDTH])
    body["at"] = body["at"] - scene.chance.randrange(1, 10**9)
    data = encode(body)
    entries[index % tiles.WIDTH] = data
    path.write_bytes(tiles.encode_bundle(entries))
    doctored(f"UPDATE audit_event SET body = %s, at = %s WHERE id = ({EVENT_AT})", data, body["at"], index)
    doctored('UPDATE audit_sealed_entry SET leaf_hash = %s WHERE "index" = %s', merkle.leaf_hash(data), index)


def _set_body(index: int, data: bytes) -> None:
    doctored(f"UPDATE audit_event SET body = %s WHERE id = ({EVENT_AT})", data, index)


def _seal_as(index: int, entry: SealedEntry) -> None:
    words = 'INSERT INTO audit_sealed_entry ("index", event_id, leaf_hash, sealed_at) VALUES (%s, %s, %s, %s)'
    doctored(words, index, entry.event_id, bytes(entry.leaf_hash), entry.sealed_at)


def _some_tree(scene: Scene) -> Checkpoint:
    return Checkpoint(scene.present.name, scene.size, scene.chance.randbytes(32))


def _put_note(scene: Scene, note: bytes) -> None:
    (scene.folder / "checkpoint").write_bytes(note)
    doctored("UPDATE audit_checkpoint SET note = %s WHERE size = %s", note.decode(), scene.size)


def _leaves() -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute('SELECT leaf_hash FROM audit_sealed_entry ORDER BY "index"')
        return [bytes(leaf) for (leaf,) in cursor.fetchall()]


def _store_tree(scene: Scene, leaves: list[bytes]) -> None:
    """Tiles and bundles as they would be of these leaves."""
    grown = tiles.grow(0, leaves, {})
    doctored("DELETE FROM audit_tile")
    for (level, index), data in grown.items():
        doctored('INSERT INTO audit_tile (level, "index", hashes) VALUES (%s, %s, %s)', level, index, data)
    bodies = dict(SealedEntry.objects.values_list("index", "event__body"))
    for tile in tiles.of_tree(len(leaves)):
        _write(scene, tile, grown[tile.level or 0, tile.index])
        if tile.level == 0:
            start = tile.index * tiles.WIDTH
            entries = [bytes(bodies[at]) for at in range(start, start + tile.width)]
            _write(scene, tiles.TileName(None, tile.index, tile.width), tiles.encode_bundle(entries))


def _write(scene: Scene, name: tiles.TileName, data: bytes) -> None:
    path = scene.folder / tiles.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _rebuild(scene: Scene) -> None:
    """Sign the changed history anew, with every checkpoint of it."""
    leaves = _leaves()
    _store_tree(scene, leaves)
    note = b""
    for size in StoredCheckpoint.objects.order_by("size").values_list("size", flat=True):
        key = scene.retired if size <= RETIRED_AT else scene.present
        root = merkle.root(leaves[:size])
        note = sign_checkpoint(Checkpoint(key.name, size, root), key)
        doctored("UPDATE audit_checkpoint SET note = %s, root = %s WHERE size = %s", note.decode(), root, size)
    (scene.folder / "checkpoint").write_bytes(note)
