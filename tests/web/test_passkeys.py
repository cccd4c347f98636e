"""A passkey in a real browser: Chromium's virtual authenticator adds it, signs in and confirms with it."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.clock import now
from portal.people.models import Passkey
from tests.factories import PASSWORD, code_of, person, sign_in_of
from tests.web.looking import VARIANTS, fits, press, seen, served, write

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, DESK = VARIANTS[0], VARIANTS[3]


def give_authenticator(page: Page) -> None:
    """A device of its own with a built-in authenticator, whose user says yes (WebAuthn, section 11: automation)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_passkey_is_added_signs_in_and_confirms(browser: Browser, settings: Any) -> None:
    ada = person()
    with served() as address, seen(browser, NARROW) as page:
        base = settings.PORTAL_URL = address.replace("127.0.0.1", "localhost")
        give_authenticator(page)
        page.goto(f"{base}/me/passkeys/new/")
        page.get_by_label("Mail address").fill(ada.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Use your passkey")).to_have_count(0)
        page.get_by_label("Code of your authenticator").fill(code_of(ada))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Name").fill("This phone")
        fits(page)
        page.get_by_label("Name").press("Enter")
        expect(page.get_by_text("This phone", exact=True)).to_be_visible()
        assert Passkey.objects.get().person == ada
        expect(page.get_by_text("Counts in full from")).to_be_visible()
        fits(page)

        page.get_by_role("button", name="Sign out").first.click()
        page.goto(f"{base}/step-up/?next=/me/sign-ins/")
        page.set_viewport_size({"width": DESK.width, "height": DESK.height})  # from here on by keyboard
        write(page, page.get_by_label("Mail address"), ada.email)
        write(page, page.get_by_label("Password"), PASSWORD)
        press(page, page.get_by_role("button", name="Sign in"))
        expect(page.get_by_role("button", name="Use your passkey")).to_be_visible()
        fits(page)
        page.set_viewport_size({"width": DESK.width, "height": DESK.height})
        press(page, page.get_by_role("button", name="Use your passkey"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
        signed_in = sign_in_of(ada)
        assert signed_in.factor == "webauthn_new"
        Passkey.objects.update(settles_at=now())
        press(page, page.get_by_role("button", name="Use your passkey"))
        expect(page).to_have_url(f"{base}/me/sign-ins/")
        first, signed_in = signed_in.strong_at, sign_in_of(ada)
        assert first is not None
        assert signed_in.strong_at is not None
        assert (signed_in.factor, signed_in.strong_at > first) == ("webauthn", True)
