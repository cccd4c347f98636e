"""What is under a legal hold, as the log says: for who removes old bundles, and reads no row of the portal.

A hold counts from its event on, sealed or not; it ends with a sealed one in the names of two people. What cannot be read ends none.
"""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, OperationalError
from psycopg.errors import LockNotAvailable

from audit.log.canonical import parse_entry
from audit.log.erasing import LOCK
from audit.log.errors import ParseError
from audit.log.said import read_hold, read_lifted

SAID = """
SELECT e.name, e.body FROM audit_event e LEFT JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e.name = 'hold.set' AND (s."index" IS NOT NULL OR NOT %s) OR e.name = 'hold.lifted' AND s."index" IS NOT NULL
"""
# A case in which a held person is named is held whole.
NAMED_IN = """
SELECT DISTINCT e."case" FROM audit_event e JOIN unnest(%s::text[]) AS p (id)
ON e."by" = p.id OR position(convert_to(p.id, 'UTF8') IN e.body) > 0 WHERE e."case" = ANY(%s) AND e."case" <> ''
"""

PATIENCE = "30s"


class HoldsBusy(Exception):
    """Nobody knows what is held while somebody else sets a hold or erases."""


@dataclass(frozen=True)
class Held:
    """Cases and people under a hold in force."""

    cases: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


def in_force(cursor: Any, besides: Collection[str] = (), *, sealed: bool = False) -> Held:
    """What is held now, by other holds than those that are named; ``sealed``: by sealed entries alone. One question."""
    left = [about for hold, about in standing(cursor, sealed=sealed).items() if hold not in besides]
    return Held(frozenset(case for case, _ in left if case), frozenset(person for _, person in left if person))


def standing(cursor: Any, *, sealed: bool = False) -> dict[str, tuple[str, str]]:
    """The holds in force by their ids, each with its case or its person, the other empty."""
    cursor.execute(SAID, [sealed])
    holds: dict[str, tuple[str, str]] = {}
    lifted: set[str] = set()
    for name, body in cursor.fetchall():
        with contextlib.suppress(ParseError):
            if name == "hold.set":
                hold, case, person = read_hold(bytes(body))
                holds[hold] = case, person
            else:
                lifted.add(read_lifted(bytes(body)))
    left = {hold: about for hold, about in holds.items() if hold not in lifted}
    # One with a zero byte is no id of ours, and the database takes none.
    return {hold: about for hold, about in left.items() if "\0" not in "".join(about)}


def held_bundles(cursor: Any, held: Held, bundles: Sequence[tuple[int, Sequence[bytes]]]) -> set[int]:
    """Which of these bundles, each a number and its entries, hold an entry of what is held."""
    if not held.cases | held.people:
        return set()
    read = [(number, body, _read(body)) for number, entries in bundles for body in entries]
    cases = held.cases
    if held.people:
        cursor.execute(NAMED_IN, [list(held.people), list({str(entry.get("case", "")) for _, _, entry in read})])
        cases |= {row[0] for row in cursor.fetchall()}
    return {number for number, body, entry in read if str(entry.get("case")) in cases or _names(body, entry, held)}


def _names(body: bytes, entry: dict[str, Any], held: Held) -> bool:
    """Whether a held person stands in its bytes; of bytes that cannot be read, whether a held case does."""
    looked_for = held.people if entry else held.people | held.cases
    return any(each.encode() in body for each in looked_for)


def _read(body: bytes) -> dict[str, Any]:
    """Nothing, of what cannot be read: one such entry must not keep all others from being cut."""
    try:
        return parse_entry(body)
    except ParseError:
        return {}


@contextlib.contextmanager
def nobody_sets_one(cursor: Any) -> Iterator[None]:
    """Hold the lock of whoever sets a hold, without a transaction: what is done meanwhile waits for a store.

    Raises:
        HoldsBusy: Somebody else has held it for half a minute; every login may.
    """
    cursor.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])
    try:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise HoldsBusy("Somebody has been setting a hold or erasing for half a minute.") from error
        raise
    finally:
        with contextlib.suppress(DatabaseError):
            cursor.execute("RESET lock_timeout")
    try:
        yield
    finally:
        with contextlib.suppress(DatabaseError):  # a connection that broke has let go of it
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
