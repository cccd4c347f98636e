"""One incident with many hands, a stop, and a new policy, walked by keyboard alone: on a phone and at a desk."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.access_requests.models import AccessRequest
from portal.policy.models import PolicyVersion
from portal.stops.models import Stop
from tests.browsing import enter
from tests.web.looking import VARIANTS, Variant, fits, press, reach, seen, write
from tests.worlds import REASON, World, make_world, sealing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PHONE, DESK = VARIANTS[0], VARIANTS[3]


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


def tick(page: Page, label: str | re.Pattern[str]) -> None:
    reach(page, page.get_by_label(label).first)
    page.keyboard.press("Space")


def button(page: Page, name: str) -> None:
    press(page, page.get_by_role("button", name=name, exact=True))


@pytest.mark.parametrize("variant", [PHONE, DESK], ids=["390", "1280"])
def test_incident_of_two_systems_that_a_colleague_joins(
    browser: Browser, world: World, base: str, variant: Variant
) -> None:
    make_world(slug="payments", on_target="payments_emergency", people=world.people)
    with seen(browser, variant, expected="404") as page:  # the timeline: nothing follows the log here
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/new/")
        press(page, page.get_by_role("link", name=re.compile("Several at once")))
        for system in ("Billing", "Payments"):
            tick(page, re.compile(f"^{system}: "))
        button(page, "Go on")
        write(page, page.get_by_label("Incident"), "INC-7")
        tick(page, "A service is down, or about to be")
        write(page, page.get_by_label("What is wrong, and what will you do?"), REASON)
        reach(page, page.get_by_label("What kind of trouble is it?"))
        page.keyboard.press("ArrowDown")
        tick(page, "Read data")
        button(page, "Ask for all of them")
        expect(page.get_by_role("heading", level=1)).to_have_text("Incident INC-7")
        enter(page, base, world.ben)
        page.goto(f"{base}/incidents/?ref=INC-7")
        card = page.get_by_role("region", name="Work on Billing too")
        write(page, card.get_by_role("textbox"), "I look at the queue while Ann looks at the disk.")
        press(page, card.get_by_role("button", name="Join"))
        expect(page.get_by_text("Waiting for one yes from Ines or Jon.").first).to_be_visible()
        enter(page, base, world.ines)
        page.goto(f"{base}/incidents/?ref=INC-7")
        button(page, "Approve those that are ticked")
        expect(page.get_by_role("heading", name="Your decision")).to_have_count(0)
    made = AccessRequest.objects.filter(incident_ref="INC-7")
    assert sorted((each.responder.name, each.system.name) for each in made) == [
        ("Ann", "Billing"), ("Ann", "Payments"), ("Ben", "Billing"),
    ]  # fmt: skip
    assert {each.state for each in made} == {"approved"}


def test_stop_at_a_desk_is_lifted_by_two(browser: Browser, world: World, base: str) -> None:
    with seen(browser, DESK) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/stops/")
        press(page, page.get_by_role("link", name=re.compile("^Billing")))
        write(page, page.get_by_label("Why? One sentence."), "Somebody copies the whole of it.")
        button(page, "Stop it now")
        expect(page.get_by_role("heading", name="Emergency stop: Billing")).to_be_visible(timeout=15_000)
        write(page, page.get_by_label("Why can it be lifted?"), "It was the nightly export.")
        button(page, "Ask to lift it")
        expect(page.get_by_text("Another owner or administrator confirms it.")).to_be_visible()
        address = page.url
        enter(page, base, world.pia)
        page.goto(address)
        button(page, "Lift it, as the second person")
        expect(page.get_by_text("Lifted by a second person")).to_be_visible()
        fits(page)
    assert (Stop.objects.get().lifted_by, Stop.objects.get().lift_asked_by) == (world.pia, world.mo)


@pytest.mark.parametrize(("writing", "agreeing"), [(DESK, PHONE), (PHONE, DESK)], ids=["1280-390", "390-1280"])
def test_policy_is_proposed_and_its_differences_are_agreed_to(
    browser: Browser, world: World, base: str, writing: Variant, agreeing: Variant
) -> None:
    with seen(browser, writing) as page:
        enter(page, base, world.pia)
        page.goto(f"{base}/policies/{world.system.pk}/")
        press(page, page.get_by_role("link", name="Write a new version"))
        longest = page.locator("[name=max_grant_minutes]")
        reach(page, longest)
        longest.press("Control+a")
        page.keyboard.insert_text("180")
        button(page, "Propose this version")
        expect(page.get_by_text("You wrote it, so somebody else must agree.")).to_be_visible()
        expect(page.get_by_role("button", name="Agree: bring it into force")).to_have_count(0)
        address = page.url
        page.set_viewport_size({"width": agreeing.width, "height": agreeing.height})
        enter(page, base, world.quinn)
        page.goto(address)
        expect(page.get_by_role("region", name="What it changes")).to_contain_text("Looser")
        button(page, "Agree: bring it into force")
        expect(page.get_by_text(re.compile("written by Pia, agreed to by Quinn"))).to_be_visible()
    assert PolicyVersion.objects.get(number=2).approved_by == world.quinn
