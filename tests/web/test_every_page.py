"""The sweep over all pages: each one that the portal has, as somebody who may see it, in both themes and widths."""

import time

import pytest
from django.test import override_settings
from django.urls import reverse
from playwright.sync_api import Browser

from tests.architecture.authorisation import rows
from tests.counting import Count
from tests.faults.whole import House
from tests.web.every_page import NOT_PAGES, PAGES, Furnished
from tests.web.looking import VARIANTS, fits, seen

pytestmark = pytest.mark.browser
EVERY_URL = "tests.architecture.every_url"


def test_every_address_that_answers_get_is_looked_at_or_no_page() -> None:
    answering = {row.name for row in rows() if row.method == "GET"}
    assert set(PAGES) | set(NOT_PAGES) == answering
    assert set(PAGES) & set(NOT_PAGES) == set()


def test_every_page_is_accessible_and_fits(browser: Browser, house: House, count: Count) -> None:
    began, furnished = time.monotonic(), Furnished(house)
    try:
        with override_settings(ROOT_URLCONF=EVERY_URL):
            looks = [
                (who, reverse(name, kwargs=furnished.things[thing]) + query)
                for name, visits in PAGES.items()
                for who, thing, query in visits
            ]
        wrong = [
            told
            for who in dict.fromkeys(who for who, _ in looks)
            for told in look(browser, furnished, who, [path for each, path in looks if each == who])
        ]
    finally:
        furnished.leave()  # others go on in this house, and a receiver that answers nothing would hold their alerts
    count(
        f"axe: {len(PAGES)} pages, {len(looks)} looks, each at 390 px light and 1280 px dark, {len(wrong)} with trouble, {time.monotonic() - began:.0f} s"
    )
    assert wrong == [], "\n\n".join(wrong)


def look(browser: Browser, furnished: Furnished, who: str, paths: list[str]) -> list[str]:
    """What is wrong with these pages as this one sees them."""
    house, wrong = furnished.house, []
    with seen(browser, VARIANTS[0]) as page:
        cookies = [
            {"name": each.name, "value": each.value or "", "url": house.url} for each in furnished.visitor(who).jar
        ]
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # plain cookies
        for path in paths:
            page.goto(house.url + path, wait_until="load")
            assert page.url == house.url + path, f"{who} was sent from {path} to {page.url}"
            try:
                fits(page)
            except AssertionError as trouble:
                wrong.append(f"As {who}, {trouble}")
    return wrong
