"""Events are read in the order in which they were written, whatever the place of their rows, and what is cut off is what is oldest."""

import pytest
from django.db import connection, transaction

from audit.log.append import Entry, append_many
from audit.log.read import PORTION, LoggedEvent, each_named, named, newest_of_case, of_case, of_cases, of_subject
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
            Entry("person.added", TEST, dict(FIELDS), "a case", "a subject", at=100 + number) for number in range(count)
        )
    assert [each.id for each in each_named(["person.added"])] == written
    assert [each.id for each in each_named(["person.added"], since=100 + count - 2)] == written[-2:]
    assert [each.id for each in named(["person.added"])] == written
    assert [each.id for each in of_subject("a subject", limit=3)] == written[-3:]
    assert [each.id for each in of_subject("a subject", ["person.added"], limit=2, upto=110)] == written[9:11]
    assert of_subject("a subject", ["person.left"]) == []
    assert [each.id for each in of_case("a case", limit=3)] == written[-3:]
    assert [each.id for each in of_cases(["a case", "another"], ["person.added"], limit=3)] == written[-3:]


def test_case_is_read_from_its_newest_entry_back_and_below_an_index() -> None:
    entries = [Entry("person.added", TEST, dict(FIELDS), "a case", at=100 + number) for number in range(5)]
    with transaction.atomic():
        first = append_many(entries)
    sealed()
    with transaction.atomic():
        waiting = append_many([Entry("person.left", TEST, {"person_id": "p", "left_at": 1}, "a case", at=200)])
    found = newest_of_case("a case")
    assert [each.id for each in found] == [*waiting, *reversed(first)]
    assert [each.id for each in newest_of_case("a case", ["person.added"], limit=2)] == [first[4], first[3]]
    below = newest_of_case("a case", before=found[3].index)
    assert [each.id for each in below] == [first[1], first[0]]
