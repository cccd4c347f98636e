"""A rota as people see it: set up, swapped and covered by keyboard, without script too; accessible and never sideways."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from portal.clock import now
from portal.notifications.models import Alert
from portal.policy.models import PolicyVersion
from portal.policy.rules import Policy, Tier
from portal.rotas.models import Rota
from tests.browsing import enter
from tests.web.looking import VARIANTS, fits, press, reach, seen, write
from tests.worlds import World, request_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[3]


def test_rota_from_setting_it_up_to_the_request_that_wakes_who_is_on_call(
    browser: Browser, base: str, world: World
) -> None:
    with seen(browser, NARROW, script=False) as page:
        enter(page, base, world.pia)
        page.goto(f"{base}/rotas/")
        press(page, page.get_by_role("link", name="Billing Of its approvers"))
        write(page, page.get_by_label("Name"), "Nights of the payments and settlement systems")
        for name, place in (("Ines", "2."), ("Jon", "1.")):
            reach(page, page.get_by_label(f"Place of {name}"))
            page.keyboard.type(place)
        press(page, page.get_by_role("button", name="Set it up"))
        expect(page.get_by_role("row", name="Now")).to_contain_text("Jon")
    rota = Rota.objects.get()
    with seen(browser, NARROW) as page:
        enter(page, base, world.jon)
        page.goto(f"{base}/rotas/{rota.pk}/")
        reach(page, page.get_by_label("You give the week that begins on"))
        page.keyboard.press("ArrowDown")
        press(page, page.get_by_role("button", name="Offer the swap"))
        expect(page.get_by_text("Nothing changes before Ines takes it.")).to_be_visible()
        tomorrow = now() + timedelta(days=1)
        reach(page, page.get_by_label("From"))
        page.get_by_label("From").fill(
            f"{tomorrow:%Y-%m-%dT%H:%M}"
        )  # its parts stand in the order of the browser's language
        press(page, page.get_by_role("button", name="Say so"))
        expect(page.get_by_role("heading", name="Who is away")).to_be_visible()
        fits(page)
    with seen(browser, WIDE) as page:
        enter(page, base, world.ines)
        page.goto(f"{base}/")
        press(page, page.get_by_role("link", name="Jon: Billing, Nights"))
        expect(page.get_by_role("button", name="Take it")).to_be_visible()
        fits(page)
        press(page, page.get_by_role("button", name="Take it"))
        expect(page.get_by_text("A swap is offered")).to_have_count(0)
    policy = Policy(tiers=(Tier((), 5, str(rota.pk)),))
    PolicyVersion.objects.update(document=policy.document(), sha256=policy.sha256())
    request = request_of(world)
    assert Alert.objects.get(kind="request.asked").recipient == world.jon
    with seen(browser, NARROW) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/{request.pk}/")
        expect(
            page.get_by_text("Jon is on call by the rota Nights of the payments and settlement systems.")
        ).to_be_visible()
    with seen(browser, NARROW) as page:
        enter(page, base, world.pia)
        for path in ("/rotas/", f"/rotas/{rota.pk}/change/", f"/policies/{world.system.pk}/new/"):
            page.goto(base + path, wait_until="load")
            fits(page)
        expect(
            page.get_by_label("Whoever is on call by the rota Nights of the payments and settlement systems is told")
        ).to_have_value("1")
