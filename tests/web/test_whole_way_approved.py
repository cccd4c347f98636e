"""The approved way from end to end, in real browsers, on a portal with every process real and a real PostgreSQL target."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from audit.log.append import now_ms
from portal.notifications.dossiers import OCCASIONS
from portal.reviews.questions import questions
from tests.faults.whole import House
from tests.servers import wait_until
from tests.web.walking import (
    PHONE,
    REASON,
    Walker,
    is_signed,
    link_of,
    login_of,
    mail_for,
    pdf_of,
    picture,
    psql,
    text_of,
    walking,
)

pytestmark = pytest.mark.browser
MOST_TO_OPEN, MOST_TO_APPROVE = 9, 3
THE_MINUTE = 1  # a field that only this test fills: it cannot wait for the hour that the form proposes
THE_LINK = 1  # in the mail, which no browser counts
READ = "SELECT count(*) AS stuck FROM shop.payments WHERE state = 'stuck'"
CHANGE = "UPDATE shop.payments SET tries = tries + 1 WHERE id = 29"
REFUSED = "SELECT employee FROM shop.salaries"


def test_approved_way_from_asking_to_the_review(browser: Browser, house: House, tmp_path: Path) -> None:
    began = now_ms()
    with (
        walking(browser, house, "ann", PHONE) as ann,
        walking(browser, house, "ines", PHONE) as ines,
        walking(browser, house, "jon") as jon,
        walking(browser, house, "kim", expected="404") as kim,
    ):
        case = ask(ann)
        approve(ines, case, began)
        line, password = reveal(ann)
        work(house, line, password)
        statements_show(ann, case)
        more_time(ann, jon, case, began)
        ended_by_itself(ann, login_of(line))
        assert "FATAL" in psql(line, password, READ).stderr
        verdict_is_complete(jon, case)
        dossier_tells(house, case, began, "ended")
        review(kim, case, began)
        dossier_tells(house, case, began, "reviewed")


def ask(ann: Walker) -> str:
    """Ask for the shop on a phone for one minute; the address of the request."""
    ann.sign_in()
    ann.count_from_here()
    ann.page.get_by_role("link", name="Ask for access", exact=True).click()
    ann.page.get_by_role("link", name="Read and correct orders").click()
    ann.sees("One approver of 2 must say yes.")
    ann.sees("You must name an incident.")
    picture(ann.page, "request")
    ann.page.get_by_label("A service is down, or about to be").check()
    ann.page.get_by_label("What is wrong, and what will you do?").fill(REASON)
    ann.page.get_by_label("What kind of trouble is it?").select_option("availability")
    ann.page.get_by_label("Read data").check()
    ann.page.get_by_label("Change data").check()
    ann.page.get_by_label("Incident").fill("INC-3001")
    ann.page.get_by_label("For how long?").fill("1")
    ann.press("Ask for access")
    ann.sees(re.compile("Waiting for one yes from Ines"))
    return ann.page.url


def approve(ines: Walker, case: str, began: int) -> None:
    """From the mail, past the sign-in, to the request; then yes."""
    mail = mail_for(ines.house, "ines", "Ann Berg asks for Read and correct orders", after=began)
    assert link_of(mail) == case
    ines.sign_in()
    ines.count_from_here()
    ines.go(link_of(mail))
    ines.sees(REASON)
    picture(ines.page, "decide")
    ines.press("I have seen it")
    ines.press("Approve")
    ines.sees("End this access now")
    assert ines.interactions + THE_LINK <= MOST_TO_APPROVE, "taps from the alert to a yes"


def reveal(ann: Walker) -> tuple[str, str]:
    """The page opened by itself; the line and the password that it shows."""
    ann.sees(re.compile("Waiting for one yes|Opening|Open"))
    button = ann.page.get_by_role("button", name="Show the password")
    expect(button).to_be_visible(timeout=30_000)
    expect(ann.page.locator("[data-left]")).to_have_text(re.compile(r"^(1 min|\d+ s)"))
    picture(ann.page, "open")
    assert ann.interactions - THE_MINUTE <= MOST_TO_OPEN, "taps and fields from the home page to open access"
    line = ann.page.locator("#psql-line").inner_text()
    button.click()
    password = ann.page.locator("#password").inner_text()
    assert len(password) >= 20
    ann.page.get_by_role("link", name="Back to the access").click()
    return line, password


def work(house: House, line: str, password: str) -> None:
    """Read, change and fail with a real psql."""
    before = house.on_target("SELECT tries FROM shop.payments WHERE id = 29")[0][0]
    done = psql(line, password, READ, CHANGE, REFUSED)
    assert "UPDATE 1" in done.stdout
    assert done.stderr.splitlines() == ["ERROR:  permission denied for table salaries"]
    assert house.on_target("SELECT tries FROM shop.payments WHERE id = 29") == [(int(str(before)) + 1,)]


def statements_show(ann: Walker, case: str) -> None:
    """On the case page, the refused one first."""
    ann.go(case.replace("/requests/", "/cases/"))
    done = ann.page.locator("#case-activity")
    expect(done).to_contain_text("3 actions", timeout=20_000)
    expect(done).to_contain_text("1 failed")
    for statement in (READ, CHANGE, REFUSED):
        expect(done).to_contain_text(masked(statement))
    ann.go(case)


def masked(statement: str) -> str:
    """The part of it that holds no literal: those are masked."""
    return statement.split(" WHERE ")[0]


def more_time(ann: Walker, jon: Walker, case: str, began: int) -> None:
    """Ann asks for a minute more, Jon gives it from his mail."""
    ann.page.locator("summary", has_text="Ask for more time").click()
    ann.page.get_by_label("How many more minutes?").fill("1")
    ann.press("Ask for it")
    ann.sees("Somebody else must give it")
    mail = mail_for(jon.house, "jon", "asks for 1 more minute", after=began)
    assert link_of(mail) == case
    jon.sign_in(link_of(mail))
    jon.press("Give the time")
    jon.sees("More time was given")
    ann.sees("More time was given")


def ended_by_itself(ann: Walker, login: str) -> None:
    """The window runs out, and nobody does anything."""
    ann.sees("Ended, and the target confirmed it", seconds=150)
    ann.sees("Time was over")
    assert ann.house.on_target("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]) == []


def verdict_is_complete(jon: Walker, case: str) -> None:
    """The record is judged once a heartbeat has come back through the target's own log."""
    jon.go(case.replace("/requests/", "/cases/"))
    expect(jon.page.locator("#case-activity .verdict-word strong")).to_have_text("Complete", timeout=90_000)
    jon.page.reload()
    picture(jon.page, "case")
    jon.sees(re.compile("neither login, right nor session is left"))


def dossier_tells(house: House, case: str, began: int, occasion: str) -> None:
    """Who, why, every statement and the verdict stand in the paper that came by mail."""
    subject = f"Dossier: Ann Berg on Shop database ({OCCASIONS[occasion]})"
    for key in ("ann", "mo"):
        mail = mail_for(house, key, subject, after=began, about=id_of(case), seconds=90)
        told = text_of(pdf_of(mail))
        assert is_signed(pdf_of(mail))
        for words in ("Ann Berg", "Ines Duarte", "INC-3001", REASON, *map(masked, (READ, CHANGE, REFUSED))):
            assert words in told, (occasion, words, told)
        assert "complete" in told.lower()


def id_of(case: str) -> str:
    """The case's id, which its address ends with."""
    return case.rstrip("/").rsplit("/", 1)[1]


def name_the_change(page: Page) -> None:
    """What was changed goes back into change control."""
    page.get_by_role("button", name="Change records and the privacy decision").click()
    page.get_by_label("Change record", exact=True).fill("CHG-29")
    page.get_by_label("Raised at").fill("2026-01-01T10:00")
    page.get_by_label("Kept", exact=True).check()
    page.get_by_label("Change data", exact=True).check()
    page.get_by_role("region", name="Change control").get_by_role("button").click()
    expect(page.get_by_text("The change record is on record.")).to_be_visible()
    page.get_by_role("link", name=re.compile("^Review of ")).click()


def review(kim: Walker, case: str, began: int) -> None:
    """Somebody without a part in it takes it and answers all ten questions."""
    query = "SELECT r.id FROM portal_review r JOIN portal_grant g ON g.id = r.grant_id WHERE g.request_id = %s"
    wait_until(lambda: kim.house.rows(query, [id_of(case)]), "the review to be due", seconds=60)
    ((pk,),) = kim.house.rows(query, [id_of(case)])
    mail = mail_for(kim.house, "kim", "Review due: Ann Berg on Shop database", after=began, about=str(pk))
    kim.sign_in(link_of(mail))
    kim.press("Take this review")
    kim.page.locator("#activity-part").scroll_into_view_if_needed()
    expect(kim.page.locator("#acts")).to_contain_text("3 actions")
    picture(kim.page, "review")
    name_the_change(kim.page)
    for question in questions():
        fine = next(
            word for key, word in (("yes", "Yes"), ("no", "No"), ("unsure", "Not sure")) if key not in question.adverse
        )
        kim.page.get_by_role("group", name=f"{question.number}. {question.ask}").get_by_label(fine, exact=True).check()
    kim.page.get_by_role("group", name="Outcome").get_by_label("Accepted", exact=True).check()
    kim.page.locator("input[name=stated]").check()
    kim.press("Submit the review")
    kim.sees("The review is on record.")
