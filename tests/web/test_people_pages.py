"""The way in, the first page, people, systems and lists as people see them."""

import re
from base64 import b32decode
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.eligibility import actions as lists
from portal.people.models import Person
from portal.systems import actions as systems
from tests.factories import PASSWORD, client_of, code_from, code_of, founders, person
from tests.web.looking import VARIANTS, fits, press, seen, write
from tests.worlds import World, actor, request_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, DESK = VARIANTS[0], VARIANTS[3]


def enter(page: Page, base: str, made: Person) -> None:
    """Sign somebody in, by the cookie of a browser in which they are."""
    cookie = client_of(made).cookies["breakglass"]
    page.context.add_cookies([{"name": "breakglass", "value": cookie.value, "url": base}])


def test_way_in_is_accessible_and_fits(browser: Browser, base: str) -> None:
    bob = person("Bob", enrolled=False)
    with seen(browser, NARROW, expected="422") as page:
        page.goto(f"{base}/me/sign-ins/")
        fits(page)
        page.get_by_label("Mail address").fill(bob.email)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_title(re.compile("^Error: "))
        fits(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Enrol an authenticator")
        fits(page)
        page.get_by_label("Code of your authenticator").fill(code_from(shown_key(page)))
        page.get_by_role("button", name="Enrol").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
        fits(page)
        page.get_by_role("link", name="I have kept them").click()
        expect(page).to_have_url(f"{base}/me/sign-ins/")
        fits(page)


def shown_key(page: Page) -> str:
    """The secret that the page shows as text, in hex."""
    text = page.locator("#secret").inner_text().replace(" ", "").strip()
    return b32decode(text + "=" * (-len(text) % 8)).hex()


def test_signing_in_needs_neither_script_nor_mouse(browser: Browser, base: str) -> None:
    ada = person()
    with seen(browser, DESK, script=False) as page:
        page.goto(f"{base}/me/sign-ins/")
        write(page, page.get_by_label("Mail address"), ada.email)
        write(page, page.get_by_label("Password"), PASSWORD)
        press(page, page.get_by_role("button", name="Sign in"))
        write(page, page.get_by_label("Code of your authenticator"), code_of(ada))
        press(page, page.get_by_role("button", name="Sign in"))
        expect(page).to_have_url(f"{base}/me/sign-ins/")


def test_step_up_and_other_plain_pages_fit(browser: Browser, base: str) -> None:
    with seen(browser, NARROW) as page:
        enter(page, base, person())
        for name in ("step-up", "sign-in/recovery", "sign-in/enrol", "me/password"):
            page.goto(f"{base}/{name}/", wait_until="load")
            fits(page)


def test_first_page_fits_each_role(browser: Browser, base: str, world: World) -> None:
    request_of(world)
    lists.propose_eligibility(by=actor(world.mo), person=world.zoe, privilege=world.privilege)
    for who in ("ann", "ines", "pia", "otto", "zoe"):
        with seen(browser, NARROW) as page:
            enter(page, base, world.people[who])
            page.goto(f"{base}/", wait_until="load")
            fits(page)


def test_what_administrators_see_is_accessible_and_fits(browser: Browser, base: str, world: World) -> None:
    pia, quinn = founders()
    line = lists.propose_eligibility(by=actor(quinn), person=world.zoe, privilege=world.privilege)
    role = lists.propose_role(by=actor(pia), person=world.zoe, role="reviewer", system=world.system)
    lists.approve_role(by=actor(quinn), assignment=role)
    change = systems.propose(
        by=actor(quinn),
        kind="privilege",
        system=world.system,
        after={"name": "A" * 60, "on_target": "a", "description": "b " * 200},
    )
    system = f"/systems/{world.system.pk}/"
    pages = (
        "/systems/", system, f"{system}change/", f"{system}source/", f"{system}privileges/new/", "/systems/new/postgresql/",
        f"/changes/{change.pk}/", "/people/", "/people/new/", f"/people/{world.ann.pk}/", "/roles/new/", f"/roles/{role.pk}/",
        "/eligibilities/new/", f"/eligibilities/{line.pk}/",
    )  # fmt: skip
    with seen(browser, NARROW) as page:
        enter(page, base, pia)
        for path in pages:
            page.goto(base + path, wait_until="load")
            fits(page)


def test_connection_test_and_one_time_password_fit(browser: Browser, base: str, world: World, tmp_path: Path) -> None:
    pia, _ = founders()
    with seen(browser, NARROW) as page:
        enter(page, base, pia)
        page.goto(f"{base}/systems/{world.system.pk}/")
        page.get_by_role("button", name="Test the connection").click()
        expect(page.get_by_role("heading", name="Connection test")).to_be_visible()
        fits(page)
        page.get_by_role("button", name="What would this open?").click()
        expect(page.get_by_text("Nothing was changed.")).to_be_visible()
        fits(page)
        page.goto(f"{base}/people/new/")
        page.get_by_label("Name").fill("Ann Bell")
        page.get_by_label("Mail address").fill("bell@example.org")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("One-time password for Ann Bell")
        fits(page)
