"""A sealed account from asking to the new secret that is owed: shown once, after a second person said so, and to be found nowhere afterwards."""

import contextlib
import re

import pytest
from playwright.sync_api import Browser, Error, Page, Response, expect

from tests.faults.whole import House
from tests.servers import wait_until
from tests.web.looking import press
from tests.web.walking import PHONE, Walker, walking

pytestmark = pytest.mark.browser
ACCOUNT = "Single sign-on: break-glass administrator"
REASON = "Nobody can sign in since the certificate ran out; put the new one in place by hand."


def test_sealed_account_is_asked_for_released_shown_checked_in_and_owed_a_new_secret(
    browser: Browser, house: House
) -> None:
    with (
        walking(browser, house, "ben", PHONE, expected=("409", "ERR_CACHE_MISS")) as ben,
        walking(browser, house, "ines") as ines,
        walking(browser, house, "otto", PHONE) as otto,
    ):
        case = ask(ben)
        approve(ines, case)
        waits_for_a_second_person(ben)
        release_by_keyboard(ines)
        secret = shown(ben)
        check_in(ben)
        stands_nowhere(ben, case, secret)
        owed(otto, secret)


def ask(ben: Walker) -> str:
    """On a phone."""
    ben.sign_in("/requests/new/")
    ben.page.get_by_role("link", name=ACCOUNT).click()
    ben.page.get_by_label("A service is down, or about to be").check()
    ben.page.get_by_label("What is wrong, and what will you do?").fill(REASON)
    ben.page.get_by_label("What kind of trouble is it?").select_option("availability")
    ben.page.get_by_label("Change configuration").check()
    ben.page.get_by_label("Incident").fill("INC-3002")
    ben.press("Ask for access")
    ben.sees(re.compile("Waiting for one yes"))
    return ben.page.url


def approve(ines: Walker, case: str) -> None:
    """It opens; the secret is another matter."""
    ines.sign_in(case)
    ines.press("Approve")
    expect(ines.page.get_by_role("button", name="Release the secret")).to_be_visible(timeout=30_000)


def waits_for_a_second_person(ben: Walker) -> None:
    """Open, and nothing to be shown yet."""
    ben.sees("A second person releases the secret", seconds=30)
    expect(ben.page.get_by_role("button", name="Show the secret")).to_have_count(0)


def release_by_keyboard(ines: Walker) -> None:
    """Without a mouse."""
    press(ines.page, ines.page.get_by_role("button", name="Release the secret"))
    ines.sees("Released: the secret can be shown once")


def shown(ben: Walker) -> str:
    """On a page of its own that no browser keeps."""
    button = ben.page.get_by_role("button", name="Show the secret")
    expect(button).to_be_visible(timeout=30_000)
    with ben.page.expect_response(lambda answer: answer.url.endswith("/reveal/")) as answered:
        button.click()
    secret = ben.page.locator("#password").inner_text()
    assert len(secret) >= 20
    is_kept_by_no_browser(answered.value)
    ben.page.get_by_role("link", name="Back to the access").click()
    ben.sees("A second person releases the secret")  # one release, one showing
    return secret


def is_kept_by_no_browser(answer: Response) -> None:
    """Neither by its cache nor by one in between."""
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store, private")


def check_in(ben: Walker) -> None:
    """Nobody holds it any more."""
    ben.page.locator("summary", has_text="Check it in").click()
    ben.press("Check the account in")
    ben.sees("Ended here; the secret that was shown works until it is replaced", seconds=30)


def stands_nowhere(ben: Walker, case: str, secret: str) -> None:
    """Neither in a page, nor where the browser's own way back leads, past the page that showed it; what may stand there is found."""
    for address, said in ((case, REASON), (case.replace("/requests/", "/cases/"), REASON), ("/", ACCOUNT)):
        ben.go(address)
        text = ben.page.content()
        assert (said in text, secret in text) == (True, False), address
    ben.go(case)
    passed = [back(ben.page) for _ in range(8)]
    assert "/requests/new/" in ben.page.url  # where it was asked for: the showing lies between
    assert (any(REASON in text for text in passed), any(secret in text for text in passed)) == (True, False)


def back(page: Page) -> str:
    with contextlib.suppress(Error):  # a page that no browser kept cannot be gone back to
        page.go_back(timeout=5_000)
    return standing(page)


def standing(page: Page) -> str:
    """What the browser holds, once it has arrived: on the way back a page may still be moving."""
    held: list[str] = []

    def read() -> bool:
        with contextlib.suppress(Error):
            held.append(page.content())
        return bool(held)

    wait_until(read, "a page to stand still")
    return held[0]


def owed(otto: Walker, secret: str) -> None:
    """Its custodian is to set another one."""
    otto.sign_in("/sealed/")
    otto.page.get_by_role("link", name=f"Give {ACCOUNT} a new secret").first.click()
    otto.sees("Shown in a use")
    otto.sees("Lay a new secret in")
    assert secret not in otto.page.content()
