"""The tree against RFC 6962's own definitions, for every size up to 65, and against known roots."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.log import merkle
from audit.log.errors import NotVerified
from audit.log.merkle import ConsistencyProof, InclusionProof
from tests.audit.log.rfc6962 import mth, path, subproof

SIZES = range(66)
LEAVES = [merkle.leaf_hash(b"entry %d" % number) for number in range(65)]


def node(level: int, index: int) -> bytes:
    width = 1 << level
    assert (index + 1) * width <= len(LEAVES), "a node over leaves that the tree does not have"
    return mth(LEAVES[index * width : (index + 1) * width])


# The roots of certificate transparency's reference implementations over the eight entries that all of them share.
REFERENCE_ENTRIES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_are_those_of_the_reference_entries() -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in REFERENCE_ENTRIES]
    assert [merkle.root(leaves[:size]).hex() for size in range(1, 9)] == REFERENCE_ROOTS


def test_root_of_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", SIZES)
def test_root_is_the_definition(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == mth(LEAVES[:size])
    assert merkle.compact_range(size, node).root() == mth(LEAVES[:size])


@pytest.mark.parametrize("size", SIZES)
def test_compact_range_taken_up_again_grows_to_the_same_root(size: int) -> None:
    tree = merkle.compact_range(size, node)
    for leaf in LEAVES[size:]:
        tree.append(leaf)
    assert (tree.size, tree.root()) == (65, mth(LEAVES))


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_inclusion_proof_is_the_definition_and_verifies(size: int) -> None:
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, node)
        assert proof == InclusionProof(index, size, tuple(path(index, LEAVES[:size])))
        merkle.verify_inclusion(proof, LEAVES[index], mth(LEAVES[:size]))


@pytest.mark.parametrize("new", SIZES[1:])
def test_every_consistency_proof_is_the_definition_and_verifies(new: int) -> None:
    for old in range(1, new + 1):
        proof = merkle.consistency_proof(old, new, node)
        assert proof == ConsistencyProof(old, new, tuple(subproof(old, LEAVES[:new], True)))
        merkle.verify_consistency(proof, mth(LEAVES[:old]), mth(LEAVES[:new]))


def test_empty_tree_is_the_beginning_of_every_tree() -> None:
    merkle.verify_consistency(merkle.consistency_proof(0, 9, node), merkle.EMPTY_ROOT, mth(LEAVES[:9]))
    with pytest.raises(NotVerified):
        merkle.verify_consistency(ConsistencyProof(0, 9, ()), LEAVES[0], mth(LEAVES[:9]))
    with pytest.raises(NotVerified):
        merkle.verify_consistency(ConsistencyProof(0, 9, (LEAVES[0],)), merkle.EMPTY_ROOT, mth(LEAVES[:9]))


@pytest.mark.parametrize("size", SIZES[1:])
def test_inclusion_proof_of_another_index_size_or_length_does_not_verify(size: int) -> None:
    index = size // 2
    good = merkle.inclusion_proof(index, size, node)
    root = mth(LEAVES[:size])
    wrong = [replace(good, index=other) for other in range(-1, size + 2) if other != index]
    wrong += [replace(good, path=(*good.path, LEAVES[0])), replace(good, size=0)]
    wrong += [replace(good, path=good.path[:-1]), replace(good, path=good.path[1:])] if good.path else []
    for proof in wrong:
        with pytest.raises(NotVerified):
            merkle.verify_inclusion(proof, LEAVES[index], root)


@pytest.mark.parametrize("new", SIZES[2:])
def test_consistency_proof_of_other_sizes_or_length_does_not_verify(new: int) -> None:
    old = new // 2
    good = merkle.consistency_proof(old, new, node)
    wrong = [replace(good, path=(*good.path, LEAVES[0])), replace(good, path=good.path[:-1]), replace(good, path=())]
    wrong += [replace(good, old=new + 1), replace(good, old=-1), replace(good, old=new), replace(good, old=0)]
    for proof in wrong:
        with pytest.raises(NotVerified):
            merkle.verify_consistency(proof, mth(LEAVES[:old]), mth(LEAVES[:new]))


def test_tree_of_a_fork_is_not_consistent() -> None:
    forked = [*LEAVES[:20], merkle.leaf_hash(b"another"), *LEAVES[21:40]]
    proof = ConsistencyProof(30, 40, tuple(subproof(30, LEAVES[:40], True)))
    with pytest.raises(NotVerified):
        merkle.verify_consistency(proof, mth(forked[:30]), mth(LEAVES[:40]))


@given(st.integers(1, 65), st.data())
def test_inclusion_with_one_flipped_bit_does_not_verify(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    good = merkle.inclusion_proof(index, size, node)
    parts = [LEAVES[index], mth(LEAVES[:size]), *good.path]
    leaf, root, *hashes = flipped(parts, data.draw(st.integers(0, len(parts) * 256 - 1)))
    with pytest.raises(NotVerified):
        merkle.verify_inclusion(replace(good, path=tuple(hashes)), leaf, root)


@given(st.integers(1, 65), st.data())
def test_consistency_with_one_flipped_bit_does_not_verify(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    good = merkle.consistency_proof(old, new, node)
    parts = [mth(LEAVES[:old]), mth(LEAVES[:new]), *good.path]
    before, after, *hashes = flipped(parts, data.draw(st.integers(0, len(parts) * 256 - 1)))
    with pytest.raises(NotVerified):
        merkle.verify_consistency(replace(good, path=tuple(hashes)), before, after)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_inclusion_proof_of_a_leaf_that_is_not_there_cannot_be_made(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        merkle.inclusion_proof(index, size, node)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_consistency_proof_of_a_larger_old_tree_cannot_be_made(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="does not begin"):
        merkle.consistency_proof(old, new, node)


def flipped(parts: list[bytes], bit: int) -> list[bytes]:
    whole = bytearray(b"".join(parts))
    whole[bit // 8] ^= 1 << bit % 8
    return [bytes(whole[start : start + 32]) for start in range(0, len(whole), 32)]
