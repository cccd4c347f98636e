"""What is asked of our trees and of those that others make, so that both can be held against each other."""

import random
from dataclasses import dataclass, field
from typing import Any

from audit.log import merkle, tiles


@dataclass
class Asked:
    """What is asked of a tree, of ours and of theirs: roots of its beginnings, proofs of an index in a size, and of an old size in a new one."""

    entries: list[bytes]
    leaves: list[bytes]
    node: merkle.Node
    equal: bool = False
    roots: list[int] = field(default_factory=list)
    inclusion: list[tuple[int, int]] = field(default_factory=list)
    consistency: list[tuple[int, int]] = field(default_factory=list)

    def draw(self, sizes: list[int], drawn: random.Random) -> None:
        """A root and some proofs for each size: the edges, and what chance gives."""
        for size in sizes:
            self.roots.append(size)
            if not size:
                continue
            indexes = {0, size - 1, size // 2, drawn.randrange(size)}
            self.inclusion += [(index, size) for index in sorted(indexes)]
            olds = {1, size, drawn.randint(1, size), 1 << (size.bit_length() - 1), max(1, size - 1)}
            self.consistency += [(old, size) for old in sorted(olds)]

    def ours(self) -> dict[str, Any]:
        """What we make, every proof verified."""
        root = {
            size: merkle.compact_range(size, self.node).root()
            for size in {*self.roots, *(old for old, _ in self.consistency)}
        }
        found: dict[str, Any] = {"roots": [root[size] for size in self.roots], "inclusion": [], "consistency": []}
        for index, size in self.inclusion:
            proof = merkle.inclusion_proof(index, size, self.node)
            merkle.verify_inclusion(proof, self.leaves[0 if self.equal else index], root[size])
            found["inclusion"].append(list(proof.path))
        for old, new in self.consistency:
            grew = merkle.consistency_proof(old, new, self.node)
            merkle.verify_consistency(grew, root[old], root[new])
            found["consistency"].append(list(grew.path))
        return found


def random_tree(seed: int, most: int) -> tuple[Asked, random.Random]:
    """A tree of random entries, read from our tiles as they are stored."""
    drawn = random.Random(seed)
    entries = [drawn.randbytes(drawn.randrange(200)) for _ in range(most)]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    stored = tiles.grow(0, leaves, {})
    reader = tiles.node_reader(most, lambda level, index, width: stored[level, index][: width * tiles.HASH_BYTES])
    return Asked(entries, leaves, reader), drawn


def equal_tree() -> Asked:
    """A tree of equal leaves, which may be of any size: each complete subtree of a level has the same hash."""
    entry = b"the same"
    levels = [merkle.leaf_hash(entry)]
    for _ in range(62):
        levels.append(merkle.node_hash(levels[-1], levels[-1]))
    return Asked([entry], levels[:1], lambda level, _: levels[level], equal=True)
