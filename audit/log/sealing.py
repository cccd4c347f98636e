"""Queued events become entries of the log: dense indexes, leaf hashes, tiles, a signed checkpoint.

All in one transaction (a ``log.cut`` in one of its own), and nothing is remembered between two calls: each begins with the stored right edge of the tree
and holds it against the last checkpoint, so a crash at any point leaves either the old log or the new one.
"""

import logging
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log import merkle, tiles
from audit.log.canonical import parse_entry
from audit.log.checkpoint import Checkpoint, VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.errors import NotVerified, ParseError
from audit.log.judging_cuts import declined_for_good, reason_against
from audit.log.locks import Lock, until_commit
from audit.log.note import VerifierKey
from audit.log.said import READERS
from audit.log.shape import holds_nul, wrong_shape
from audit.log.signing import CannotSign, Signer, sign_checkpoint
from audit.log.tile_rows import read_tiles

alarms = logging.getLogger("breakglass.alarm")
BATCH = 2000
MOST_NAMED = 5
CUT = "log.cut"
Edge = dict[tuple[int, int], bytes]

# Whether anything waits, and the number of the first cut.
WAITING = """
SELECT EXISTS (SELECT FROM audit_queue WHERE NOT seq = ANY(%(skip)s)), (SELECT min(q.seq)
  FROM audit_queue q JOIN audit_event e ON e.id = q.event_id WHERE e.name = 'log.cut' AND NOT q.seq = ANY(%(skip)s))
"""
ALL_BUT_CUTS = "e.name IS DISTINCT FROM 'log.cut'"
# A cut is held against what is sealed, so what waits before it comes first; then, however many cuts wait, all that is none.
ROUND = (f"{ALL_BUT_CUTS} AND q.seq < %(cut)s", "q.seq = %(cut)s", ALL_BUT_CUTS)
QUEUED = """
SELECT q.seq, q.event_id, coalesce(e.name, ''), e.at, e."by", e."case", e.subject, coalesce(e.body, ''), s."index"
FROM audit_queue q LEFT JOIN audit_event e ON e.id = q.event_id LEFT JOIN audit_sealed_entry s ON s.event_id = q.event_id
WHERE NOT q.seq = ANY(%(skip)s) AND {which} ORDER BY q.seq LIMIT %(most)s
"""
LEAVE_QUEUE = "DELETE FROM audit_queue WHERE seq = ANY(%s)"
KEEP_ENTRIES = """
INSERT INTO audit_sealed_entry ("index", event_id, leaf_hash, sealed_at)
SELECT place, event, leaf, %s FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[]) AS entry (place, event, leaf)
"""
KEEP_TILES = """
INSERT INTO audit_tile (level, "index", hashes) SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[])
ON CONFLICT (level, "index") DO UPDATE SET hashes = excluded.hashes
"""
KEEP_CHECKPOINT = "INSERT INTO audit_checkpoint (size, root, note, signed_at) VALUES (%s, %s, %s, %s)"


class SealingError(Exception):
    """Something stored is not what it must be.

    ``refused`` has the queue numbers of events that were left waiting while the others were sealed, each with the reason. Where it is
    empty the log itself does not fit its last checkpoint, and nothing was sealed.
    """

    def __init__(self, sentence: str, refused: Mapping[int, str] | None = None) -> None:
        """Keep the sentence, the queue numbers and the reasons."""
        super().__init__(sentence)
        self.refused = dict(refused or {})


@dataclass(frozen=True)
class Queued:
    """An event that waits, with the columns beside its bytes; ``sealed_as`` is the index that it has already, which must be none."""

    seq: int
    id: uuid.UUID
    name: str
    at: int
    by: str
    case: str
    subject: str
    body: bytes
    sealed_as: int | None = None


def seal_once(
    connection: BaseDatabaseWrapper,
    signer: Signer,
    now: int,
    *,
    trusted: Sequence[VerifierKey] = (),
    known: VerifiedCheckpoint | None = None,
    skip: Collection[int] = (),
) -> int:
    """Seal what waits, at most 2000 events in a transaction, and return how many were sealed. One waiting cut is judged, no more.

    Args:
        connection: Of the sealer's role.
        signer: The log's key.
        now: Milliseconds since 1970 UTC.
        trusted: Keys that signed earlier checkpoints, besides the signer's own.
        known: A checkpoint that this log has signed; the stored tree must contain it.
        skip: Queue numbers that were refused before and are left alone.

    Raises:
        SealingError: An event was refused, or the stored log does not fit its last checkpoint.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"skip": list(skip)})
        waits, cut = cursor.fetchone()
    sealed, reasons, keys = 0, dict[int, str](), all_keys(signer, trusted)
    for which in () if not waits else (ALL_BUT_CUTS,) if cut is None else ROUND:
        given = {"skip": [*skip, *reasons], "cut": cut}
        count, refused, whole = _in_one_transaction(connection, signer, now, keys, known, which, given)
        sealed, reasons = sealed + count, reasons | refused
        if not whole:  # more may wait before the cut
            break
    if reasons:
        _alarm(reasons)
    return sealed


def _in_one_transaction(
    connection: BaseDatabaseWrapper,
    signer: Signer,
    now: int,
    keys: Sequence[VerifierKey],
    known: VerifiedCheckpoint | None,
    which: str,
    given: Mapping[str, Any],
) -> tuple[int, dict[int, str], bool]:
    """Seal what is sound of these; how many were, why the others are not, and whether these were all."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        until_commit(Lock.SEALING, connection.alias)
        state = _last_state(cursor, keys, known)
        most = _room(signer, keys, state[0])
        cursor.execute(QUEUED.format(which=which), {**given, "most": most})
        queued = [Queued(*row) for row in cursor.fetchall()]
        refused = _refused(cursor, queued, now)
        _let_go(cursor, [event for event in queued if event.name == CUT and event.seq in refused])
        sound = [event for event in queued if event.seq not in refused]
        return _seal(cursor, signer, now, *state, sound), refused, len(queued) < most


def _refused(cursor: Any, queued: Iterable[Queued], now: int) -> dict[int, str]:
    """Why some of these are not sealed."""
    reasons = ((each.seq, _reason(cursor, each, now)) for each in queued)
    return {seq: reason for seq, reason in reasons if reason}


def _let_go(cursor: Any, cuts: Sequence[Queued]) -> None:
    """Refused cuts that were declined leave the queue, where they would wait, and be alarmed about, for ever. The check knows them."""
    if cuts:
        declined = declined_for_good(cursor, [event.body for event in cuts])
        cursor.execute(LEAVE_QUEUE, [[event.seq for event, gone in zip(cuts, declined, strict=True) if gone]])


def _reason(cursor: Any, event: Queued, now: int) -> str:
    return reason_to_leave(event) or (reason_against(cursor, event.body, now) if event.name == CUT else "")


def all_keys(signer: Signer, trusted: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
    """The log's keys. What is said of the signer's own among the trusted ones holds: a retired key signs no more."""
    own = signer.verifier()
    return tuple(trusted) if own in trusted else (own, *trusted)


def _room(signer: Signer, keys: Sequence[VerifierKey], size: int) -> int:
    """How many entries may be added under this key, at most 2000."""
    own = [key for key in keys if key == signer.verifier()]
    room = max(BATCH if key.last is None else min(BATCH, key.last - size) for key in own)
    if room <= 0 or size + 1 < min(key.first for key in own):
        raise SealingError(f"The sealer's key is not valid for {size + 1} entries. docs/operate.md, section 2.")
    return room


def reason_to_refuse(event: Queued) -> str:
    """Why the event cannot be sealed, or nothing: it has no place yet, its bytes are canonical and its columns repeat them."""
    return _read(event)[0]


def reason_to_leave(event: Queued) -> str:
    """The same; or no reader could read it, or programs act on it and it says nothing that they can act on. Nothing takes an entry back."""
    reason, body = _read(event)
    reason = reason or wrong_shape(body) or reason_to_distrust(event)
    return reason or ("A text in it holds the character NUL." if holds_nul(event.body) else "")


def _read(event: Queued) -> tuple[str, Mapping[str, Any]]:
    """Why the event is none that was appended, and what its bytes say."""
    if event.sealed_as is not None:
        return f"Event {event.id} is entry {event.sealed_as} already.", {}
    if not event.name and not event.body:
        return f"There is no event {event.id}.", {}
    try:
        body = parse_entry(event.body)
    except ParseError as error:
        return str(error), {}
    said = [body.get("id"), body.get("name"), body.get("at"), body.get("by")]
    said += [body.get("case", ""), body.get("subject", "")]
    columns = [str(event.id), event.name, event.at, event.by, event.case, event.subject]
    names = ("id", "name", "at", "by", "case", "subject")
    wrong = [name for name, one, other in zip(names, said, columns, strict=True) if one != other]
    return f"The columns {', '.join(wrong)} say something else than the bytes." if wrong else "", body


def reason_to_distrust(event: Queued) -> str:
    """Why an event on which programs act must not become an entry, where nothing takes it back."""
    if event.name not in READERS:
        return ""
    try:
        READERS[event.name](event.body)
    except ParseError as error:
        return f"{event.name}: {error}"
    return ""


def last_signed(connection: BaseDatabaseWrapper, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint | None:
    """The last stored checkpoint, checked; nothing where nothing was sealed yet.

    Raises:
        SealingError: It is not signed by one of the keys.
    """
    with connection.cursor() as cursor:
        return _last_checkpoint(cursor, keys)


def _last_checkpoint(cursor: Any, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint | None:
    cursor.execute("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    row = cursor.fetchone()
    if row is None:
        return None
    try:
        return verify_checkpoint(parse_checkpoint(row[0].encode()), keys)
    except (ParseError, NotVerified) as error:
        raise SealingError(f"The last checkpoint is not one of this log. {error}") from error


def _last_state(cursor: Any, keys: Sequence[VerifierKey], known: VerifiedCheckpoint | None) -> tuple[int, Edge]:
    """Size and right edge of the stored tree, after they were held against checkpoint, indexes and memory."""
    last = _last_checkpoint(cursor, keys)
    size = last.size if last else 0
    cursor.execute('SELECT coalesce(max("index") + 1, 0) FROM audit_sealed_entry')
    entries = cursor.fetchone()[0]
    if entries != size:
        raise SealingError(f"There are {entries} sealed entries and the last checkpoint has {size}.")
    edge = read_tiles(cursor, tiles.right_edge(size))
    try:
        if last and tiles.tree_root(size, lambda level, index, _: edge[level, index]) != last.root:
            raise SealingError("The stored tiles do not have the root of the last checkpoint.")
        if known:
            _check_known(cursor, known, last)
    except (KeyError, ParseError) as error:
        raise SealingError("A tile of the stored tree is missing or has another length.") from error
    return size, edge


def _check_known(cursor: Any, known: VerifiedCheckpoint, last: VerifiedCheckpoint | None) -> None:
    """The stored tree contains the checkpoint that this log is known to have signed."""
    size, root = (last.size, last.root) if last else (0, merkle.EMPTY_ROOT)
    if known.size > size:
        raise SealingError(f"This log has signed {known.size} entries, and only {size} are stored.")
    needed = tiles.needed_for_consistency(known.size, size)
    stored = read_tiles(cursor, needed)
    proof = tiles.consistency_proof(known.size, size, lambda level, index, width: stored[level, index][: width * 32])
    try:
        merkle.verify_consistency(proof, known.root, root)
    except NotVerified as error:
        raise SealingError(f"The stored log is not the one of which {known.size} entries were signed.") from error


def _seal(cursor: Any, signer: Signer, now: int, size: int, edge: Edge, events: Sequence[Queued]) -> int:
    if not events:
        return 0
    leaves = [merkle.leaf_hash(event.body) for event in events]
    changed = tiles.grow(size, leaves, edge)
    after = size + len(leaves)
    root = tiles.tree_root(after, lambda level, index, _: (edge | changed)[level, index])
    try:
        note = sign_checkpoint(Checkpoint(signer.name, after, root), signer)
    except CannotSign as error:
        raise SealingError(f"The key does not sign. {error}") from error
    cursor.execute(KEEP_ENTRIES, [now, list(range(size, after)), [event.id for event in events], leaves])
    levels, indexes = [level for level, _ in changed], [index for _, index in changed]
    cursor.execute(KEEP_TILES, [levels, indexes, list(changed.values())])
    cursor.execute(KEEP_CHECKPOINT, [after, root, note.decode(), now])
    cursor.execute(LEAVE_QUEUE, [[event.seq for event in events]])
    return len(leaves)


def _alarm(reasons: dict[int, str]) -> None:
    named = [f"number {seq}: {reason}" for seq, reason in list(reasons.items())[:MOST_NAMED]]
    alarms.critical("%s queued events are not sealed; %s", len(reasons), " ".join(named))  # one alarm, so one mail
    raise SealingError(f"{len(reasons)} queued events are not what was appended.", reasons)
