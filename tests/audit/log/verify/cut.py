"""A published log of which the first bundle was cut."""

from pathlib import Path
from typing import Any

from audit.log import merkle, tiles
from audit.log.canonical import encode
from audit.log.ranges import Entry
from audit.log.said import LEAST_KEPT_MS
from audit.log.signing import SignerKey
from tests.audit.log.simulator import SimulatedLog, simulated
from tests.audit.log.verify.published import publish

SAID = {
    "minimum_index": 256,
    "from_index": 0,
    "from_at": 1,
    "to_at": 2,
    "keep_until": 3,
    "asked_by": "a",
    "approved_by": "b",
}
AT = 2 + LEAST_KEPT_MS


def cut_log(folder: Path, signer: SignerKey, *, size: int = 600, place: int = 599, **changes: Any) -> Path:
    """So many entries, of which the one at this place says that the first bundle went; it went."""
    publish(saying(signer, size, place, SAID | changes), folder)
    (folder / "tile/entries/000").unlink()
    return folder


def saying(signer: SignerKey, size: int, place: int, said: dict[str, object]) -> SimulatedLog:
    """A log with a ``log.cut`` at this place, nothing removed yet."""
    log = simulated(signer, size)
    body = encode({"id": "cut", "at": AT, "name": "log.cut", "fields": said})
    log.entries[place] = Entry(place, body, merkle.leaf_hash(body))
    log.tiles = tiles.grow(0, [merkle.leaf_hash(each.body) for each in log.entries], {})
    log.sign()
    return log
