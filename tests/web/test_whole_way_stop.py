"""An emergency stop by keyboard alone, on a phone and at a desk: an open access ended and read back, who is held up told whom to call, and lifted by two."""

import pytest
from playwright.sync_api import Browser, expect

from tests.faults.whole import House
from tests.web.looking import press, reach, write
from tests.web.walking import DESK, PHONE, Walker, picture, walking

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
        say(mo, "Why can it be lifted?", "It was the nightly export.", "Ask to lift it")
        mo.sees("Another owner or administrator confirms it.")
        nora.sign_in("/")
        press(nora.page, nora.page.get_by_role("link", name="Lift the emergency stop: Data warehouse"))
        press_at_both_widths(nora, "Lift it, as the second person")
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
    press(mo.page, mo.page.get_by_role("link", name="Data warehouse"))
    mo.sees("Ends 1 open access now")
    mo.sees("Ann Berg: Data warehouse")
    picture(mo.page, "stop")
    say(mo, "Why? One sentence.", WHY, "Stop it now")
    expect(mo.page.get_by_role("heading", name="Emergency stop: Data warehouse")).to_be_visible(timeout=30_000)
    return mo.page.url


def say(walker: Walker, field: str, text: str, button: str) -> None:
    """Write into a field and send it, by keyboard."""
    write(walker.page, walker.page.get_by_label(field), text)
    press_at_both_widths(walker, button, field)


def press_at_both_widths(walker: Walker, button: str, field: str = "") -> None:
    """Reach a button at the phone's width, then the field and the button once more at a desk's, and press it there."""
    page, there = walker.page, walker.page.get_by_role("button", name=button, exact=True)
    reach(page, there)
    page.set_viewport_size({"width": DESK.width, "height": DESK.height})
    there.evaluate("each => each.blur()")
    if field:
        reach(page, page.get_by_label(field))
    press(page, there)
    page.set_viewport_size({"width": PHONE.width, "height": PHONE.height})


def is_held_up(ann: Walker) -> None:
    """What happened, what was kept, whom to call; and no form that could only be refused."""
    ann.go("/requests/new/")
    ann.page.get_by_role("link", name="Data warehouse").click()
    for said in (WHY, "What was kept:", "mo@breakglass.example"):
        ann.sees(said)
    expect(ann.page.get_by_role("button", name="Ask for access")).to_have_count(0)
