"""Events of one millisecond are read in the order in which they were written, whatever the place of their rows."""

import pytest
from django.db import connection, transaction

from audit.log.append import Entry, append_many
from audit.log.read import LoggedEvent, named, of_case, of_cases, of_subject
from tests.audit.log.logged import TEST, sealed

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = {"person_id": "p", "name": "Ada Lovelace", "email": "ada@example.org"}
COUNT = 40


@pytest.mark.parametrize("seal", [False, True], ids=["waiting", "sealed"])
def test_events_of_one_millisecond_are_read_as_they_were_written(*, seal: bool) -> None:
    entries = [Entry("person.added", TEST, dict(FIELDS), "a case", "a subject", at=7) for _ in range(COUNT)]
    with transaction.atomic():
        written = append_many(entries)
    if seal:
        sealed()
    with connection.cursor() as cursor:
        cursor.execute("CLUSTER audit_event USING audit_event_pkey")  # by their random ids
    read: list[list[LoggedEvent]] = [
        named(["person.added"])[:COUNT], of_case("a case"), of_case("a case", ["person.added"]), of_cases(["a case"], ["person.added"]),
        of_subject("a subject"), of_subject("a subject", ["person.added"]),
    ]  # fmt: skip
    assert [[each.id for each in some] for some in read] == [written] * len(read)
