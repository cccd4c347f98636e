"""The sealed log as those see it who hold the public key alone: checkpoints and inclusions, proved each time.

A column that says sealed proves nothing here; only what these functions return may open anything.
"""

import logging
import time
import uuid
from functools import lru_cache

from django.conf import settings
from django.db.models import Q

from audit.log import tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.keys import load_verifiers
from audit.log.models import SealedEntry, StoredCheckpoint, Tile
from audit.log.note import VerifierKey
from audit.log.proof import VerifiedInclusion, verify_inclusion

alarms = logging.getLogger("breakglass.alarm")


class NotSealed(Exception):
    """The event has not been sealed in the time that was given; it may be later."""


@lru_cache(maxsize=4)
def _keys(text: str) -> tuple[VerifierKey, ...]:
    try:
        return load_verifiers(text)
    except ParseError as error:
        raise NotVerified(f"The public key of the log cannot be read, so nothing can be proved. {error}") from error


def public_keys() -> tuple[VerifierKey, ...]:
    """The log's public keys, the present one and those before it.

    Raises:
        NotVerified: None is set, or one cannot be read.
    """
    return _keys(settings.PORTAL_LOG_PUBLIC_KEY)


def latest() -> VerifiedCheckpoint | None:
    """The last checkpoint; nothing where nothing was sealed yet.

    Raises:
        NotVerified: It is not signed by a key of the log.
    """
    row = StoredCheckpoint.objects.order_by("-size").values_list("note").first()
    return _proved_checkpoint(row[0]) if row else None


def inclusion(event_id: uuid.UUID | str) -> VerifiedInclusion | None:
    """The proof that the event's own bytes are in the log; nothing where they are not sealed yet. Three queries.

    Raises:
        NotVerified: The database says that it is sealed, and that is not so.
    """
    row = SealedEntry.objects.filter(event_id=event_id).values_list("index", "event__body").first()
    checkpoint = latest() if row else None
    if row is None or checkpoint is None:
        return None
    index, body = row
    try:
        wanted = tiles.needed_for_inclusion(index, checkpoint.size)
        stored = _stored(wanted)
        proof = tiles.inclusion_proof(index, checkpoint.size, lambda level, place, width: stored[level, place, width])
        found = verify_inclusion(proof, bytes(body), checkpoint)
        if found.event_id != str(event_id):
            raise NotVerified("The bytes are those of another event.")
    except (KeyError, ValueError, NotVerified) as error:  # a ParseError is a ValueError
        alarms.critical("Event %s is marked as sealed, and its place in the log cannot be proved: %s", event_id, error)
        raise NotVerified(
            f"Event {event_id} is marked as sealed, and its place in the log cannot be proved."
        ) from error
    return found


def wait_for_inclusion(event_id: uuid.UUID | str, timeout_s: float, poll_ms: int = 200) -> VerifiedInclusion:
    """Ask again and again until the event is sealed. Not to be called in a transaction: it would keep it open.

    Raises:
        NotSealed: The time is over.
        NotVerified: The database says that it is sealed, and that is not so.
    """
    end = time.monotonic() + timeout_s
    while True:
        found = inclusion(event_id)
        if found:
            return found
        left = end - time.monotonic()
        if left <= 0:
            raise NotSealed(f"Event {event_id} was not sealed within {timeout_s:g} seconds.")
        time.sleep(min(poll_ms / 1000, left))


def _proved_checkpoint(text: str) -> VerifiedCheckpoint:
    try:
        return verify_checkpoint(parse_checkpoint(text.encode()), public_keys())
    except (ParseError, NotVerified) as error:
        alarms.critical("The last checkpoint of the log does not verify: %s", error)
        raise NotVerified(f"The last checkpoint of the log does not verify. {error}") from error


def _stored(wanted: list[tiles.TileName]) -> dict[tuple[int, int, int], bytes]:
    """The first hashes of each wanted tile; the stored one may have grown since."""
    condition = Q(pk__in=[])
    for tile in wanted:
        condition |= Q(level=tile.level, index=tile.index)
    rows = Tile.objects.filter(condition).values_list("level", "index", "hashes") if wanted else ()
    stored = {(level, index): bytes(hashes) for level, index, hashes in rows}
    return {
        (tile.level or 0, tile.index, tile.width): stored[tile.level or 0, tile.index][: tile.width * tiles.HASH_BYTES]
        for tile in wanted
    }
