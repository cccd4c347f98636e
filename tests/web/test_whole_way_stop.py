"""An emergency stop on a phone: an open access ended and read back, who is held up told whom to call, and lifted by two."""

import pytest
from playwright.sync_api import Browser, expect

from tests.faults.whole import House
from tests.web.walking import PHONE, Walker, picture, walking

pytestmark = pytest.mark.browser
WHY = "Somebody copies the whole warehouse."


def test_stop_ends_what_is_open_and_is_lifted_by_two(browser: Browser, house: House) -> None:
    with (
        walking(browser, house, "ann", PHONE) as ann,
        walking(browser, house, "mo", PHONE) as mo,
        walking(browser, house, "nora", PHONE) as nora,
    ):
        case = break_the_glass(ann)
        stop = start(mo)
        mo.sees("1 access ended and read back")
        ann.go(case)
        ann.sees("Ended, and the target confirmed it")
        is_held_up(ann)
        mo.page.get_by_label("Why can it be lifted?").fill("It was the nightly export.")
        mo.press("Ask to lift it")
        mo.sees("Another owner or administrator confirms it.")
        nora.sign_in("/")
        nora.page.get_by_role("link", name="Lift the emergency stop: Data warehouse").click()
        nora.press("Lift it, as the second person")
        nora.sees("Lifted by a second person")
        assert nora.page.url == stop
        nora.go("/sealed/")
        picture(nora.page, "sealed")
        ann.page.reload()
        expect(ann.page.get_by_role("button", name="Ask for access")).to_be_visible()


def break_the_glass(ann: Walker) -> str:
    """Open on a simulated target."""
    ann.sign_in("/requests/bypass/")
    ann.page.get_by_role("link", name="Data warehouse").click()
    ann.page.get_by_label("A service is down, or about to be").check()
    ann.page.get_by_label("What is wrong? One sentence is enough.").fill("The nightly load hangs.")
    ann.press("Break the glass now")
    expect(ann.page.get_by_role("button", name="Show the password")).to_be_visible(timeout=30_000)
    return ann.page.url


def start(mo: Walker) -> str:
    """From the home page: what it would end is seen before."""
    mo.sign_in("/stops/")
    mo.page.get_by_role("link", name="Data warehouse").click()
    mo.sees("Ends 1 open access now")
    mo.sees("Ann Berg: Data warehouse")
    picture(mo.page, "stop")
    mo.page.get_by_label("Why? One sentence.").fill(WHY)
    mo.press("Stop it now")
    expect(mo.page.get_by_role("heading", name="Emergency stop: Data warehouse")).to_be_visible(timeout=30_000)
    return mo.page.url


def is_held_up(ann: Walker) -> None:
    """What happened, what was kept, whom to call; and no form that could only be refused."""
    ann.go("/requests/new/")
    ann.page.get_by_role("link", name="Data warehouse").click()
    for said in (WHY, "What was kept:", "mo@breakglass.example"):
        ann.sees(said)
    expect(ann.page.get_by_role("button", name="Ask for access")).to_have_count(0)
