"""Our formats against golang.org/x/mod/sumdb, the implementation that the specifications were written from.

``vectors/sumdb.json`` was made by ``foreign/main.go make``; the same program reads ours.
"""

import base64
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.log import merkle, tiles
from audit.log.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from audit.log.publishing import publish_once
from audit.log.signing import SignerKey, parse_signer_key, sign_checkpoint
from audit.log.stores.directory import DirectoryStore
from tests.audit.log.foreign.gotool import built
from tests.audit.log.foreign.trees import Asked, equal_tree, random_tree
from tests.audit.log.logged import run_signer, sealed
from tests.audit.log.rfc6962 import mth, path, subproof

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    found = json.loads((HERE / "vectors" / "sumdb.json").read_text())
    assert isinstance(found, dict)
    return found


def decoded(texts: list[str]) -> list[bytes]:
    return [base64.b64decode(text) for text in texts]


def test_foreign_keys_and_checkpoint_are_read_and_written_the_same(vectors: dict[str, Any]) -> None:
    signer = parse_signer_key(vectors["signer_key"])
    assert (signer.text(), signer.verifier().text()) == (vectors["signer_key"], vectors["verifier_key"])
    checkpoint = verify_checkpoint(parse_checkpoint(vectors["checkpoint"].encode()), [signer.verifier()])
    again = sign_checkpoint(Checkpoint(checkpoint.origin, checkpoint.size, checkpoint.root), signer)
    assert (checkpoint.size, again) == (600, vectors["checkpoint"].encode())


def test_foreign_roots_up_to_65_are_ours(vectors: dict[str, Any]) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in decoded(vectors["entries"])]
    assert [merkle.root(leaves[: size + 1]) for size in range(65)] == decoded(vectors["roots"])


def test_foreign_tiles_are_ours(vectors: dict[str, Any]) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in decoded(vectors["entries"])]
    assert {tiles.path(tile): data for tile, data in published(leaves)} == {
        path: base64.b64decode(data) for path, data in vectors["tiles"].items()
    }


def test_foreign_proofs_are_ours_from_foreign_tiles(vectors: dict[str, Any]) -> None:
    def fetch(level: int, index: int, width: int) -> bytes:
        exact = tiles.path(tiles.TileName(level, index, width))
        stored = {
            name: data for name, data in vectors["tiles"].items() if name.split(".p/")[0] == exact.split(".p/")[0]
        }
        return base64.b64decode(next(iter(stored.values())))[: width * 32]

    for vector in vectors["inclusion"]:
        proof = tiles.inclusion_proof(vector["index"], vector["size"], fetch)
        assert list(proof.path) == decoded(vector["path"])
    for vector in vectors["consistency"]:
        grew = tiles.consistency_proof(vector["index"], vector["size"], fetch)
        assert list(grew.path) == decoded(vector["path"])
    assert len(vectors["inclusion"]) == len(vectors["consistency"]) == 48


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in Go, built with the toolchain of the lock."""
    return built(HERE / "foreign" / "main.go", tmp_path_factory.mktemp("go"))


@pytest.mark.django_db
def test_foreign_program_proves_every_entry_of_what_the_sealer_published(program: Path, tmp_path: Path) -> None:
    key = run_signer().verifier()
    for more in (300, 345):
        sealed(more)
        publish_once(connection, DirectoryStore(tmp_path / "log"), [key])
    done = subprocess.run(
        [program, "published", tmp_path / "log", key.text()], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("645 entries and 645 older trees proved\n", "")


def test_foreign_program_proves_every_entry_from_our_tiles(program: Path, signer: SignerKey) -> None:
    entries = [b'{"number":%d}' % number for number in range(777)]
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    said = Checkpoint(signer.name, len(leaves), merkle.root(leaves))
    ours = {
        "verifier_key": signer.verifier().text(),
        "checkpoint": sign_checkpoint(said, signer).decode(),
        "tiles": {tiles.path(tile): base64.b64encode(data).decode() for tile, data in published(leaves)},
        "entries": [base64.b64encode(entry).decode() for entry in entries],
    }
    done = subprocess.run([program, "check"], input=json.dumps(ours), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("777 entries and 777 older trees proved\n", "")


def of_go(tree: Asked, program: Path) -> dict[str, Any]:
    """What Go makes of the same."""
    asked = {
        "leaves": [base64.b64encode(leaf).decode() for leaf in tree.leaves], "equal": tree.equal, "roots": tree.roots,
        "inclusion": tree.inclusion, "consistency": tree.consistency,
    }  # fmt: skip
    done = subprocess.run([program, "trees"], input=json.dumps(asked), capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    return {
        "roots": decoded(said["roots"]), "inclusion": [decoded(each) for each in said["inclusion"]],
        "consistency": [decoded(each) for each in said["consistency"]],
    }  # fmt: skip


TREES = [1, *[pytest.param(seed, marks=pytest.mark.faults) for seed in range(2, 26)]]


@pytest.mark.parametrize("seed", TREES)
def test_foreign_trees_of_0_to_5000_random_entries_are_ours_and_the_definition_s(program: Path, seed: int) -> None:
    tree, drawn = random_tree(seed, 5000)
    sizes = [0, 1, 255, 256, 257, 5000, *(drawn.randrange(5001) for _ in range(6 if seed == 1 else 60))]
    tree.draw(sizes, drawn)
    ours = tree.ours()
    assert ours == of_go(tree, program)
    few = [place for place, (_, size) in enumerate(tree.consistency) if size < 300 or seed > 1][:60]
    for place in few:
        old, new = tree.consistency[place]
        assert ours["consistency"][place] == subproof(old, tree.leaves[:new], True)
    for (index, size), found in list(zip(tree.inclusion, ours["inclusion"], strict=True))[:40]:
        assert found == path(index, tree.leaves[:size])
    assert ours["roots"] == [mth(tree.leaves[:size]) for size in sizes]


@pytest.mark.faults
def test_foreign_tree_of_65537_random_entries_is_ours(program: Path) -> None:
    tree, drawn = random_tree(7, 65_537)
    tree.draw([65_535, 65_536, 65_537], drawn)
    assert tree.ours() == of_go(tree, program)


def test_foreign_trees_at_powers_of_256_and_their_neighbours_are_ours(program: Path) -> None:
    tree = equal_tree()
    tree.draw(
        [256**power + beside for power in range(1, 8) for beside in (-1, 0, 1)],
        random.Random(8),
    )
    tree.consistency += [(256**power + beside, 256 ** (power + 1)) for power in range(1, 7) for beside in (-1, 0, 1)]
    assert tree.ours() == of_go(tree, program)


def published(leaves: list[bytes]) -> list[tuple[tiles.TileName, bytes]]:
    stored = tiles.grow(0, leaves, {})
    return [(tile, stored[tile.level or 0, tile.index]) for tile in tiles.of_tree(len(leaves))]
