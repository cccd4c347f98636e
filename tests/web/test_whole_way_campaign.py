"""An attestation from its beginning to its closing statement; what it revokes is ended and read back on the real target."""

import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from audit.log.append import now_ms
from portal.demo.personas import BY_KEY
from tests.faults.whole import House
from tests.web.walking import DESK, Walker, link_of, login_of, mail_for, picture, psql, walking

pytestmark = pytest.mark.browser
PRIVILEGE, ADMIN = "Read and correct orders", "Everything in the shop's tables"


def test_campaign_from_the_list_to_the_closing_statement(browser: Browser, house: House) -> None:
    began = now_ms()
    put_dan_on_the_list(house)
    with (
        walking(browser, house, "dan") as dan,
        walking(browser, house, "quinn") as quinn,
        walking(browser, house, "mo") as mo,
        walking(browser, house, "nora", DESK) as nora,
    ):
        finish_what_the_demo_left_open(mo, nora)
        line, password = open_access(dan)
        assert psql(line, password, "SELECT 1").returncode == 0
        campaign = begin(quinn)
        this = campaign.rstrip("/").rpartition("/")[2]  # the demo's own campaign may be told as late as this one
        nora.go(link_of(mail_for(house, "nora", "To attest: ", after=began, about=this)))
        assert nora.page.url == campaign
        picture(nora.page, "campaign")
        decide(nora, keep=f"Ann Berg: {ADMIN}", revoke=f"Dan Okafor: {PRIVILEGE}")
        mo.go(campaign)
        decide(mo, keep=f"Ann Berg: {PRIVILEGE}")
        nora.go(campaign)
        read_back(nora, house, line, password)
        dan.sees("Ended, and the target confirmed it", seconds=30)
        close(nora)


def finish_what_the_demo_left_open(mo: Walker, nora: Walker) -> None:
    """As the README says: a campaign waits, with lines for both owners; who gave a right does not attest it."""
    for owner, mine in ((mo, PRIVILEGE), (nora, ADMIN)):
        owner.sign_in("/campaigns/")
        owner.page.get_by_role("link", name=re.compile("^Decide ?: Shop database")).click()
        assert decide(owner, keep=f"Ann Berg: {mine}") == [f"Ann Berg: {mine}"]
    close(nora)


def put_dan_on_the_list(house: House) -> None:
    """Pia proposes, others agree."""
    dan, shop = _one(house, "portal_person", "email", BY_KEY["dan"].email), _one(house, "portal_system", "slug", "shop")
    privilege = _one(house, "portal_privilege", "on_target", "shop_support")
    pia = house.visitor("pia")
    role = pia.post("/roles/new/", {"person": dan, "role": "responder", "system": shop})
    listed = pia.post("/eligibilities/new/", {"person": dan, "privilege": privilege})
    for page, key in ((role, "quinn"), (listed, "mo")):
        assert page.status == 200, page.text[:2000]
        second = house.visitor(key)
        answer = second.post(f"{page.url}decide/", {"decision": "approve"}, page=second.get(page.url))
        assert answer.status == 200, answer.text[:2000]


def _one(house: House, table: str, column: str, value: str) -> str:
    return str(house.rows(f"SELECT id FROM {table} WHERE {column} = %s", [value])[0][0])


def open_access(dan: Walker) -> tuple[str, str]:
    """A bypass, so that something is open when the list is attested."""
    dan.sign_in("/requests/bypass/")
    dan.page.get_by_role("link", name=PRIVILEGE).click()
    dan.page.get_by_label("A service is down, or about to be").check()
    dan.page.get_by_label("What is wrong? One sentence is enough.").fill("Orders hang.")
    dan.press("Break the glass now")
    button = dan.page.get_by_role("button", name="Show the password")
    expect(button).to_be_visible(timeout=30_000)
    line = dan.page.locator("#psql-line").inner_text()
    button.click()
    password = dan.page.locator("#password").inner_text()
    dan.page.get_by_role("link", name="Back to the access").click()
    return line, password


def begin(quinn: Walker) -> str:
    """An administrator begins it before its time; its address."""
    quinn.sign_in("/campaigns/")
    quinn.page.get_by_role("button", name=re.compile("^Shop database ?: begin its campaign now, Who may")).click()
    quinn.sees("It has begun. Everybody with lines to decide is told.")
    return quinn.page.url


def decide(owner: Walker, *, keep: str, revoke: str = "") -> list[str]:
    """Each line that was put to them: one is revoked, all others are kept. Returns the lines."""
    cards = owner.page.locator("section.card-accent h3")
    expect(cards.first).to_be_visible()  # a list of what is there waits for no page that is still on its way
    titles = [title.inner_text() for title in cards.all()]
    assert {keep, revoke} - {""} <= set(titles), titles
    for title in titles:
        box = _line(owner, title)
        box.get_by_label("Why?").fill("Left the shop's team." if title == revoke else "On call for the shop.")
        box.get_by_role("button", name="Revoke" if title == revoke else "Keep").click()
        expect(_line(owner, title)).to_contain_text("Revoked" if title == revoke else "Kept")
    return titles


def _line(owner: Walker, title: str) -> Locator:
    return owner.page.get_by_role("region", name=title, exact=True)


def read_back(nora: Walker, house: House, line: str, password: str) -> None:
    """The login is gone from the target, and a listing taken afterwards says so."""
    nora.comes_to_see("Gone on the target")
    assert house.on_target("SELECT 1 FROM pg_roles WHERE rolname = %s", [login_of(line)]) == []
    assert "FATAL" in psql(line, password, "SELECT 1").stderr


def close(nora: Walker) -> None:
    """Every line is decided: it is closed with its statement."""
    nora.page.reload()
    said = nora.page.get_by_role("region", name="Every line is decided").locator("blockquote").inner_text()
    nora.press("State this and close")
    nora.sees("is closed, with your statement.")
    expect(nora.page.get_by_role("region", name="Closing statement").locator("blockquote")).to_have_text(
        said, use_inner_text=True
    )
    nora.go("/campaigns/")
    expect(nora.page.get_by_role("region", name="Closed")).to_contain_text("Nora Lindt")
