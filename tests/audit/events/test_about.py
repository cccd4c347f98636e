"""Every personal field has its place in the table of whom it is about, and every way of the table leads somewhere."""

import pytest

from audit.cases.presenters.spec import PEOPLE
from audit.events import catalogue
from audit.events.about import ABOUT, BY, CASE, ways

PERSONAL = {(name, field) for name, event in catalogue.items() for field in event.personal}


def test_every_personal_field_is_placed_and_nothing_else_is() -> None:
    assert {(name, field) for name, fields in ABOUT.items() for field in fields} == PERSONAL


@pytest.mark.parametrize(
    ("name", "way"),
    sorted({(name, way) for name, fields in ABOUT.items() for found in fields.values() for way in found}),
)
def test_every_way_is_the_actor_the_case_or_a_field_that_names_people(name: str, way: str) -> None:
    declared = catalogue[name].by_name
    assert way in (BY, CASE) or (way in PEOPLE and not declared[way].personal and declared[way].kind in ("id", "list"))


def test_name_of_the_actor_is_placed_for_every_event() -> None:
    assert ways()[0] == ("", "by_name", BY)
