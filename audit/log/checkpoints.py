"""The sealed log as those see it who hold the public key alone: checkpoints and inclusions, proved each time.

A column that says sealed proves nothing here; only what these functions return may open anything.
"""

import logging
import time
import uuid
from functools import lru_cache

from django.conf import settings
from django.db import connection
from django.db.models import Count, Subquery

from audit.log import tiles
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.cosignature import CosignerKey, verify_cosignatures
from audit.log.errors import NotVerified, ParseError
from audit.log.keys import load_verifiers
from audit.log.merkle import ConsistencyProof
from audit.log.models import Cosignature, StoredCheckpoint
from audit.log.note import VerifierKey, write_note
from audit.log.proof import VerifiedInclusion, verify_inclusion
from audit.log.tile_rows import read_tiles
from audit.log.witness.listed import parse_witnesses

alarms = logging.getLogger("breakglass.alarm")
SEALED = """
SELECT s."index", e.body, (SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1)
FROM audit_sealed_entry s JOIN audit_event e ON e.id = s.event_id WHERE s.event_id = %s
"""


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


def cosigned(found: VerifiedCheckpoint) -> VerifiedCheckpoint:
    """The same with the kept lines of its witnesses, which are not checked here. One query."""
    note = found.signed.note
    lines = Cosignature.objects.filter(size=found.size).order_by("witness").values_list("line", flat=True)
    return _proved_checkpoint((write_note(note) + "".join(f"{line}\n" for line in lines).encode()).decode())


def growth(old: int) -> tuple[ConsistencyProof, VerifiedCheckpoint] | None:
    """The last checkpoint, cosigned where it was, and the proof that its tree begins with that of ``old`` entries; nothing where it has fewer.

    Raises:
        NotVerified: The checkpoint is not signed by a key of the log, or a tile of the stored log is missing or damaged.
    """
    last = latest()
    if last is None or not 0 < old <= last.size:
        return None
    return consistency(old, last), cosigned(last)


def consistency(old: int, later: VerifiedCheckpoint) -> ConsistencyProof:
    """The proof that a checkpoint's tree begins with that of ``old`` entries, of which there must be one or more and no more than it has.

    Raises:
        NotVerified: A tile of the stored log is missing or damaged.
    """
    try:
        fetch = _stored(tiles.needed_for_consistency(old, later.size))
        return tiles.consistency_proof(old, later.size, fetch)
    except (KeyError, ParseError) as error:
        raise NotVerified("A tile of the stored log is missing or damaged, so nothing can be proved.") from error


def lacking(text: str) -> tuple[int, int]:
    """The first and the last index that a checkpoint of this log covers and the stored log does not have.

    Raises:
        NotVerified: It is not a checkpoint of this log, or not over more entries than are stored.
    """
    try:
        found = verify_checkpoint(parse_checkpoint(text.encode()), public_keys())
    except (ParseError, NotVerified) as error:
        raise NotVerified(f"This is not a checkpoint of this log. {error}") from error
    last = latest()
    size = last.size if last else 0
    if found.size <= size:
        raise NotVerified(
            f"This checkpoint is over {found.size} entries, and {size} are stored: it lacks none of them."
        )
    return size, found.size - 1


def witnessed() -> VerifiedCheckpoint | None:
    """The last checkpoint that every required witness has cosigned; nothing where there is none, or none is required.

    Raises:
        NotVerified: It is not signed by a key of the log, or a kept cosignature is wrong.
    """
    required = required_witnesses()
    last = StoredCheckpoint.objects.order_by("-size").values("size")[:1]  # a row beyond it would be the last for ever
    rows = (
        Cosignature.objects.filter(witness__in=[key.text() for key in required], size__lte=Subquery(last))
        .values("size").annotate(count=Count("witness")).filter(count=len(required)).order_by("-size")
    )  # fmt: skip
    found = rows.values_list("size", flat=True).first() if required else None
    if found is None:
        return None
    note = StoredCheckpoint.objects.filter(size=found).values_list("note", flat=True).first() or ""
    lines = Cosignature.objects.filter(size=found).order_by("witness").values_list("line", flat=True)
    checkpoint = _proved_checkpoint(note + "".join(f"{line}\n" for line in lines))
    if not is_witnessed(checkpoint):
        alarms.critical("The cosignatures that are kept for %s entries do not verify.", found)
        raise NotVerified(f"The cosignatures that are kept for {found} entries do not verify.")
    return checkpoint


def is_witnessed(checkpoint: VerifiedCheckpoint) -> bool:
    """Whether every required witness has cosigned it, by the lines that it carries; never where none is required."""
    required = required_witnesses()
    try:
        signed = {each.by for each in verify_cosignatures(checkpoint.signed.note, required)}
    except NotVerified:
        return False
    return bool(required) and signed == set(required)


def required_witnesses() -> tuple[CosignerKey, ...]:
    """The keys of those without whom a checkpoint does not count as witnessed.

    Raises:
        NotVerified: The setting cannot be read.
    """
    return _required(settings.PORTAL_LOG_WITNESSES)


@lru_cache(maxsize=4)
def _required(text: str) -> tuple[CosignerKey, ...]:
    try:
        return tuple(each.key for each in parse_witnesses(text) if each.required)
    except ParseError as error:
        raise NotVerified(f"The witnesses of the log cannot be read, so nothing is witnessed. {error}") from error


def inclusion(event_id: uuid.UUID | str, *, by_witnesses: bool = False) -> VerifiedInclusion | None:
    """The proof that the event's own bytes are in the log; nothing where they are not sealed yet. Two queries, three more by witnesses.

    Args:
        event_id: Of the event.
        by_witnesses: Under a checkpoint that every required witness has cosigned.

    Raises:
        NotVerified: The database says that it is sealed, and that is not so.
    """
    with connection.cursor() as cursor:
        cursor.execute(SEALED, [str(event_id)])
        row = cursor.fetchone()
    if row is None or row[2] is None:
        return None
    index, body, note = row
    checkpoint = witnessed() if by_witnesses else _proved_checkpoint(note)
    if checkpoint is None or (by_witnesses and checkpoint.size <= index):
        return None
    try:
        fetch = _stored(tiles.needed_for_inclusion(index, checkpoint.size))
        proof = tiles.inclusion_proof(index, checkpoint.size, fetch)
        found = verify_inclusion(proof, bytes(body), checkpoint)
        if found.event_id != str(event_id):
            raise NotVerified("The bytes are those of another event.")
    except (KeyError, ValueError, NotVerified) as error:  # a ParseError is a ValueError
        alarms.critical("Event %s is marked as sealed, and its place in the log cannot be proved: %s", event_id, error)
        raise NotVerified(
            f"Event {event_id} is marked as sealed, and its place in the log cannot be proved."
        ) from error
    return found


def wait_for_inclusion(
    event_id: uuid.UUID | str, timeout_s: float, poll_ms: int = 200, *, by_witnesses: bool = False
) -> VerifiedInclusion:
    """Ask again and again until the event is sealed, or cosigned. Not to be called in a transaction: it would keep it open.

    Raises:
        NotSealed: The time is over.
        NotVerified: The database says that it is sealed, and that is not so.
    """
    end = time.monotonic() + timeout_s
    while True:
        found = inclusion(event_id, by_witnesses=by_witnesses)
        if found:
            return found
        left = end - time.monotonic()
        if left <= 0:
            done = "cosigned by every required witness" if by_witnesses else "sealed"
            raise NotSealed(f"Event {event_id} was not {done} within {timeout_s:g} seconds.")
        time.sleep(min(poll_ms / 1000, left))


def _proved_checkpoint(text: str) -> VerifiedCheckpoint:
    try:
        return _verified(text, settings.PORTAL_LOG_PUBLIC_KEY)
    except (ParseError, NotVerified) as error:
        alarms.critical("The last checkpoint of the log does not verify: %s", error)
        raise NotVerified(f"The last checkpoint of the log does not verify. {error}") from error


@lru_cache(maxsize=4)
def _verified(text: str, keys: str) -> VerifiedCheckpoint:
    """The checkpoint of these very bytes under these very keys. Both are all that is asked, so the answer may be kept; a refusal is not."""
    return verify_checkpoint(parse_checkpoint(text.encode()), _keys(keys))


def _stored(wanted: list[tiles.TileName]) -> tiles.Fetch:
    """The first hashes of each wanted tile, read at once, as the stored one may have grown since; KeyError where one is missing."""
    with connection.cursor() as cursor:
        stored = read_tiles(cursor, wanted) if wanted else {}
    return lambda level, place, width: stored[level, place][: width * tiles.HASH_BYTES]
