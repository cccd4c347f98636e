"""A published log in a folder, made in memory, whose files can be set wrong."""

from pathlib import Path

from audit.log import tiles
from audit.log.signing import SignerKey
from tests.audit.log.simulator import SimulatedLog, simulated


def publish(log: SimulatedLog, folder: Path) -> Path:
    """Write what a reader of the last checkpoint needs."""
    size = len(log.entries)
    files = {"checkpoint": log.notes[-1].note}
    for tile in tiles.of_tree(size):
        files[tiles.path(tile)] = log.fetch(tile.level or 0, tile.index, tile.width)
        if tile.level == 0:
            start = tile.index * tiles.WIDTH
            bodies = [entry.body for entry in log.entries[start : start + tile.width]]
            files[tiles.path(tiles.TileName(None, tile.index, tile.width))] = tiles.encode_bundle(bodies)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def published(signer: SignerKey, folder: Path, *counts: int) -> Path:
    """A sound log that grew by each count."""
    return publish(simulated(signer, *counts), folder)
