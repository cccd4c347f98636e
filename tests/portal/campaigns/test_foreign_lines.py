"""A line of an attestation is there for those who may see the attestation, however it is asked for."""

import pytest

from tests.browsing import browser_of
from tests.portal.campaigns.attested import ready
from tests.worlds import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize(("name", "status"), [("zoe", 403), ("ben", 403), ("otto", 403), ("mo", 422)])
def test_line_that_comes_back_is_shown_to_who_may_see_it_alone(
    world: World, name: str, status: int, headers: dict[str, str]
) -> None:
    item = ready(world)
    answer = browser_of(world.people[name]).post(f"/campaigns/lines/{item.pk}/decide/", {}, headers=headers)
    assert (answer.status_code, "Ann" in answer.content.decode()) == (status, status == 422)
