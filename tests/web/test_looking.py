"""The helpers find what they are there to find."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.web.looking import VARIANTS, axe, fits, no_sideways_scroll, seen, touchable

pytestmark = pytest.mark.browser
GOOD = (
    "<!doctype html><html lang=en><title>T</title><meta name=viewport content='width=device-width'>"
    "<main><h1>Page</h1><button style='height:44px'>Do it</button></main>"
)


@pytest.mark.parametrize("look", [axe, no_sideways_scroll, touchable])
def test_good_page_is_let_through(browser: Browser, look: Callable[[Page], None]) -> None:
    with seen(browser, VARIANTS[0]) as page:
        page.set_content(GOOD)
        look(page)


@pytest.mark.parametrize(
    ("look", "fault", "told"),
    [
        (axe, "<main><p style='color:#bbb'>pale</p></main>", "color-contrast"),
        (axe, "<main><input></main>", "label"),
        (no_sideways_scroll, "<div style='width:500px'>wide</div>", "wide"),
        (touchable, "<button style='height:30px'>small</button>", "30px"),
    ],
    ids=["pale", "nameless", "wide", "small"],
)
def test_fault_is_found(browser: Browser, look: Callable[[Page], None], fault: str, told: str) -> None:
    with seen(browser, VARIANTS[0]) as page:
        page.set_content(GOOD + fault)
        with pytest.raises(AssertionError, match=told):
            look(page)


DARK = "<style>@media (prefers-color-scheme: dark) and (max-width: 500px) {{ p {{ {} }} }}</style><main><p>Words</p></main>"
WIDE = "<style>@media (min-width: 1000px) { p { color: #bbb } }</style><main><p>Words</p></main>"


@pytest.mark.parametrize(
    ("fault", "told"),
    [(DARK.format("color: #111; background: #222"), ["390-dark"]), (WIDE, ["1280-dark", "1280-light"])],
    ids=["dark and narrow", "wide"],
)
def test_fault_of_one_look_alone_is_found(browser: Browser, fault: str, told: list[str]) -> None:
    with seen(browser, VARIANTS[0]) as page:
        page.set_content(GOOD)
        fits(page, everywhere=True)
        page.set_content(GOOD + fault)
        with pytest.raises(AssertionError) as raised:
            fits(page, everywhere=True)
    assert re.findall(r" at (\S+): color-contrast", str(raised.value)) == told


@pytest.mark.parametrize(
    ("query", "told"), [("max-width: 500px", "390-light"), ("prefers-color-scheme: dark", "1280-dark")]
)
def test_quick_look_is_narrow_in_light_and_wide_in_dark(browser: Browser, query: str, told: str) -> None:
    with seen(browser, VARIANTS[0]) as page:
        page.set_content(
            f"{GOOD}<style>@media ({query}) {{ p {{ color: #777; background: #888 }} }}</style><p>Words</p>"
        )
        with pytest.raises(AssertionError) as raised:
            fits(page)
    assert re.findall(r" at (\S+): color-contrast", str(raised.value)) == [told]


def test_console_error_is_found(browser: Browser) -> None:
    look = seen(browser, VARIANTS[0])
    look.__enter__().evaluate("console.error('broken')")
    with pytest.raises(AssertionError, match="broken"):
        look.__exit__(None, None, None)
