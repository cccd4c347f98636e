"""Parts of pages and forms that come back: no event beside their page, and no way to read without one."""

from datetime import timedelta

import pytest

from audit.log.append import clock, now_ms
from audit.log.read import named
from tests.browsing import browser_of
from tests.worlds import World, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def looks(world: World, name: str) -> list[str]:
    return [event.case for event in named(["page.viewed"]) if event.by == str(world.people[name].pk)]


@pytest.mark.parametrize("part", ["requests/{}/live/", "cases/{}/activity/", "cases/{}/activity/?mark=0-0"])
def test_part_without_its_page_is_a_look(world: World, part: str) -> None:
    case = str(request_of(world).pk)
    browser = browser_of(world.otto)
    for _ in range(3):
        assert browser.get(f"/{part.format(case)}").status_code in (200, 204)
    assert looks(world, "otto") == [case]


@pytest.mark.parametrize("part", ["requests/{}/live/", "cases/{}/activity/"])
def test_part_beside_its_page_is_none_even_a_quarter_later(world: World, part: str) -> None:
    case = str(request_of(world).pk)
    browser, later = browser_of(world.otto), now_ms() + timedelta(minutes=40) // timedelta(milliseconds=1)
    assert browser.get(f"/requests/{case}/").status_code == 200
    with clock(lambda: later):
        assert browser.get(f"/{part.format(case)}").status_code == 200
    assert looks(world, "otto") == [case]


def test_form_that_comes_back_with_its_page_is_a_look(world: World) -> None:
    case = str(request_of(world).pk)
    answer = browser_of(world.otto).post(f"/requests/{case}/decide/", {})
    assert (answer.status_code, "Disk at 98 percent" in answer.content.decode()) == (422, True)
    assert looks(world, "otto") == [case]
