"""Reviews as people see and fill them in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.reviews.models import Review
from portal.reviews.questions import questions
from tests.factories import client_of, code_of
from tests.portal.reviews.used import due, submitted, taken
from tests.web.looking import VARIANTS, Variant, axe, no_sideways_scroll, seen, served, touchable
from tests.worlds import World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[2]


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def base() -> Iterator[str]:
    with served() as address:
        yield address


def enter(page: Page, base: str, world: World, who: str) -> None:
    """Sign somebody in, by the cookie of a browser that went through the real pages."""
    cookie = client_of(world.people[who], f"{who}-password-long").cookies["breakglass"]
    page.context.add_cookies([{"name": "breakglass", "value": cookie.value, "url": base}])


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_pages_are_accessible_and_fit(browser: Browser, base: str, world: World, variant: Variant, tmp_path: Path) -> None:
    mine, waiting, done = taken(world), due(world, by="ben", mode="bypass"), submitted(world, "kim", by="ben")
    pages = {"list": "/reviews/", "done": "/reviews/?show=done", "mine": f"/reviews/{mine.pk}/", "waiting": f"/reviews/{waiting.pk}/", "submitted": f"/reviews/{done.pk}/"}
    with seen(browser, variant, expected="404") as page:
        enter(page, base, world, "kim")
        for name, path in pages.items():
            page.goto(base + path, wait_until="networkidle")
            page.screenshot(path=tmp_path / f"review-{name}-{variant.name}.png", full_page=True)
            axe(page)
            no_sideways_scroll(page)
            touchable(page)
