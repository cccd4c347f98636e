"""What is published in a bucket is read back with its lock, once in each hour (UTC), and put on record: whoever keeps the bucket vouches that it stays.

What vouches is the newest full tile: its bytes are those of the log, and it can be removed by nobody before its date. Entries after it, 255 at
most, lie in partial tiles, which no lock holds.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audit.log import tiles
from audit.log.append import Actor, action, append, now_ms, process
from audit.log.checkpoints import public_keys
from audit.log.errors import NotVerified, ParseError
from audit.log.models import Tile
from audit.log.publishing import read_head
from audit.log.read import last_named_of
from audit.log.sealing import SealingError
from audit.log.stores import StoreUnavailable
from audit.log.stores.bucket import LOCK_MODE, BucketStore
from audit.log.stores.opening import open_store

HOUR_MS = 60 * 60 * 1000
KEEPER, SUBJECT, READ_BACK = process("anchors"), "store:tiles", "log.lock_read_back"


@dataclass(frozen=True)
class Found:
    """What was read back: how many entries it is of, by which mode it is locked until when, and what is wrong with it, in a sentence."""

    size: int
    mode: str | None = None
    until: datetime | None = None
    wrong: str = ""


def run_due() -> int:
    """Read back where this hour has no record yet; how many entries of the log were written."""
    last = last_named_of(SUBJECT, [READ_BACK])
    if last is not None and last.at // HOUR_MS >= now_ms() // HOUR_MS:
        return 0
    found = _read_back()
    if found is None:
        return 0
    record(by=KEEPER, found=found)
    return 1


def _read_back() -> Found | None:
    """Nothing where no bucket is set, or where no tile of it is full yet."""
    try:
        store = open_store(settings.PORTAL_LOG_STORE) if settings.PORTAL_LOG_STORE else None
        if not isinstance(store, BucketStore):
            return None
        head = read_head(store, public_keys())
        full = head.checkpoint.size // tiles.WIDTH if head else 0
        return _of_tile(store, full - 1) if full else None
    except (StoreUnavailable, SealingError, ParseError, NotVerified, ValueError) as error:
        return Found(0, wrong=f"What is published cannot be read back. {error}"[:400])


def _of_tile(store: BucketStore, index: int) -> Found:
    path, size = tiles.path(tiles.TileName(0, index, tiles.WIDTH)), (index + 1) * tiles.WIDTH
    lock = store.lock_of(path)
    mode, until = lock or (None, None)
    ours = Tile.objects.filter(level=0, index=index).values_list("hashes", flat=True).first()
    if ours is None or store.read(path) != bytes(ours):
        return Found(size, mode, until, f"At {path} lie other bytes than the log has.")
    if until is None or mode != LOCK_MODE or until.timestamp() * 1000 <= now_ms():
        return Found(size, mode, until, f"{path} is not locked, so it can be removed.")
    return Found(size, mode, until)


@action(event="log.lock_read_back")
def record(*, by: Actor, found: Found) -> None:
    """One entry for the hour."""
    until = round(found.until.timestamp() * 1000) if found.until else None
    append(
        READ_BACK, by=by, subject=SUBJECT, size=found.size, at=now_ms(), mode=found.mode, until=until, ok=not found.wrong,
        sentence=found.wrong or None,
    )  # fmt: skip
