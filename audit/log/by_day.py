"""How the log grew, and how it was anchored outside, day by day (UTC): for figures. It proves nothing: see ``checkpoints.py``."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

SIZES = """
SELECT coalesce(c.size, 0) FROM unnest(%s::bigint[]) WITH ORDINALITY AS day(ends, place)
LEFT JOIN LATERAL (SELECT size FROM audit_checkpoint WHERE signed_at < day.ends ORDER BY signed_at DESC, size DESC LIMIT 1) c ON true
ORDER BY day.place
"""
ANCHORED = """
SELECT at / %(day)s, name, witness, count(DISTINCT at / %(hour)s) FROM (
  SELECT at, name, fields ->> 'witness' AS witness, fields ->> 'ok' AS ok FROM (
    SELECT at, name, convert_from(body, 'UTF8')::json -> 'fields' AS fields FROM audit_event
    WHERE name IN ('log.witnessed', 'log.timestamped') AND at >= %(from_at)s AND at < %(to_at)s
  ) AS said
) AS each WHERE name = 'log.timestamped' OR ok = '1'
GROUP BY GROUPING SETS ((1, 2, 3), (1, 2)) HAVING GROUPING(witness) = 1 OR witness IS NOT NULL ORDER BY 1, 2, 3
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
    """What the log says of each of these days, which follow one another. One query."""
    given = {"day": DAY_MS, "hour": HOUR_MS, "from_at": days[0], "to_at": days[-1] + DAY_MS}
    with connection.cursor() as cursor:
        cursor.execute(ANCHORED, given)
        rows = cursor.fetchall()
    return [_of_day([row[1:] for row in rows if row[0] * DAY_MS == day]) for day in days]


def _of_day(rows: Sequence[tuple[str, str | None, int]]) -> Anchored:
    in_all = {name: hours for name, witness, hours in rows if witness is None}
    by_witness = {witness: hours for _, witness, hours in rows if witness is not None}
    return Anchored(in_all.get("log.witnessed", 0), by_witness, in_all.get("log.timestamped", 0))
