"""What waits, what is owed and how it went, by keyboard and without script: the owner's first page, figures with their tables, signals,
the calendar."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.grants import actions, authorising, ending, opening
from portal.grants.models import Grant
from tests.browsing import enter
from tests.web.looking import VARIANTS, Variant, fits, press, seen
from tests.worlds import World, actor, make_world, opened, sealing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world() -> Iterator[World]:
    """One access that is over, and one bypass that is open."""
    made = make_world()
    with sealing():
        actions.give_back(by=actor(made.ann), grant=opened(made))
        ending.run(Grant.objects.get().pk)
        asked = made.asked("bypass", reason="Writes fail.", incident_ref="", intended_classes=(), category="")
        opening.run(authorising.bypass(by=actor(made.ann), privilege=made.privilege, asked=asked).pk)
        yield made


@pytest.mark.parametrize("variant", [VARIANTS[0], VARIANTS[3]], ids=lambda variant: variant.name)
def test_owner_sees_what_waits_and_how_it_went(browser: Browser, base: str, world: World, variant: Variant) -> None:
    with seen(browser, variant, script=False) as page:
        enter(page, base, world.mo)
        page.goto(base)
        expect(page.get_by_role("link", name="Ann: Billing Bypass")).to_be_visible()
        page.goto(f"{base}/figures/")
        table_of(page, "Uses by month, and how many by bypass")
        press(page, page.get_by_role("link", name="Signals", exact=True).last)
        expect(page.get_by_role("heading", name="Signals", level=1)).to_be_visible()
        page.goto(f"{base}/calendar/")
        expect(page.get_by_role("heading", name="Calendar", level=1)).to_be_visible()
    with seen(browser, variant) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/figures/")
        table_of(page, "Minutes from request to opening, half of the uses within")
        fits(page)


def table_of(page: Page, title: str) -> None:
    """The table under a chart says the same in numbers; it is opened by key."""
    card = page.get_by_role("region", name=title)
    expect(card.get_by_role("img", name=title)).to_be_visible()
    press(page, card.locator("summary"))
    expect(card.get_by_role("table", name=title)).to_be_visible()
