"""The offline cards by keyboard alone, on a phone and at a desk: printed, held, drilled, used, declared, confirmed, made anew, and reviewed."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from portal.offline_card import Card, read
from portal.reviews.questions import YES
from tests.faults.whole import House
from tests.portal.reviews.used import FINE
from tests.portal.sealed.test_card_paper import Paper, qr_of
from tests.portal.test_offline_card import said_by
from tests.web.looking import Variant, press, reach, write
from tests.web.walking import DESK, PHONE, Walker, picture, walking

pytestmark = pytest.mark.browser
ACCOUNT = "Single sign-on: last resort"


def test_cards_from_printing_to_the_review_of_their_use(browser: Browser, house: House) -> None:
    """Twice by the same people, on a phone and at a desk: the second pair is the one that follows on the first one's use."""
    with (
        walking(browser, house, "otto", PHONE) as otto,
        walking(browser, house, "nora", PHONE) as nora,
        walking(browser, house, "ben", PHONE) as ben,
        walking(browser, house, "kim", PHONE) as kim,
    ):
        everybody = (otto, nora, ben, kim)
        for each in everybody:
            each.sign_in("/sealed/" if each in (otto, nora) else "/")
        for width in (PHONE, DESK):
            look_at(width, everybody)
            cards = [printed(otto), printed(nora)]
            holds(otto, "The pair counts once the other custodian has said the same.")
            holds(nora, "both cards are with their custodians")
            drill(otto, cards, width)
            began = datetime.now(UTC)
            declare(ben, otto.page.url, began, f"The portal was dead; signed in at the console by {began:%H:%M:%S}.")
            if width is PHONE:
                confirm(nora)
            judge(kim, width)


def look_at(width: Variant, everybody: tuple[Walker, ...]) -> None:
    """The same browsers, as wide as this."""
    for each in everybody:
        each.page.set_viewport_size({"width": width.width, "height": width.height})


def printed(custodian: Walker) -> Card:
    """From the list to the paper, which is read as a camera reads it."""
    page = custodian.page
    custodian.go("/sealed/")
    press(page, page.get_by_role("link", name=ACCOUNT, exact=True))
    expect(page.get_by_role("heading", name=ACCOUNT)).to_be_visible()
    custodian.comes_to_see("Print your card")
    press(page, page.locator("summary", has_text="Print your card"))
    reach(page, page.get_by_role("button", name="Print it now"))
    with page.expect_download() as paper:
        page.keyboard.press("Enter")
    (line,) = qr_of(Paper(Path(paper.value.path()).read_bytes()).scan())
    return read(line)


def holds(custodian: Walker, answered: str) -> None:
    """In hand, and said so."""
    custodian.page.reload()
    press(custodian.page, custodian.page.get_by_role("button", name="I hold my card"))
    custodian.sees(answered)


def drill(custodian: Walker, cards: list[Card], width: Variant) -> None:
    """The question goes into the command with both cards, and its answer into the page."""
    page = custodian.page
    custodian.comes_to_see(f"Set {cards[0].number} opens the account.")
    press(page, page.get_by_role("button", name="Begin a drill"))
    status, said = said_by(*(card.qr() for card in cards), question=page.locator("#question").inner_text())
    assert status == 0
    write(page, page.locator("[name=answer]"), said.rpartition("Answer: ")[2])
    if width is PHONE:
        picture(page, "cards")
    press(page, page.get_by_role("button", name="Note the drill"))
    custodian.sees("Both cards work.")


def declare(ben: Walker, account: str, began: datetime, reason: str) -> None:
    """Who used them says so; the times are typed as digits."""
    page = ben.page
    ben.go(f"{account}used/")
    for name, at in (("from_at", began - timedelta(minutes=1)), ("to_at", began)):
        reach(page, page.locator(f"[name={name}]"))
        page.keyboard.type(f"{at:%m%d%Y}")
        page.keyboard.press("ArrowRight")  # the year takes six digits
        page.keyboard.type(f"{at:%I%M%p}")
    reach(page, page.get_by_label("A service is down, or about to be"))
    page.keyboard.press("Space")
    write(page, page.get_by_label("What was done, and why the portal could not be used"), reason)
    press(page, page.get_by_role("button", name="Declare the use"))
    ben.sees(reason)


def confirm(nora: Walker) -> None:
    """A second person says the same, so new cards are made: those of the second turn."""
    page = nora.page
    page.reload()
    press(page, page.locator("summary", has_text="The cards were used").last)  # others may have said so before
    press(page, page.get_by_role("button", name="Yes, they were used"))
    nora.sees("No card opens this account")


def judge(kim: Walker, width: Variant) -> None:
    """Taken from the list, ten questions answered, submitted."""
    page = kim.page
    kim.go("/reviews/")
    press(page, page.locator("a", has_text=re.compile("^Ben .* on Single sign-on, declared")).first)
    press(page, page.get_by_role("button", name="Take this review"))
    kim.sees("What was declared")
    if width is DESK:
        picture(page, "cards-review")
    for question, said in FINE.items():
        reach(page, page.locator(f"[name={question}]").first)
        page.keyboard.press("Space" if said["answer"] == YES else "ArrowDown")
    for name in ("outcome", "stated"):
        reach(page, page.locator(f"[name={name}]").first)
        page.keyboard.press("Space")
    press(page, page.get_by_role("button", name="Submit the review"))
    kim.sees("The review is on record.")
    expect(page.get_by_text("Accepted", exact=True).first).to_be_visible()
