"""Where the log begins: the minimum index (C2SP tlog-tiles, "Pruning") that a sealed ``log.cut`` says, 0 while nothing was cut.

Below it the hashes of all entries stay, and so every proof; the entries themselves are gone, but for those that say what is in force and
those of cases that go on above it.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from audit.log.errors import ParseError
from audit.log.said import Cut, Decision, decided_by_two, read_cut, read_decision

SAID = """
SELECT e.name, s."index", e.body FROM audit_event e JOIN audit_sealed_entry s ON s.event_id = e.id
WHERE e.name IN ('log.cut', 'cut.proposed', 'cut.approved') AND s."index" < %s
"""
# How many entries are held from each minimum to the next.
HELD = """
SELECT m, (SELECT count(*) FROM audit_sealed_entry WHERE "index" >= x.before AND "index" < x.m)
FROM (SELECT m, lag(m, 1, 0::bigint) OVER (ORDER BY m) AS before FROM unnest(%s::bigint[]) AS u (m)) x ORDER BY m
"""
# Somebody may look at what is left of a case after its cut: such an entry does not bring it back.
GONE = (
    "SELECT id FROM unnest(%s::text[]) AS c (id) WHERE NOT EXISTS ("
    """SELECT FROM audit_event e WHERE e."case" = c.id AND e.name = 'request.made')"""
)
ALL = 2**62


def said_cuts(cursor: Any = None, *, below: int = ALL) -> list[Cut]:
    """What cuts events say that are sealed below an index, the lowest minimum first.

    One that contradicts itself, speaks of what came after it, or that not two people decided on in entries of their own, is passed over; so
    nothing that was sealed ends a reader. The database's trigger asks the same.
    """
    if cursor is None:
        with connections[DEFAULT_DB_ALIAS].cursor() as own:
            return said_cuts(own, below=below)
    said, words = _said(cursor, below)
    return sorted(cut for cut in said if cut.minimum <= cut.place and decided_by_two(cut, words))


def decisions(cursor: Any) -> list[Decision]:
    """Each sealed word of one person for a cut; what cannot be read is passed over."""
    return _said(cursor, ALL)[1]


def _said(cursor: Any, below: int) -> tuple[list[Cut], list[Decision]]:
    cursor.execute(SAID, [below])
    cuts: list[Cut] = []
    words: list[Decision] = []
    for name, place, body in cursor.fetchall():
        with contextlib.suppress(ParseError):
            if name == "log.cut":
                cuts.append(read_cut(bytes(body), place))
            else:
                words.append(read_decision(bytes(body), place))
    return cuts, words


def minimum_index(cursor: Any = None, *, below: int = ALL) -> int:
    """The minimum index, as events say that are sealed below an index."""
    return max((cut.minimum for cut in said_cuts(cursor, below=below)), default=0)


def begins_at() -> int:
    """The index from which on the database holds every entry: that of the last cut whose entries went, though a later one be said."""
    minimums = sorted({cut.minimum for cut in said_cuts()})
    if not minimums:
        return 0
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(HELD, [minimums])
        counted = cursor.fetchall()
    begins = held = 0
    for minimum, count in counted:
        held += count
        if held < minimum - begins:
            begins, held = minimum, 0
    return begins


def carried_out() -> list[Cut]:
    """The cuts whose entries are gone, the lowest minimum first, each as it was said first."""
    begins = begins_at()
    by_minimum: dict[int, Cut] = {}
    for cut in said_cuts():
        if cut.minimum <= begins:
            by_minimum.setdefault(cut.minimum, cut)
    return list(by_minimum.values())


def cases_gone(cases: Iterable[str]) -> set[str]:
    """Which of these cases have lost the entry with which every case begins; all others of theirs went with it."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(GONE, [list(cases)])
        return {row[0] for row in cursor.fetchall()}


def last_cut() -> tuple[int, int] | None:
    """When (ms) the log was last cut, and its minimum index since."""
    found = said_cuts()
    last = [cut for cut in found if cut.minimum == found[-1].minimum]
    return (last[0].at, last[0].minimum) if last else None
