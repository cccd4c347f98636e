"""What was acknowledged and is in no entry, after a database was set back; and the end of the sealer's stop, once two people signed that it is lost."""

import contextlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from audit.log.canonical import parse_entry
from audit.log.checkpoint import VerifiedCheckpoint, parse_checkpoint, verify_checkpoint
from audit.log.durable import write_whole
from audit.log.errors import NotVerified, ParseError
from audit.log.note import VerifierKey, write_note
from audit.log.publishing import check_grown, read_head
from audit.log.sealing import SealingError, last_signed
from audit.log.stores import Store

ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
MENTIONED = """
SELECT DISTINCT found[1] FROM audit_event, regexp_matches(encode(body, 'escape'), %s, 'g') AS found WHERE found[1] = ANY(%s)
"""
SIGNED_AS_LOST = "SELECT body FROM audit_event WHERE name = 'log.range_lost'"


class Lost(NamedTuple):
    """Indexes that were lost, both included, and the checkpoint that was signed over them."""

    first: object
    last: object
    size: int
    root: bytes


class NotSignedAsLost(Exception):
    """The sealer may not forget: why, and what to do."""


def ids_in(texts: Iterable[str]) -> set[str]:
    """What people were told of, in mails, receipts, logs of a web server."""
    return {each for text in texts for each in ID.findall(text)}


def unmentioned(cursor: Any, told: Iterable[str]) -> list[str]:
    """Those of these ids that no event mentions, in order. Reads every event once."""
    cursor.execute(MENTIONED, [ID.pattern.replace(r"\b", ""), sorted(told)])
    return sorted(set(told) - {row[0] for row in cursor.fetchall()})


def forget(
    connection: BaseDatabaseWrapper, memory: Path, store: Store | None, keys: Sequence[VerifierKey]
) -> VerifiedCheckpoint:
    """Put the last stored checkpoint in the place of a remembered one that two people signed as lost; the old file is kept beside it.

    Args:
        connection: Of the sealer's role; the sealer is stopped.
        memory: The sealer's file.
        store: Where the log is published; the stored log must contain that.
        keys: The log's public keys.

    Raises:
        NotSignedAsLost: Nothing in the log says so, or there is nothing to forget.
        SealingError: The stored log does not contain what is published: bring that back first.
        StoreUnavailable: The store does not answer.
    """
    known = _remembered(memory, keys)
    last = last_signed(connection, keys)
    if last is None or known.size <= last.size:
        raise NotSignedAsLost(
            f"{memory} remembers {known.size} entries, and they are stored: nothing is to be forgotten."
        )
    with connection.cursor() as cursor:
        head = read_head(store, keys) if store else None
        if head:
            check_grown(cursor, head.checkpoint, last)
        if not _is_signed(cursor, known, last.size, keys):
            raise NotSignedAsLost(
                f"No event log.range_lost is about this checkpoint and the entries {last.size} to {known.size - 1}: "
                "two administrators sign it in the portal first."
            )
    write_whole(memory.with_name(f"{memory.name}.lost-{known.size}"), memory.read_bytes())
    write_whole(memory, write_note(last.signed.note))
    return last


def _remembered(memory: Path, keys: Sequence[VerifierKey]) -> VerifiedCheckpoint:
    try:
        return verify_checkpoint(parse_checkpoint(memory.read_bytes()), keys)
    except FileNotFoundError as error:
        raise NotSignedAsLost(f"{memory} is not there: nothing is remembered.") from error
    except (ParseError, NotVerified) as error:
        raise SealingError(f"{memory} is not a checkpoint of this log. {error}") from error


def _is_signed(cursor: Any, known: VerifiedCheckpoint, first: int, keys: Sequence[VerifierKey]) -> bool:
    """Whether an event says that these very indexes of this very tree are lost, in the name of two people; others are passed over."""
    cursor.execute(SIGNED_AS_LOST)
    wanted = Lost(first, known.size - 1, known.size, known.root)
    for (body,) in cursor.fetchall():
        with contextlib.suppress(ParseError, NotVerified):
            if _read_lost(bytes(body), keys) == wanted:
                return True
    return False


def _read_lost(data: bytes, keys: Sequence[VerifierKey]) -> Lost:
    """ParseError or NotVerified where it is not what two people signed."""
    said = parse_entry(data).get("fields")
    if not isinstance(said, dict):
        raise ParseError("It has no fields.")
    asked_by, approved_by, checkpoint = (said.get(name) for name in ("asked_by", "approved_by", "checkpoint"))
    if (
        not all(isinstance(each, str) and each for each in (asked_by, approved_by, checkpoint))
        or asked_by == approved_by
    ):
        raise ParseError("It was not two people who signed it.")
    lost = verify_checkpoint(parse_checkpoint(str(checkpoint).encode()), keys)
    return Lost(said.get("first"), said.get("last"), lost.size, lost.root)
