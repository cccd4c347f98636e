"""The glass breaks with broker, worker and mail down; who must know is told as soon as they are back."""

import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from audit.log.append import now_ms
from portal.embedded.mail_sink import StoredMail
from tests.faults.whole import House
from tests.servers import wait_until
from tests.web.walking import PHONE, Walker, login_of, mail_for, picture, psql, walking

pytestmark = pytest.mark.browser
MOST_TO_OPEN = 6
DOWN = ("broker", "worker", "mail sink")
SECURITY_LIST = "security@breakglass.example"
SUBJECT = "Bypass: Ann Berg broke the glass on Shop database"


def test_bypass_with_broker_worker_and_mail_down(browser: Browser, house: House) -> None:
    with walking(browser, house, "ann", PHONE) as ann, walking(browser, house, "mo") as mo:
        ann.sign_in()
        mo.sign_in("/status/")
        expect(process(mo, "Worker")).to_contain_text("Healthy", timeout=60_000)
        with house.without(*DOWN):
            began = now_ms()
            case = break_the_glass(ann)
            line, password = way_in(ann)
            assert "(1 row)" in psql(line, password, "SELECT count(*) FROM shop.orders").stdout
            late_is_said(mo, case)
            end_it(ann, login_of(line))
            assert [mail for mail in house.mails() if mail.received >= began] == []
            assert waiting_alerts(house, case) >= 4
        alerts_arrive(house, case, began)
        mo.comes_to_see(re.compile("^Told"))
        expect(mo.page.get_by_text("Mail is late")).to_have_count(0)


def break_the_glass(ann: Walker) -> str:
    """System, criterion and one sentence are enough."""
    ann.count_from_here()
    ann.page.get_by_role("link", name="Break the glass", exact=True).click()
    ann.page.get_by_role("link", name="Read and correct orders").click()
    ann.sees("Opens at once, without approval.")
    picture(ann.page, "bypass")
    ann.page.get_by_label("A service is down, or about to be").check()
    ann.page.get_by_label("What is wrong? One sentence is enough.").fill("Payments hang.")
    ann.press("Break the glass now")
    expect(ann.page.get_by_role("button", name="Show the password")).to_be_visible(timeout=30_000)
    assert ann.interactions <= MOST_TO_OPEN, "taps and fields from the home page to open access"
    expect(ann.page.get_by_text("Bypass", exact=True).first).to_be_visible()
    return ann.page.url


def way_in(ann: Walker) -> tuple[str, str]:
    """The line and the password that the page shows."""
    line = ann.page.locator("#psql-line").inner_text()
    ann.press("Show the password")
    password = ann.page.locator("#password").inner_text()
    ann.page.get_by_role("link", name="Back to the access").click()
    return line, password


def late_is_said(mo: Walker, case: str) -> None:
    """The owner sees the badge, that mail waits, and which processes are down."""
    mo.go(case)
    mo.sees("Bypass")
    mo.sees(re.compile("Mail waits|Mail is late"))
    mo.go("/status/")
    expect(process(mo, "Worker")).to_contain_text("Down", timeout=20_000)
    picture(mo.page, "status")
    mo.go(case)


def process(mo: Walker, name: str) -> Locator:
    """Its line on the status page."""
    return mo.page.get_by_role("row").filter(has=mo.page.get_by_role("rowheader", name=name, exact=True))


def end_it(ann: Walker, login: str) -> None:
    """Ended and read back by the web process alone."""
    ann.page.locator("summary", has_text="I am done").click()
    ann.press("End my access")
    ann.sees("Ended, and the target confirmed it", seconds=30)
    assert ann.house.on_target("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]) == []


def waiting_alerts(house: House, case: str) -> int:
    """Alerts about the bypass that nobody was sent yet."""
    query = (
        "SELECT count(*) FROM portal_alert WHERE kind = 'request.bypass_opened' AND sent_at IS NULL AND path LIKE %s"
    )
    return int(str(house.rows(query, [f"%{case.rsplit('/requests/')[1]}%"])[0][0]))


def alerts_arrive(house: House, case: str, began: int) -> None:
    """Skipped approvers, owners and the security list."""
    for key in ("ines", "jon", "mo"):
        mail_for(house, key, SUBJECT, after=began)
    wait_until(
        lambda: [mail for mail in house.mails(SECURITY_LIST) if _is_about(mail, began)],
        "the security list to be told",
        seconds=60,
    )
    wait_until(lambda: waiting_alerts(house, case) == 0, "every alert to have left", seconds=60)


def _is_about(mail: StoredMail, began: int) -> bool:
    return mail.received >= began and SUBJECT.encode() in mail.content
