"""The Merkle tree of RFC 6962, section 2.1, with the verifying algorithms of RFC 9162, section 2.1.

Hashes are 32 bytes. A *node* (level, index) is the root of the complete subtree over the ``2**level`` leaves from
``index * 2**level``; a tree is read through a function that gives its nodes.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from audit.log.errors import NotVerified

Node = Callable[[int, int], bytes]
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True)
class InclusionProof:
    """That a leaf stands at ``index`` of a tree of ``size`` leaves; the path begins with its sibling."""

    index: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class ConsistencyProof:
    """That the tree of ``new`` leaves begins with the tree of ``old`` leaves."""

    old: int
    new: int
    path: tuple[bytes, ...]


def leaf_hash(entry: bytes) -> bytes:
    """``SHA-256(0x00 || entry)``."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """``SHA-256(0x01 || left || right)``."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two smaller than ``size`` (RFC 6962's k); ``size`` is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, level by level: a last one without a neighbour goes up as it is, as RFC 6962's split has it."""
    nodes = list(leaves)
    while len(nodes) > 1:
        alone = nodes[len(nodes) & ~1 :]
        nodes = [node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=False)] + alone
    return nodes[0] if nodes else EMPTY_ROOT


@dataclass
class CompactRange:
    """The right edge of a growing tree: one node for each bit that is set in its size, the largest first."""

    size: int = 0
    nodes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        carry, rest = leaf, self.size
        while rest & 1:
            carry = node_hash(self.nodes.pop(), carry)
            rest >>= 1
        self.nodes.append(carry)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree so far."""
        return _fold(self.nodes) if self.nodes else EMPTY_ROOT


def compact_range(size: int, node: Node) -> CompactRange:
    """The right edge of a stored tree of ``size`` leaves."""
    return CompactRange(size, [node(level, index) for level, index in complete_subtrees(0, size)])


def complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The largest complete subtrees over the leaves from start to end, from left to right; start fits the first."""
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def inclusion_proof(index: int, size: int, node: Node) -> InclusionProof:
    """PATH(index, D[0:size]) of RFC 6962, section 2.1.1."""
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    start, end = 0, size
    path: list[bytes] = []
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return InclusionProof(index, size, tuple(reversed(path)))


def consistency_proof(old: int, new: int, node: Node) -> ConsistencyProof:
    """PROOF(old, D[0:new]) of RFC 6962, section 2.1.2; empty where ``old`` is 0 or equals ``new``."""
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} leaves does not begin with one of {old}.")
    if old == 0:
        return ConsistencyProof(old, new, ())
    start, end = 0, new
    path: list[bytes] = []
    while end != old:
        middle = start + split_point(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    if start > 0:  # otherwise the verifier holds this hash: it is the old root
        path.append(_range_hash(start, end, node))
    return ConsistencyProof(old, new, tuple(reversed(path)))


def verify_inclusion(proof: InclusionProof, leaf: bytes, root_hash: bytes) -> None:
    """RFC 9162, section 2.1.3.2; the steps carry its numbers.

    Raises:
        NotVerified: The leaf hash does not stand at that index under that root.
    """
    if not 0 <= proof.index < proof.size:  # 1
        raise NotVerified("The index lies outside of the tree.")
    found = leaf  # 3
    for sibling, on_left in _walk(proof.index, proof.size - 1, proof.path):  # 2, 4
        found = node_hash(sibling, found) if on_left else node_hash(found, sibling)
    if not hmac.compare_digest(found, root_hash):  # 5
        raise NotVerified("The entry is not in the tree at that index.")


def verify_consistency(proof: ConsistencyProof, old_root: bytes, new_root: bytes) -> None:
    """RFC 9162, section 2.1.4.2; the steps carry its numbers. The empty tree and an equal tree need an empty path.

    Raises:
        NotVerified: The new tree does not begin with the old one.
    """
    if not 0 <= proof.old <= proof.new:
        raise NotVerified("The old tree is larger than the new one.")
    if proof.old in (0, proof.new):
        expected = EMPTY_ROOT if proof.old == 0 else new_root
        if proof.path or not hmac.compare_digest(old_root, expected):
            raise NotVerified("The new tree does not begin with the old one.")
        return
    power_of_two = proof.old & (proof.old - 1) == 0
    first, *path = (old_root, *proof.path) if power_of_two else proof.path or (b"",)  # 1, 2, 5
    position, last = proof.old - 1, proof.new - 1  # 3
    while position & 1:  # 4
        position, last = position >> 1, last >> 1
    old_found = new_found = first
    for sibling, on_left in _walk(position, last, path):  # 6
        if on_left:
            old_found, new_found = node_hash(sibling, old_found), node_hash(sibling, new_found)
        else:
            new_found = node_hash(new_found, sibling)
    if not (hmac.compare_digest(old_found, old_root) and hmac.compare_digest(new_found, new_root)):  # 7
        raise NotVerified("The new tree does not begin with the old one.")


def _walk(position: int, last: int, path: Sequence[bytes]) -> list[tuple[bytes, bool]]:
    """Each hash of a path and whether it stands on the left, while ``position`` climbs to the root of a tree.

    This is step 4 of the one algorithm and step 6 of the other, with the test of the length that ends both.
    """
    steps = []
    for sibling in path:
        if last == 0:
            raise NotVerified("The proof is too long.")
        on_left = bool(position & 1) or position == last
        if on_left:
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        steps.append((sibling, on_left))
        position, last = position >> 1, last >> 1
    if last != 0:
        raise NotVerified("The proof is too short.")
    return steps


def _range_hash(start: int, end: int, node: Node) -> bytes:
    return _fold([node(level, index) for level, index in complete_subtrees(start, end)])


def _fold(nodes: Sequence[bytes]) -> bytes:
    found = nodes[-1]
    for left in reversed(nodes[:-1]):
        found = node_hash(left, found)
    return found
