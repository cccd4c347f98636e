"""The stand-alone verifier over a published log of two million entries, held against a plain SHA-256 loop over the same entries; its memory."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log import tiles
from audit.log.checkpoint import Checkpoint
from audit.log.signing import SignerKey, sign_checkpoint
from portal.embedded.state import CHECKOUT
from tests.benchmarks.rows import Row, at_least, at_most, middle

SIZE = int(os.environ.get("BENCH_ENTRIES", "2000000"))
ENTRY_BYTES = 420  # as an event of the portal has, about
ONE_BAR, TWO_BAR, MEMORY_BAR_MB = 0.2, 0.35, 200
ROUNDS = 3
SIGNER = SignerKey("log.example/bench", Ed25519PrivateKey.from_private_bytes(bytes(32)))
LOOP = """
import hashlib, sys, time
from pathlib import Path
from audit.log import tiles
size, top, took = int(sys.argv[1]), Path(sys.argv[2]), 0.0
for index in range((size + 255) // 256):
    width = tiles.width(0, index, size)
    entries = tiles.parse_bundle((top / tiles.path(tiles.TileName(None, index, width))).read_bytes(), width)
    begun = time.perf_counter()
    for entry in entries:
        hashlib.sha256(entry).digest()
    took += time.perf_counter() - begun
print(took)
"""
VERIFIER = """
import resource, sys
from audit.log.verify.__main__ import main
status = main(sys.argv[1:])
of = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(of // 1024, file=sys.stderr)
sys.exit(status)
"""


def publish(size: int, top: Path) -> None:
    """A sound log of so many entries, written bundle by bundle."""
    edge: dict[tuple[int, int], bytes] = {}
    for start in range(0, size, tiles.WIDTH):
        entries = [_entry(number) for number in range(start, min(size, start + tiles.WIDTH))]
        leaves = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
        edge |= tiles.grow(start, leaves, edge)
        write(top, tiles.TileName(None, start // tiles.WIDTH, len(entries)), tiles.encode_bundle(entries))
        for level, index in [key for key, data in edge.items() if len(data) == tiles.WIDTH * tiles.HASH_BYTES]:
            write(top, tiles.TileName(level, index, tiles.WIDTH), edge.pop((level, index)))
    for tile in tiles.right_edge(size):
        write(top, tile, edge[tile.level or 0, tile.index])
    root = tiles.tree_root(size, lambda level, index, _: edge[level, index])
    (top / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(SIGNER.name, size, root), SIGNER))


def _entry(number: int) -> bytes:
    start = b'{"id":"%d","padding":"' % number
    return start + b"x" * (ENTRY_BYTES - len(start) - 2) + b'"}'


def write(top: Path, name: tiles.TileName, data: bytes) -> None:
    """A tile or bundle where readers look for it."""
    path = top / tiles.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def loop(size: int, top: Path) -> float:
    """Seconds that the hashing of every entry takes in one process, nothing else counted."""
    return float(_run(LOOP, str(size), str(top)).stdout)


def verify(top: Path, processes: int) -> tuple[float, int]:
    """Seconds that the whole check takes, start included, and the most memory that a process of it had (MB)."""
    begun = time.perf_counter()
    done = _run(VERIFIER, str(top), "--key", SIGNER.verifier().text(), "--processes", str(processes))
    took = time.perf_counter() - begun
    if not done.stdout.endswith("WHOLE.\n"):
        raise AssertionError(done.stdout)
    return took, int(done.stderr.split()[-1])


def _run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )


def measured(size: int, rounds: int) -> tuple[float, float, int]:
    """The pace with one and with two processes, against the loop; and the memory (MB)."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        publish(size, top)
        one, two, memory = [], [], 0
        for _ in range(rounds):
            plain = loop(size, top)
            alone, used = verify(top, 1)
            shared, each = verify(top, 2)
            one.append(plain / alone)
            two.append(plain / shared)
            memory = max(memory, used, each)
    return middle(one), middle(two), memory


def rows() -> list[Row]:
    """Three rows."""
    one, two, memory = measured(SIZE, ROUNDS)
    beside = f"{SIZE} entries of {ENTRY_BYTES} bytes, start of the program included"
    return [
        at_least("full verification, of a plain SHA-256 loop", one, ONE_BAR, beside=beside),
        at_least("the same with two processes", two, TWO_BAR),
        at_most("memory of the verifier, greatest process", memory, MEMORY_BAR_MB, "MB"),
    ]
