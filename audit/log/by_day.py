"""How the log grew, and how it was anchored outside, day by day (UTC): for figures. It proves nothing: see ``checkpoints.py``."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection

from audit.log.read import each_named

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WITNESSED, STAMPED = "log.witnessed", "log.timestamped"

SIZES = """
SELECT coalesce(c.size, 0) FROM unnest(%s::bigint[]) WITH ORDINALITY AS day(ends, place)
LEFT JOIN LATERAL (SELECT size FROM audit_checkpoint WHERE signed_at < day.ends ORDER BY signed_at DESC, size DESC LIMIT 1) c ON true
ORDER BY day.place
"""


@dataclass(frozen=True)
class Anchored:
    """In how many hours of a day any witness cosigned and its line verified, how many by each of them, and in how many a timestamp was given."""

    witnessed: int
    by_witness: dict[str, int]
    timestamped: int


NOT_AT_ALL = Anchored(0, {}, 0)


def last_days(at: int, count: int) -> list[int]:
    """When (ms) each of so many days begins, the last of them that of ``at``."""
    today = at // DAY_MS
    return [day * DAY_MS for day in range(today - count + 1, today + 1)]


def sizes(days: Sequence[int]) -> list[int]:
    """How many entries were under a checkpoint when each of these days ended. One query."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, [[day + DAY_MS for day in days]])
        return [int(row[0]) for row in cursor.fetchall()]


def anchored(days: Sequence[int]) -> list[Anchored]:
    """What the log says of each of these days, which follow one another. An entry that cannot be read says nothing."""
    hours: dict[tuple[int, str, str], set[int]] = defaultdict(set)
    for each in each_named([WITNESSED, STAMPED], days[0]):
        if each.name == STAMPED or each.fields["ok"]:
            hours[each.at // DAY_MS, each.name, each.fields.get("witness", "")].add(each.at // HOUR_MS)
    return [_of_day({key[1:]: found for key, found in hours.items() if key[0] * DAY_MS == day}) for day in days]


def _of_day(hours: Mapping[tuple[str, str], set[int]]) -> Anchored:
    by_witness = {witness: len(found) for (name, witness), found in sorted(hours.items()) if name == WITNESSED}
    witnessed = set[int]().union(*(found for (name, _), found in hours.items() if name == WITNESSED))
    return Anchored(len(witnessed), by_witness, len(hours.get((STAMPED, ""), ())))
