"""Our trees, proofs and checkpoints against a Python implementation that is not ours: `proofbundle`, which follows RFC 6962 and the C2SP pages.

It holds leaves in a list and so makes trees of some thousands; of the largest ones it verifies what we make.
"""

import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from proofbundle import merkle as theirs
from proofbundle.tlogproof import parse_tlog_proof, verify_tlog_proof

from audit.log import merkle
from audit.log.canonical import encode
from audit.log.checkpoint import Checkpoint, parse_checkpoint
from audit.log.note import Note, write_note
from audit.log.proof import LogProof, write_proof
from audit.log.signing import SignerKey, cosign, sign_checkpoint
from tests.audit.log.foreign.trees import Asked, equal_tree, random_tree

WITNESS = SignerKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
EXACT = [0, 1, 255, 256, 257, 5000]
SEEDS = [1, *[pytest.param(seed, marks=pytest.mark.faults) for seed in range(2, 8)]]


def of_python(tree: Asked) -> dict[str, Any]:
    """What they make of the same."""
    return {
        "roots": [theirs.merkle_tree_hash(tree.entries[:size]) for size in tree.roots],
        "inclusion": [theirs.inclusion_proof(tree.entries[:size], index) for index, size in tree.inclusion],
        "consistency": [theirs.consistency_proof(tree.entries[:new], old) for old, new in tree.consistency],
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_trees_of_0_to_5000_random_entries_are_those_of_foreign_python(seed: int) -> None:
    tree, drawn = random_tree(seed, 5000)
    tree.draw([*EXACT, *(drawn.randrange(5001) for _ in range(3 if seed == 1 else 40))], drawn)
    assert tree.ours() == of_python(tree)


@pytest.mark.faults
def test_every_root_of_0_to_5000_random_entries_is_that_of_foreign_python() -> None:
    tree, _ = random_tree(1, 5000)
    tree.roots = [*range(5001)]
    assert tree.ours() == of_python(tree)


@pytest.mark.faults
def test_tree_of_65537_random_entries_is_that_of_foreign_python() -> None:
    tree, drawn = random_tree(7, 65_537)
    tree.draw([65_535, 65_536, 65_537], drawn)
    assert tree.ours() == of_python(tree)


def test_foreign_python_verifies_our_proofs_at_powers_of_256_and_their_neighbours_and_no_other_root() -> None:
    tree = equal_tree()
    sizes = [256**power + beside for power in range(1, 8) for beside in (-1, 0, 1)]
    tree.draw(sizes, random.Random(8))
    tree.consistency += [(256**power + beside, 256 ** (power + 1)) for power in range(1, 7) for beside in (-1, 0, 1)]
    ours, (entry,) = tree.ours(), tree.entries
    root = {size: merkle.compact_range(size, tree.node).root() for pair in tree.consistency for size in pair}
    assert [
        (
            theirs.verify_inclusion(entry, index, size, path, root[size]),
            theirs.verify_inclusion(entry, index, size, path, root[1]),
        )
        for (index, size), path in zip(tree.inclusion, ours["inclusion"], strict=True)
    ] == [(True, False)] * len(tree.inclusion)
    grew = [
        (old, new, theirs.verify_consistency(old, new, path, root[old], root[new]))
        for (old, new), path in zip(tree.consistency, ours["consistency"], strict=True)
    ]
    assert grew == [(old, new, True) for old, new in tree.consistency]


def test_foreign_python_believes_our_proof_files_and_the_witness_and_no_other_entry(signer: SignerKey) -> None:
    entries = [encode({"id": f"id-{number}", "name": "glass.broken"}) for number in range(300)]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    said = parse_checkpoint(sign_checkpoint(Checkpoint(signer.name, 300, merkle.root(leaves)), signer)).note
    witnessed = Note(said.text, (*said.signatures, cosign(said.text, WITNESS, 1_790_000_000)))
    path = tuple(theirs.inclusion_proof(entries, 77))
    proof = write_proof(LogProof(77, path, parse_checkpoint(write_note(witnessed)), entries[77])).decode()
    keys = (signer.verifier().text(), [WITNESS.cosigner().text()])
    found = verify_tlog_proof(proof, entries[77], *keys, threshold=1)
    told = ("ok", "log_ok", "witnesses_ok", "inclusion_ok", "origin", "tree_size", "index")
    assert {name: found[name] for name in told} == {
        "ok": True, "log_ok": True, "witnesses_ok": True, "inclusion_ok": True,
        "origin": signer.name, "tree_size": 300, "index": 77,
    }  # fmt: skip
    assert parse_tlog_proof(proof)["extra"] == entries[77]
    assert verify_tlog_proof(proof, entries[78], *keys, threshold=1)["inclusion_ok"] is False
    alone = write_proof(LogProof(77, path, parse_checkpoint(write_note(said)))).decode()
    assert verify_tlog_proof(alone, entries[77], *keys, threshold=1)["witnesses_ok"] is False
