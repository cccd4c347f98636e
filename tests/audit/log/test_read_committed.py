"""What was laid beside an entry afterwards, and is not committed to in its bytes, is read by nobody."""

import pytest

from audit.cases.reading import record_of
from audit.log.models import Event, PersonalValue
from audit.log.read import of_case
from tests.worlds import make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_value_without_a_commitment_is_not_read() -> None:
    case = request_of(make_world()).pk
    event = Event.objects.get(case=str(case), name="request.made")
    PersonalValue.objects.create(event=event, field="comment", salt=bytes(32), value="Approved by the board.")
    read = [*of_case(case, ["request.made"]), *(each for each in record_of(case).events if each.name == "request.made")]  # type: ignore[union-attr]  # it was made
    assert [("comment" in each.personal, each.says("reason")[:4]) for each in read] == [
        (False, "Disk"),
        (False, "Disk"),
    ]


def test_value_in_the_place_of_an_erased_one_is_not_read() -> None:
    case = request_of(make_world()).pk
    event = Event.objects.get(case=str(case), name="request.made")
    PersonalValue.objects.filter(event=event, field="reason").delete()
    PersonalValue.objects.create(event=event, field="reason", salt=bytes(32), value="Something else.")
    read = [*of_case(case, ["request.made"]), *(each for each in record_of(case).events if each.name == "request.made")]  # type: ignore[union-attr]  # it was made
    assert [each.says("reason") for each in read] == ["(erased)", "(erased)"]
