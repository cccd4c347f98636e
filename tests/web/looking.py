"""Looking at pages as people see them: Chromium at two widths and in two themes, axe, sideways scroll, pictures."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from playwright.sync_api import Browser, Locator, Page, sync_playwright

Theme = Literal["light", "dark"]
ABOUT_COLOUR = ("color-contrast", "link-in-text-block")  # the rules of axe for which the theme matters


@dataclass(frozen=True)
class Variant:
    """One way of looking: a width in CSS pixels and a theme."""

    name: str
    width: int
    height: int
    theme: Theme


VARIANTS = tuple(
    Variant(f"{width}-{theme}", width, height, theme)
    for width, height in ((390, 844), (1280, 900))
    for theme in ("light", "dark")
)
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)


def chromium_path() -> str:
    """The Chromium of this machine: PORTAL_CHROMIUM, or the first one on the PATH.

    The shell without windows is the same engine and opens a page in a third of the time: whole browsers make the parts
    of their windows too.
    """
    named = os.environ.get("PORTAL_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not named:
        raise RuntimeError(
            "No Chromium was found. On Debian: apt-get install chromium-headless-shell fonts-dejavu-core"
        )
    return named


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium that speaks to nobody of its own accord."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def seen(
    browser: Browser, variant: Variant, *, script: bool = True, expected: str | tuple[str, ...] = (), **options: Any
) -> Iterator[Page]:
    """A page of its own, in one variant; its console errors (a broken policy of content too) fail the test.

    `expected`: words of console errors that belong to the story, such as an answer with status 409.
    """
    context = browser.new_context(
        viewport={"width": variant.width, "height": variant.height},
        color_scheme=variant.theme,
        java_script_enabled=script,
        reduced_motion="reduce",
        **options,
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        told = (expected,) if isinstance(expected, str) else expected
        unexpected = [text for text in complaints if not any(words in text for words in told)]
        assert unexpected == [], unexpected
    finally:
        context.close()


def reach(page: Page, there: Locator) -> None:
    """Press Tab until it is focused, as somebody without a mouse does.

    Raises:
        AssertionError: it never is.
    """
    for _ in range(200):
        if there.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{there} cannot be reached by keyboard")


def press(page: Page, there: Locator) -> None:
    """Reach a link, a button or a fold by keyboard, and press Enter."""
    reach(page, there)
    page.keyboard.press("Enter")


def write(page: Page, field: Locator, text: str) -> None:
    """Reach a field by keyboard, and write into it."""
    reach(page, field)
    page.keyboard.insert_text(text)


def axe(page: Page, *rules: str) -> None:
    """No violation of any rule that axe knows, best practices included, or of these rules only."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}  # the rest is not worked out
    if rules:
        options["runOnly"] = list(rules)
    if not page.evaluate("Boolean(window.axe)"):  # half a megabyte of script, sent once for each page
        page.evaluate(AXE_SCRIPT)
    # What else axe says of the page stays in the browser: to carry it out took as long as to find it.
    found = page.evaluate("options => axe.run(document, options).then(({violations}) => violations)", options)
    told = [
        f"{rule['id']}: {rule['help']}\n    {node['html'][:200]}\n    {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert not told, "\n".join(told)


def no_sideways_scroll(page: Page) -> None:
    """Nothing sticks out of the window; what scrolls inside its own box is named as well, unless it may (`.tabs`)."""
    wide = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
            .filter(e => !e.closest('.tabs, .visually-hidden, svg') && e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => e.outerHTML.slice(0, 160))"""
    )
    assert wide == [], wide
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def touchable(page: Page) -> None:
    """What is tapped is at least 44 px high; links in running text and in table cells may be smaller."""
    small = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, summary, select, input:not([type=hidden]), textarea')]
            .filter(e => e.checkVisibility() && !e.closest('p, td, th, dd, .choice, .skip, .banner')
                && e.getBoundingClientRect().height < 43.5)
            .map(e => `${Math.round(e.getBoundingClientRect().height)}px ${e.outerHTML.slice(0, 160)}`)"""
    )
    assert small == [], small


def fits(page: Page, *, everywhere: bool = False) -> None:
    """What was loaded once is accessible, within the window and large enough to be tapped: at each width, in both themes.

    At each width all is asked in one theme (light where it is narrow, dark where it is wide), and, `everywhere`, in
    the other what is about colour. The gallery has every component and is looked at everywhere: a page's colours
    come from components alone.
    """
    wrong = []
    for variant, checks in _ROUND if everywhere else _CROSSWISE:
        page.set_viewport_size({"width": variant.width, "height": variant.height})
        page.emulate_media(color_scheme=variant.theme, reduced_motion="reduce")
        for check in checks:
            try:
                check(page)
            except AssertionError as trouble:
                wrong.append(f"{page.url} at {variant.name}: {trouble}")
    assert wrong == [], "\n\n".join(wrong)


def _colours(page: Page) -> None:
    axe(page, *ABOUT_COLOUR)


_ALL: tuple[Callable[[Page], None], ...] = (axe, no_sideways_scroll, touchable)
_CROSSWISE = ((VARIANTS[0], _ALL), (VARIANTS[3], _ALL))
_ROUND = (_CROSSWISE[0], (VARIANTS[1], (_colours,)), _CROSSWISE[1], (VARIANTS[2], (_colours,)))


def shots(browser: Browser, url: str, folder: Path, name: str) -> list[Path]:
    """Pictures of one address in the four variants, `<name>-390-light.png` and so on."""
    taken = []
    for variant in VARIANTS:
        with seen(browser, variant) as page:
            page.goto(url, wait_until="networkidle")
            taken.append(folder / f"{name}-{variant.name}.png")
            page.screenshot(path=taken[-1], full_page=True)
    return taken


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing; the tests speak."""


@contextmanager
def served() -> Iterator[str]:
    """The portal with its static files on a free port, on the database of the test, if it has one."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(StaticFilesHandler(WSGIHandler()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
