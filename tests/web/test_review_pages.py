"""Reviews as people see and fill them in."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal.reviews.models import Review
from portal.reviews.questions import questions
from tests.audit.cases.written import Did, do
from tests.browsing import code_of_device, enter, stale
from tests.portal.reviews.used import due, follow_all, submitted, taken
from tests.web.looking import VARIANTS, Variant, axe, fits, no_sideways_scroll, seen
from tests.worlds import World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[2]


@pytest.fixture
def world(live_server: LiveServer) -> World:
    return make_world()


@pytest.fixture
def base(live_server: LiveServer) -> str:
    return str(live_server.url)


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
    """Taken, looked at, an activity accepted, kept half-done, opened again, submitted with a fresh factor."""
    review = due(world)
    do(review.grant, [Did("SELECT * FROM invoices"), Did("DROP TABLE old", "schema_change")])
    follow_all()
    with seen(browser, variant, expected="422") as page:
        enter(page, base, world.kim)
        page.goto(f"{base}/reviews/{review.pk}/")
        page.get_by_role("button", name="Take this review").click()
        page.get_by_role("heading", name="What was done").scroll_into_view_if_needed()
        page.get_by_role("link", name="Schema change in session").click()
        page.get_by_label("Why is this acceptable?").fill("The table was the cause.")
        page.get_by_role("button", name="Accept all of this kind in this session").click()
        expect(page.get_by_text("Accepted: 1 action.")).to_be_visible()
        axe(page)
        no_sideways_scroll(page)
        page.get_by_role("link", name="Review of Ann on Billing").click()
        page.get_by_role("group", name="1. ").get_by_label("Not sure").check()
        page.get_by_label("Comment on question 1", exact=True).fill("The pager was silent.")
        page.get_by_role("button", name="Keep my answers for now").click()
        expect(page.get_by_text("Your answers are kept.")).to_be_visible()
        expect(page.get_by_text("The table was the cause.")).to_be_visible()
        page.screenshot(path=tmp_path / f"review-ticked-{variant.name}.png", full_page=True)
        axe(page)
        no_sideways_scroll(page)
        answer_all(page)
        page.get_by_role("button", name="Submit the review").click()
        expect(page.get_by_role("alert")).to_be_focused()
        page.get_by_label("Accepted", exact=True).check()
        page.get_by_label("I looked at the evidence listed here").check()
        stale(world.kim)
        page.get_by_role("button", name="Submit the review").click()
        page.get_by_label("Code of your authenticator").fill(code_of_device(world.kim))
        page.get_by_role("button", name="Confirm and go on").click()
        expect(page.get_by_text("The review is on record.")).to_be_visible()
    row = Review.objects.get(pk=review.pk)
    assert (row.state, row.outcome) == ("submitted", "accepted")
    assert [(each.kind, each.count) for each in row.acceptances.all()] == [("schema_change", 1)]


def test_review_without_script(browser: Browser, base: str, world: World) -> None:
    review = taken(world)
    _, dropped = do(review.grant, [Did("SELECT 1"), Did("DROP TABLE old", "schema_change")])
    follow_all()
    with seen(browser, NARROW, script=False, expected="422") as page:
        enter(page, base, world.kim)
        page.goto(f"{base}/reviews/{review.pk}/")
        page.get_by_role("link", name="See what was done").click()
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
        answer_all(page)
        page.get_by_label("Accepted", exact=True).check()
        page.get_by_label("I looked at the evidence listed here").check()
        page.get_by_role("button", name="Submit the review").click()
        expect(page.get_by_text("The review is on record.")).to_be_visible()
    assert [each.activities for each in review.acceptances.all()] == [[dropped]]
