"""What forms of systems and lists say of what stands already."""

import pytest

from portal.eligibility.forms import EligibilityForm
from portal.people.models import Person
from portal.systems.forms import PostgreSQLForm
from portal.systems.models import System
from tests.worlds import World, make_world


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.mark.parametrize(("secret", "stays"), [(None, False), (b"kept", True)])
def test_only_a_password_that_there_is_can_stay(secret: bytes | None, stays: bool) -> None:
    present = System(owner=Person(name="Mo"), connector="postgresql", settings={}, secret=secret)
    for form, expected in ((PostgreSQLForm(people=Person.objects.none()), False),
                           (PostgreSQLForm(people=Person.objects.none(), present=present), stays)):  # fmt: skip
        assert ("it stays as it is" in form.fields["password"].help_text) is expected


def test_privilege_is_chosen_with_its_system(world: World) -> None:
    form = EligibilityForm(people=Person.objects.none(), systems=[world.system])
    choices = form.fields["privilege"].choices  # type: ignore[attr-defined]  # a choice field
    assert [words for _, words in choices] == ["Choose one", "Billing: Billing emergency"]
