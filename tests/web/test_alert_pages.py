"""An alert as its recipient meets it, by keyboard: the link of a message, read by a scanner first, and the list of alerts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from portal.notifications.links import link_of
from portal.notifications.models import Alert
from tests.browsing import enter
from tests.portal.notifications.conftest import queue
from tests.web.looking import VARIANTS, fits, seen, served
from tests.worlds import World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[3]


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def base() -> Iterator[str]:
    with served() as address:
        yield address


def acknowledged(alert: Alert) -> str:
    alert.refresh_from_db()
    return alert.acknowledged_over if alert.acknowledged_at else ""


def test_link_of_a_message_wants_one_press_and_no_sign_in(browser: Browser, base: str, world: World) -> None:
    first, second = queue(world, "ines", "jon")
    path = base + "/" + link_of(first).split("/", 3)[3]
    with seen(browser, NARROW) as page:
        page.goto(path)
        assert acknowledged(first) == ""  # looking, as a scanner does, says nothing
        fits(page)
        page.keyboard.press("Tab")  # the way past what is on every page
        page.get_by_role("button", name="I have seen it").press("Enter")
        expect(page.get_by_text("It is recorded that the alert was seen")).to_be_visible()
        fits(page)
    assert (acknowledged(first), acknowledged(second)) == ("link", "")
    with seen(browser, WIDE, script=False) as page:
        enter(page, base, world.jon)
        page.goto(f"{base}/alerts/")
        page.get_by_role("button", name="I have seen it").first.press("Enter")
        expect(page.get_by_role("button", name="I have seen it")).to_have_count(0)
    assert acknowledged(second) == "page"
    with seen(browser, WIDE) as page:
        enter(page, base, world.ines)
        page.goto(f"{base}/alerts/")
        fits(page)
