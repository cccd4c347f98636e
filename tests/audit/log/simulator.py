"""A whole log in memory whose parts can be set wrong, before or after they are signed."""

import copy
from dataclasses import dataclass, field

from audit.log import merkle, tiles
from audit.log.canonical import encode
from audit.log.checkpoint import Checkpoint
from audit.log.ranges import Entry, RangeResult, StoredNote, TileCheck, verify_entries
from audit.log.signing import SignerKey, sign_checkpoint

START, STEP = 1_790_000_000_000, 60_000


@dataclass
class SimulatedLog:
    """What a log stores, and the key it signs with."""

    signer: SignerKey
    entries: list[Entry] = field(default_factory=list)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    notes: list[StoredNote] = field(default_factory=list)

    def copy(self) -> "SimulatedLog":
        return copy.deepcopy(self, {id(self.signer): self.signer})

    def grow(self, count: int, word: str = "entry") -> None:
        """Append entries and sign a checkpoint over all."""
        size = len(self.entries)
        bodies = [
            encode({"id": f"{word}-{number}", "at": START + len(self.notes) * STEP + 1})
            for number in range(size, size + count)
        ]
        leaves = [merkle.leaf_hash(body) for body in bodies]
        self.tiles |= tiles.grow(size, leaves, self.tiles)
        self.entries += [
            Entry(size + number, body, leaf) for number, (body, leaf) in enumerate(zip(bodies, leaves, strict=True))
        ]
        self.sign()

    def sign(self) -> None:
        """Sign a checkpoint over the stored tiles."""
        size = len(self.entries)
        note = sign_checkpoint(Checkpoint(self.signer.name, size, tiles.tree_root(size, self.fetch)), self.signer)
        self.notes.append(StoredNote(size, note, START + (len(self.notes) + 1) * STEP))

    def edit(self, index: int, body: bytes, *, hash_too: bool = False) -> None:
        """Put other bytes in the place of an entry, as a database owner may."""
        old = self.entries[index]
        self.entries[index] = Entry(index, body, merkle.leaf_hash(body) if hash_too else old.leaf_hash)

    def fetch(self, level: int, index: int, width: int) -> bytes:
        return self.tiles[level, index][: width * 32]

    def check(self, signer: SignerKey | None = None, *, with_tiles: bool = True) -> list[RangeResult]:
        """What the verifier says with the public key."""
        keys = [(signer or self.signer).verifier()]
        notes = sorted(self.notes, key=lambda note: note.size)
        return list(verify_entries(self.entries, notes, keys, self.fetch if with_tiles else None))

    def wrong_tiles(self) -> list[str]:
        check = TileCheck(self.fetch)
        for entry in self.entries:
            check.come_to(entry.index)
            check.add(merkle.leaf_hash(entry.body))
        return [tiles.path(tile) for tile in check.finish()]


def simulated(signer: SignerKey, *counts: int) -> SimulatedLog:
    """A sound log that grew by each count in turn."""
    log = SimulatedLog(signer)
    for count in counts:
        log.grow(count)
    return log
