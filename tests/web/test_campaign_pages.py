"""Attestations as people see and decide them: two widths, two themes, by keyboard, with and without script."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from portal.campaigns import actions, removal, sweep
from portal.campaigns.models import Campaign, Item
from tests.browsing import code_of_device, enter, stale
from tests.portal.campaigns.attested import begun, line, ready, stand
from tests.portal.campaigns.attested import seen as stood
from tests.portal.sealed.vault import make_vault
from tests.web.looking import VARIANTS, Variant, fits, press, seen, write
from tests.worlds import World, actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESK = VARIANTS[0], VARIANTS[2]


def half(world: World) -> Campaign:
    """One line of each kind, two of them decided."""
    stand(world, "old_admin")
    campaign = stood(world, begun(world))
    actions.keep(by=actor(world.mo), item=line(campaign, "Ann"), reason="She is on call.")
    revoked = actions.revoke(by=actor(world.mo), item=line(campaign, "Ben"), reason="Left the team.")
    removal.run(revoked.pk)
    return campaign


def test_pages_are_accessible_and_fit(browser: Browser, base: str, world: World) -> None:
    with seen(browser, PHONE) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/campaigns/", wait_until="load")
        fits(page)
        campaign = half(world)
        one = f"/campaigns/lines/{line(campaign, 'old_admin').pk}/"
        for path in (f"/campaigns/{campaign.pk}/?view=rows&tick=all", one, f"/campaigns/{campaign.pk}/judging/"):
            page.goto(base + path, wait_until="load")
            fits(page)
        for path in ("/campaigns/", f"/campaigns/{campaign.pk}/"):
            page.goto(base + path, wait_until="load")
            fits(page)
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
        fits(page)
        actions.keep(by=actor(world.mo), item=line(campaign, "old_admin"), reason="The vendor's.")
        page.goto(f"{base}/campaigns/{campaign.pk}/", wait_until="load")
        fits(page)
        actions.close(by=actor(world.mo), campaign=campaign)
        sweep.run_due()
        for path in ("/campaigns/", f"/campaigns/{campaign.pk}/"):
            page.goto(base + path, wait_until="load")
            fits(page)


@pytest.mark.parametrize("variant", [PHONE, DESK], ids=["phone", "desk"])
def test_line_of_a_sealed_account_is_accessible_and_fits(
    browser: Browser, base: str, world: World, variant: Variant
) -> None:
    campaign = stood(world, begun(make_vault(world=world).world, kind="accounts"))
    with seen(browser, variant) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/campaigns/{campaign.pk}/", wait_until="load")
        expect(_line(page, "The vault's administrator: vault_admin")).to_contain_text("Kept by")
        page.get_by_text("Let nobody check it out after a time").click()
        fits(page)


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_whole_way_of_an_attestation(browser: Browser, base: str, world: World, *, script: bool) -> None:
    stand(world, "old_admin")
    with seen(browser, PHONE, script=script, expected="422") as page:
        enter(page, base, world.pia)
        page.goto(f"{base}/campaigns/")
        page.get_by_role("button", name="begin its campaign now, Who may ask for access").click()
        expect(page.get_by_text("It has begun.")).to_be_visible()
        campaign = Campaign.objects.get()
        page.context.clear_cookies()
        enter(page, base, world.mo)
        page.goto(f"{base}/campaigns/{campaign.pk}/")
        page.get_by_role("button", name=re.compile("Keep.*Ann")).click()
        expect(_line(page, "Ann: Billing emergency")).to_contain_text("by Mo")
        _line(page, "Ben: Billing emergency").get_by_label("Why?").fill("Left the team.")
        page.get_by_role("button", name=re.compile("Revoke.*Ben")).click()
        expect(_line(page, "Ben: Billing emergency")).to_contain_text("Gone on the target")
        page.get_by_role("button", name=re.compile("Keep.*old_admin")).click()
        expect(page.get_by_role("alert")).to_contain_text("say why it stays")
        _line(page, "old_admin as").get_by_label("Why?").fill("The vendor's.")
        page.get_by_role("button", name=re.compile("Keep.*old_admin")).click()
        expect(_line(page, "old_admin as")).to_contain_text("by Mo")
        page.goto(f"{base}/campaigns/{campaign.pk}/")
        page.get_by_role("button", name="State this and close").click()
        expect(page.get_by_role("heading", name="Closing statement")).to_be_visible()
    assert Campaign.objects.get().state == "closed"


def _line(page: Page, label: str) -> Locator:
    return page.get_by_role("region", name=label)


def test_keyboard_alone_decides(browser: Browser, base: str, world: World) -> None:
    item = ready(world)
    with seen(browser, DESK) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/campaigns/{item.campaign_id}/")
        write(page, page.locator("[name$=-reason]").first, "Left the team.")
        press(page, page.get_by_role("button", name=re.compile("Revoke.*Ann")))
        expect(_line(page, "Ann: Billing emergency")).to_contain_text("Gone on the target")
        expect(_line(page, "Ann: Billing emergency")).to_be_focused()
    assert Item.objects.get(pk=item.pk).state == "revoked"


@pytest.mark.parametrize("script", [True, False], ids=["script", "without"])
def test_second_factor_is_asked_in_between_and_nothing_is_lost(
    browser: Browser, base: str, world: World, *, script: bool
) -> None:
    item = ready(world)
    with seen(browser, DESK, script=script) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/campaigns/{item.campaign_id}/")
        stale(world.mo)
        _line(page, "Ann: Billing emergency").get_by_label("Why?").fill("Left the team.")
        page.get_by_role("button", name=re.compile("Revoke.*Ann")).click()
        page.get_by_label("Code of your authenticator").fill(code_of_device(world.mo))
        page.get_by_role("button", name="Confirm and go on").click()
        expect(_line(page, "Ann: Billing emergency")).to_contain_text("Left the team.")
    assert Item.objects.get(pk=item.pk).state == "revoked"
