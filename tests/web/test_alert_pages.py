"""An alert as its recipient meets it, by keyboard: the link of a message, read by a scanner first, and the list of alerts."""

import pytest
from playwright.sync_api import Browser, expect

from portal.notifications.links import link_of
from portal.notifications.models import Alert
from tests.browsing import enter
from tests.portal.notifications.conftest import queue
from tests.web.looking import VARIANTS, fits, press, seen
from tests.worlds import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[3]


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
        press(page, page.get_by_role("button", name="I have seen it"))
        expect(page.get_by_text("It is recorded that the alert was seen")).to_be_visible()
        fits(page)
    assert (acknowledged(first), acknowledged(second)) == ("link", "")
    with seen(browser, WIDE, script=False) as page:
        enter(page, base, world.jon)
        page.goto(f"{base}/alerts/")
        press(page, page.get_by_role("button", name="I have seen it").first)
        expect(page.get_by_role("button", name="I have seen it")).to_have_count(0)
    assert acknowledged(second) == "page"
    with seen(browser, WIDE) as page:
        enter(page, base, world.ines)
        page.goto(f"{base}/alerts/")
        fits(page)
