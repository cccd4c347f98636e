"""Events are read in the order in which they were written, whatever the place of their rows, and what is cut off is what is oldest."""

import pytest
from django.db import connection, transaction

from audit.log.append import Entry, append_many
from audit.log.read import PORTION, LoggedEvent, each_named, named, of_case, of_cases, of_subject
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
        of_subject("a subject"), of_subject("a subject", ["person.added"]), list(each_named(["person.added"]))[:COUNT],
    ]  # fmt: skip
    assert [[each.id for each in some] for some in read] == [written] * len(read)


def test_more_than_a_portion_is_read_whole_and_of_a_subject_the_newest_stay() -> None:
    count = PORTION + 5
    with transaction.atomic():
        written = append_many(
            Entry("person.added", TEST, dict(FIELDS), subject="a subject", at=100 + number) for number in range(count)
        )
    assert [each.id for each in each_named(["person.added"])] == written
    assert [each.id for each in each_named(["person.added"], since=100 + count - 2)] == written[-2:]
    assert [each.id for each in named(["person.added"])] == written
    assert [each.id for each in of_subject("a subject", limit=3)] == written[-3:]
    assert [each.id for each in of_subject("a subject", ["person.added"], limit=2, upto=110)] == written[9:11]
    assert of_subject("a subject", ["person.left"]) == []
