"""Every component as people see it: two widths, two themes, with and without script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect

from tests.web.looking import VARIANTS, Variant, fits, no_sideways_scroll, seen, served, shots

pytestmark = pytest.mark.browser
PAGES = ["", "form/", "plain/", *[f"errors/{status}/" for status in (403, 404, 409, 422, 500, 503)]]
NARROW, WIDE = VARIANTS[0], VARIANTS[2]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": configured.TEMPLATES[0]["DIRS"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """Address of the gallery, served under the real policy of content, without people and database."""
    alone = override_settings(
        ROOT_URLCONF="tests.web.gallery_urls", MIDDLEWARE=["csp.middleware.CSPMiddleware"], TEMPLATES=TEMPLATES
    )
    with alone, served() as base:
        yield f"{base}/gallery/"


@pytest.mark.parametrize("page_name", PAGES)
def test_page_is_accessible_and_fits(browser: Browser, gallery: str, page_name: str) -> None:
    with seen(browser, NARROW, timezone_id="Europe/Berlin") as page:
        page.goto(gallery + page_name, wait_until="load")
        fits(page, everywhere=True)


def test_page_with_all_opened_is_accessible_and_fits(browser: Browser, gallery: str) -> None:
    with seen(browser, NARROW) as page:
        page.goto(gallery)
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
        fits(page, everywhere=True)


@pytest.mark.parametrize("variant", [NARROW, WIDE], ids=lambda variant: variant.name)
def test_page_without_script_says_the_same(browser: Browser, gallery: str, variant: Variant) -> None:
    with seen(browser, variant, script=False) as page:
        page.goto(gallery)
        no_sideways_scroll(page)
        expect(page.get_by_text("41 min", exact=True).or_(page.get_by_text("42 min", exact=True))).to_be_visible()
        expect(page.get_by_text("The glass is closed")).to_be_visible()
        expect(page.get_by_role("button", name="Copy Way in")).to_be_hidden()
        page.get_by_text("End this grant").click()
        expect(page.get_by_role("button", name="End it now")).to_be_visible()


def test_pictures_show_both_themes(browser: Browser, gallery: str, tmp_path: Path) -> None:
    taken = shots(browser, gallery, tmp_path, "gallery")
    assert [path.name for path in taken] == [f"gallery-{variant.name}.png" for variant in VARIANTS]
    assert len({path.read_bytes() for path in taken}) == len(VARIANTS)


def _paper(page: Page) -> int:
    """How bright the page is, 0 to 255."""
    red = re.search(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert red is not None
    return int(red[0])


def test_theme_follows_the_system_until_one_is_chosen(browser: Browser, gallery: str) -> None:
    with seen(browser, VARIANTS[3]) as page:
        page.goto(gallery)
        assert _paper(page) < 60
        page.get_by_role("button", name="Colours: as the system").click()
        assert _paper(page) > 200
        page.reload()
        assert _paper(page) > 200
        page.get_by_role("button", name="Colours: light").click()
        page.emulate_media(color_scheme="light")
        assert _paper(page) < 60
        page.get_by_role("button", name="Colours: dark").click()
        assert _paper(page) > 200


@pytest.mark.parametrize(
    ("zone", "beside"), [("Europe/Berlin", "18:25:09 CET"), ("Asia/Tokyo", "25 Nov, 02:25:09 GMT+9"), ("UTC", None)]
)
def test_moment_shows_the_zone_of_the_viewer(browser: Browser, gallery: str, zone: str, beside: str | None) -> None:
    with seen(browser, WIDE, timezone_id=zone) as page:
        page.goto(gallery)
        told = page.get_by_text("The target was asked at").inner_text()
        assert told == f"The target was asked at 24 Nov 2026, 17:25:09 UTC{f' {beside}' if beside else ''}."


def test_countdown_ticks_and_says_when_it_is_over(browser: Browser, gallery: str) -> None:
    with seen(browser, WIDE) as page:
        page.clock.install()
        page.goto(gallery)
        box = page.locator("[data-countdown]").nth(1)
        expect(box.locator("[data-left]")).to_have_text(re.compile(r"1 min 3\d s"))
        page.clock.run_for(40_000)
        expect(box.locator("[data-left]")).to_have_text(re.compile(r"5\d s"))
        expect(box.get_by_role("status")).to_have_text(re.compile(r"^(1 min|\d\d s) left$"))
        page.clock.run_for(60_000)
        expect(box.locator("[data-left]")).to_have_text("Time is up")
        expect(box.get_by_role("status")).to_have_text("Time is up")


def test_countdown_does_not_trust_the_clock_of_the_viewer(browser: Browser, gallery: str) -> None:
    with seen(browser, WIDE) as page:
        page.clock.install(time="2020-01-01T00:00:00Z")
        page.goto(gallery)
        expect(page.locator("[data-left]").first).to_have_text(re.compile("4[12] min"))


def test_copy_puts_the_line_on_the_clipboard(browser: Browser, gallery: str) -> None:
    with seen(browser, WIDE, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(gallery)
        page.get_by_role("button", name="Copy Way in").click()
        expect(page.get_by_role("button", name="Copied Way in")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("#way-in").inner_text()


def test_stepper_moves_within_its_limits(browser: Browser, gallery: str) -> None:
    with seen(browser, NARROW) as page:
        page.goto(gallery)
        minutes = page.get_by_label("Minutes")
        for button, then in (("More", "75"), ("Less", "60"), ("Less", "45")):
            page.get_by_role("button", name=button, exact=True).click()
            expect(minutes).to_have_value(then)
        minutes.fill("118")
        page.get_by_role("button", name="More", exact=True).click()
        expect(minutes).to_have_value("120")


def test_password_is_shown_and_hidden(browser: Browser, gallery: str) -> None:
    with seen(browser, NARROW) as page:
        page.goto(gallery + "plain/")
        password = page.get_by_label("Password")
        for kind in ("text", "password"):
            page.get_by_role("button", name="Show").click()
            expect(password).to_have_attribute("type", kind)


@pytest.mark.parametrize("link", ["Reason:", "Why is it an emergency?", "The owner has been told by phone:"])
def test_error_summary_has_the_focus_and_leads_to_the_field(browser: Browser, gallery: str, link: str) -> None:
    with seen(browser, NARROW) as page:
        page.goto(gallery + "form/")
        expect(page).to_have_title(re.compile("^Error: "))
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
        summary.get_by_role("link", name=link).click()
        label = link.rstrip(":")
        first = page.get_by_role("group", name=label).get_by_role("radio").first
        expect(first if "?" in link else page.get_by_label(label)).to_be_focused()


def test_keyboard_skips_to_the_content_and_closes_menus(browser: Browser, gallery: str) -> None:
    with seen(browser, WIDE) as page:
        page.goto(gallery)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        menu = page.get_by_text("Your menu")
        menu.locator("xpath=..").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_form_is_sent_once(browser: Browser, gallery: str) -> None:
    with seen(browser, WIDE) as page:
        page.goto(gallery + "plain/")
        page.get_by_label("Mail address").fill("ada@example.org")
        page.get_by_label("Password").fill("a long one")
        stopped = page.evaluate(
            """() => {
                const stopped = [];
                addEventListener('submit', (event) => {
                    stopped.push(event.defaultPrevented);
                    event.preventDefault();
                });
                const form = document.querySelector('main form');
                form.requestSubmit();
                form.requestSubmit();
                dispatchEvent(new Event('pageshow'));
                form.requestSubmit();
                return stopped;
            }"""
        )
        assert stopped == [False, True, False]


REFUSAL = (
    "<p data-error-sentence>Someone else ended it.</p><p data-error-kept>Nothing was <b>changed</b>.</p>"
    "<p data-error-todo>Look again.</p><img src=x onerror='document.title = 1'>"
)


def test_refusal_of_a_part_is_told_as_text(browser: Browser, gallery: str) -> None:
    # Some versions of Chromium say, while they read what is only read as text, that a handler in it would be blocked.
    with seen(browser, WIDE, expected=("409", "Executing inline event handler violates")) as page:
        page.goto(gallery + "plain/", wait_until="networkidle")
        page.route("**/part", lambda route: route.fulfill(status=409, content_type="text/html", body=REFUSAL))
        page.evaluate("htmx.ajax('GET', '/part', 'main h1').catch(() => null)")
        expect(page.locator("#messages")).to_have_text("Someone else ended it. Nothing was changed. Look again.")
        assert page.locator("#messages img, #messages b").count() == 0
        assert page.title() != "1"
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_poll_is_read_out_only_when_its_words_change(browser: Browser, gallery: str) -> None:
    told = iter(["Nobody yet", "Nobody yet", "Grace Hopper approved"])
    with seen(browser, WIDE) as page:
        page.goto(gallery + "plain/", wait_until="networkidle")
        page.route(
            "**/part",
            lambda route: route.fulfill(
                content_type="text/html", body=f'<h1 id="part" data-tell="{next(told)}">New</h1>'
            ),
        )
        voice = page.locator("#voice")
        for target in ("main h1", "#part"):
            page.evaluate("target => htmx.ajax('GET', '/part', {target, swap: 'outerHTML'})", target)
            expect(page.get_by_role("heading", name="New")).to_be_visible()
            assert voice.count() == 0
        page.evaluate("htmx.ajax('GET', '/part', {target: '#part', swap: 'outerHTML'})")
        expect(voice).to_have_text("Grace Hopper approved")
