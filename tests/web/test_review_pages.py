"""Reviews as people see and fill them in."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, expect

from audit.packs import retests
from portal.findings import actions as findings
from portal.findings.models import Finding
from portal.policy.rules import CLASSES
from portal.reviews.models import Review
from portal.reviews.questions import questions
from tests.audit.cases.written import Did, do
from tests.audit.packs.told import seal
from tests.browsing import code_of_device, enter, stale
from tests.portal.reviews.test_second import second_due
from tests.portal.reviews.used import due, follow_all, grant_of, submitted, taken
from tests.web.looking import VARIANTS, Variant, axe, fits, no_sideways_scroll, press, seen, write
from tests.worlds import World, actor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[2]


def test_pages_are_accessible_and_fit(browser: Browser, base: str, world: World) -> None:
    mine, waiting, done = taken(world), due(world, by="ben", mode="bypass"), submitted(world, "kim", by="ben")
    cases = [f"/reviews/{each.pk}/" for each in (mine, waiting, done)]
    with seen(browser, NARROW, expected="404") as page:
        enter(page, base, world.kim)
        for path in ("/reviews/", "/reviews/?show=done", *cases):
            page.goto(base + path, wait_until="networkidle")
            fits(page)


def answer_all(page: Page) -> None:
    """Nothing to complain about."""
    for question in questions():
        word = "Yes" if "yes" not in question.adverse else "No"
        page.get_by_role("group", name=f"{question.number}. ").get_by_label(word, exact=True).check()


@pytest.mark.parametrize("variant", [NARROW, WIDE], ids=lambda variant: variant.name)
def test_whole_way_of_a_review(browser: Browser, base: str, world: World, variant: Variant, tmp_path: Path) -> None:
    """Taken by keyboard, looked at, a group accepted, kept half-done, change and privacy said, submitted with a finding, which is tested again and closed."""
    review = due(world)
    do(grant_of(review), [Did("SELECT * FROM invoices"), Did("DROP TABLE old", "schema_change")])
    follow_all()
    with seen(browser, variant, expected="422") as page:
        enter(page, base, world.kim)
        page.goto(f"{base}/reviews/{review.pk}/")
        press(page, page.get_by_role("button", name="Take this review"))
        page.get_by_role("heading", name="What was done").scroll_into_view_if_needed()
        expect(page.get_by_role("link", name="Schema change in session")).to_be_visible()
        page.get_by_label("Comment on question 2", exact=True).fill("Left by a link.")
        press(page, page.get_by_role("link", name="Schema change in session"))
        write(page, page.get_by_label("Why is this acceptable?"), "The table was the cause.")
        press(page, page.get_by_role("button", name="Accept all of this kind in this session"))
        expect(page.get_by_text("Accepted: 1 action.")).to_be_visible()
        axe(page)
        no_sideways_scroll(page)
        page.get_by_role("link", name="Review of Ann on Billing").click()
        expect(page.get_by_label("Comment on question 2", exact=True)).to_have_value("Left by a link.")
        page.get_by_label("Comment on question 2", exact=True).fill("")
        page.get_by_role("group", name="1. ").get_by_label("Not sure").check()
        page.get_by_label("Comment on question 1", exact=True).fill("The pager was silent.")
        page.get_by_role("button", name="Keep my answers for now").click()
        expect(page.get_by_text("Your answers are kept.")).to_be_visible()
        expect(page.get_by_text("The table was the cause.")).to_be_visible()
        page.screenshot(path=tmp_path / f"review-ticked-{variant.name}.png", full_page=True)
        axe(page)
        no_sideways_scroll(page)
        say_change_and_privacy(page)
        answer_all(page)
        page.get_by_role("group", name="10. ").get_by_label("Yes", exact=True).check()
        page.get_by_label("Comment on question 10", exact=True).fill("A normal way is missing.")
        press(page, page.get_by_role("button", name="Submit the review"))
        expect(page.get_by_role("alert")).to_be_focused()
        page.get_by_label("Accepted, with findings to put right").check()
        page.get_by_label("I looked at the evidence listed here").check()
        stale(world.kim)
        page.get_by_role("button", name="Submit the review").click()
        page.get_by_label("Code of your authenticator").fill(code_of_device(world.kim))
        page.get_by_role("button", name="Confirm and go on").click()
        expect(page.get_by_text("The review is on record.")).to_be_visible()
        close_the_finding(page, world)
    row = Review.objects.get(pk=review.pk)
    assert (row.state, row.outcome) == ("submitted", "accepted_with_findings")
    assert [(each.kind, each.count) for each in row.acceptances.all()] == [("schema_change", 1)]
    assert (row.change_records.get().reference, row.privacy.breach) == ("CHG-7", False)
    assert Finding.objects.get(about=str(row.pk)).state == "closed"


def name_the_change(page: Page) -> None:
    """That every change is recorded is not taken from who names no record of it."""
    page.get_by_role("button", name="Change records and the privacy decision").click()
    page.get_by_label("Change record", exact=True).fill("CHG-7")
    page.get_by_label("Raised at").fill("2026-01-01T10:00")
    page.get_by_label("Kept", exact=True).check()
    page.get_by_label(CLASSES["schema_change"]).check()
    page.get_by_role("region", name="Change control").get_by_role("button").click()
    expect(page.get_by_text("The change record is on record.")).to_be_visible()


def say_change_and_privacy(page: Page) -> None:
    page.get_by_label("Comment on question 1", exact=True).fill("Writes did hang.")
    name_the_change(page)
    page.get_by_label("No", exact=True).check()
    page.get_by_label("Why", exact=True).fill("Only totals were read.")
    page.get_by_role("region", name="Privacy").get_by_role("button").click()
    expect(page.get_by_text("The privacy decision is on record.")).to_be_visible()
    axe(page)
    no_sideways_scroll(page)
    page.get_by_role("link", name="Review of Ann on Billing").click()
    expect(page.get_by_label("Comment on question 1", exact=True)).to_have_value("Writes did hang.")


def close_the_finding(page: Page, world: World) -> None:
    """Its owner answers; the control test is run again on the log; who reviewed closes it."""
    page.get_by_role("link", name="Is there something to learn").click()
    row = Finding.objects.get(test_id="T-18")
    findings.answer(by=actor(world.mo), finding=row, cause="No role.", response="A role.")
    page.reload()
    press(page, page.get_by_role("button", name="Run the control test again"))
    expect(page.get_by_text("Control test T-18 is being run.")).to_be_visible()
    seal()
    assert retests.run_due() == 1
    page.reload()
    expect(page.get_by_text("on the log alone")).to_be_visible()
    page.get_by_label("Yes, and it holds").check()
    press(page, page.get_by_role("button", name="Close the finding"))
    expect(page.get_by_text("Tested again: it holds.")).to_be_visible()


def only_what_is_on_screen_is_told(page: Page) -> None:
    """Hidden for a while the page counts nothing: what is told after it was shown again began when it was shown."""
    show = "state => { Object.defineProperty(document, 'visibilityState', { value: state, configurable: true }); "
    show += "document.dispatchEvent(new Event('visibilitychange')); return performance.now(); }"
    later = "begun => performance.now() - begun > 700"
    page.wait_for_function(later, arg=page.evaluate("performance.now()"))
    with page.expect_request("**/on-screen/"):
        hidden = page.evaluate(show, "hidden")
    page.wait_for_function(later, arg=hidden)
    shown = page.evaluate(show, "visible")
    page.wait_for_function(later, arg=shown)
    with page.expect_request("**/on-screen/") as told:
        again = page.evaluate(show, "hidden")
    (span,) = parse_qs(told.value.post_data or "")["on_screen"]
    assert 700 <= int(span.split("-")[0]) <= again - shown + 50
    page.evaluate(show, "visible")


def test_second_look(browser: Browser, base: str, world: World) -> None:
    """Two grave answers, and Lea, who did not judge first, disagrees."""
    review = second_due(world)
    with seen(browser, NARROW, expected="422") as page:
        enter(page, base, world.lea)
        page.goto(f"{base}/reviews/{review.pk}/")
        fits(page)
        press(page, page.get_by_role("button", name="Take the second look"))
        expect(page.get_by_text("It could wait.")).to_be_visible()
        only_what_is_on_screen_is_told(page)
        press(page, page.get_by_role("button", name="Submit the second look"))
        expect(page.get_by_role("alert")).to_contain_text("3 things to put right")
        fits(page)
        page.get_by_label("No, I disagree").check()
        page.get_by_label("What did you see?").fill("Writes did hang: I read the same statements.")
        page.get_by_label("I looked at the evidence and at the first judgement").check()
        page.get_by_role("button", name="Submit the second look").click()
        expect(page.get_by_text("The review is done.")).to_be_visible()
        expect(page.get_by_text("Writes did hang")).to_be_visible()
    assert Review.objects.get(pk=review.pk).second_agrees is False


def test_review_without_script(browser: Browser, base: str, world: World) -> None:
    review = taken(world)
    _, dropped = do(grant_of(review), [Did("SELECT 1"), Did("DROP TABLE old", "schema_change")])
    follow_all()
    with seen(browser, NARROW, script=False, expected="422") as page:
        enter(page, base, world.kim)
        page.goto(f"{base}/reviews/{review.pk}/")
        page.get_by_label("Comment on question 1", exact=True).fill("Writes did hang.")
        page.get_by_role("button", name="See what was done").click()
        page.get_by_role("link", name="Schema change in session").click()
        expect(page.get_by_text("DROP TABLE old")).to_be_visible()
        page.get_by_role("checkbox", name="Acceptable").check()
        page.get_by_role("button", name="Accept what I ticked").click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_role("checkbox", name="Acceptable")).to_be_checked()
        page.get_by_label("Why is this acceptable?").fill("The table was the cause.")
        page.get_by_role("button", name="Accept what I ticked").click()
        expect(page.get_by_text("Accepted by the reviewer")).to_be_visible()
        page.get_by_role("link", name="Review of Ann on Billing").click()
        name_the_change(page)
        page.get_by_role("link", name="Review of Ann on Billing").click()
        expect(page.get_by_label("Comment on question 1", exact=True)).to_have_value("Writes did hang.")
        answer_all(page)
        page.get_by_label("Accepted", exact=True).check()
        page.get_by_label("I looked at the evidence listed here").check()
        page.get_by_role("button", name="Submit the review").click()
        expect(page.get_by_text("The review is on record.")).to_be_visible()
    assert [each.activities for each in review.acceptances.all()] == [[dropped]]
