"""How the log grew and was anchored, day by day: counted from checkpoints and from what the log says."""

import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.log import by_day
from audit.log.append import append, clock, process
from audit.log.by_day import DAY_MS, HOUR_MS, NOT_AT_ALL, Anchored
from audit.log.models import StoredCheckpoint

pytestmark = pytest.mark.django_db
AT = 20_000 * DAY_MS + 5 * HOUR_MS
DAYS = by_day.last_days(AT, 3)


def said(name: str, day: int, hour: float, **fields: Any) -> None:
    with clock(lambda: DAYS[day] + round(hour * HOUR_MS)), transaction.atomic():
        append(name, by=process("anchors"), **fields)


def witnessed(day: int, hour: float, witness: str = "w1", *, ok: bool = True) -> None:
    said("log.witnessed", day, hour, witness=witness, size=1, at=1, ok=ok)


def stamped(day: int, hour: float) -> None:
    said("log.timestamped", day, hour, size=1, sha256="aa", token_sha256="bb", authority="CN=Times", at=1)


def test_days_end_with_that_of_the_time() -> None:
    assert DAYS == [19_998 * DAY_MS, 19_999 * DAY_MS, 20_000 * DAY_MS]


def test_size_at_the_end_of_a_day_is_that_of_the_last_checkpoint_before() -> None:
    assert by_day.sizes(DAYS) == [0, 0, 0]
    for size, at in ((3, DAYS[0] - 1), (5, DAYS[1] - 1), (7, DAYS[1]), (8, DAYS[2] - 1), (9, DAYS[2] + DAY_MS)):
        StoredCheckpoint.objects.create(size=size, root=bytes(32), note="", signed_at=at)
    assert by_day.sizes(DAYS) == [5, 8, 8]


def test_hours_are_counted_once_by_witness_and_by_any_of_them_and_no_line_that_does_not_verify() -> None:
    assert by_day.anchored(DAYS) == [NOT_AT_ALL] * 3
    for day, hour in ((0, 0), (0, 0.9), (0, 1), (2, 23.9), (1, -0.1)):
        witnessed(day, hour)
    witnessed(0, 0.5, "w2")
    witnessed(0, 7, "w2")
    witnessed(0, 9, ok=False)
    witnessed(0, -0.1)
    witnessed(2, 24)
    stamped(0, 3)
    stamped(0, 3.5)
    stamped(1, 4)
    with CaptureQueriesContext(connection) as asked:
        found = by_day.anchored(DAYS)
    assert found == [Anchored(4, {"w1": 3, "w2": 2}, 1), Anchored(0, {}, 1), Anchored(1, {"w1": 1}, 0)]
    assert len(asked) == 1


@pytest.mark.parametrize("body", [b"x", b"\xff", b'{"fields":{"witness":"\\u0000"}}'])
def test_an_entry_that_cannot_be_read_says_nothing_and_takes_no_page_away(body: bytes) -> None:
    witnessed(0, 1)
    insert = "INSERT INTO audit_event (id, name, at, by, \"case\", subject, body) VALUES (%s, 'log.witnessed', %s, 'x', '', '', %s)"
    with connection.cursor() as cursor:
        cursor.execute(insert, [uuid.uuid4(), DAYS[1], body])
    assert by_day.anchored(DAYS) == [Anchored(1, {"w1": 1}, 0), NOT_AT_ALL, NOT_AT_ALL]
