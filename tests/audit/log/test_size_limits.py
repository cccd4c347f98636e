"""The database takes no row of the log that is larger than what our own writer makes."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit.log.canonical import MAX_BYTES
from audit.sources.follower import LONGEST_LINE

pytestmark = pytest.mark.django_db
EVENT = "INSERT INTO audit_event (id, name, at, by, \"case\", subject, body) VALUES (%s, 'x', 0, 'x', '', '', %s)"
VALUE = "INSERT INTO audit_personal_value (event_id, field, salt, value) VALUES (%s, 'x', %s, repeat('x', %s))"


@pytest.mark.parametrize(
    ("statement", "fits", "does_not"),
    [
        (EVENT, [b"x" * MAX_BYTES], [b"x" * (MAX_BYTES + 1)]),
        (VALUE, [b"x" * 32, 1], [b"x" * 33, 1]),
        (VALUE, [b"x" * 32, LONGEST_LINE], [b"x" * 32, LONGEST_LINE + 1]),
    ],
    ids=["body", "salt", "value"],
)
def test_the_database_refuses_what_no_writer_makes(statement: str, fits: list[Any], does_not: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [uuid.uuid4(), *fits])
        with pytest.raises(IntegrityError, match="_size"), transaction.atomic():
            cursor.execute(statement, [uuid.uuid4(), *does_not])
