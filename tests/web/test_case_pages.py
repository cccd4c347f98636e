"""Pages of cases and of the log as an auditor sees them: at two widths, in two themes, with and without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal.access_requests.actions import decline
from portal.grants import authorising, opening, sweep
from portal.grants.models import Grant
from tests.audit.cases.conftest import listed
from tests.audit.cases.written import Did, do, hire_auditor, judge, review
from tests.browsing import enter
from tests.web.looking import VARIANTS, fits, press, reach, seen, write
from tests.worlds import World, actor, make_world, opened, overdue, request_of, sealing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
ACTS = (
    Did("SELECT id, amount FROM invoices WHERE state = 'stuck' ORDER BY created_at LIMIT 50"),
    Did("UPDATE invoices SET state = 'queued' WHERE id = 4711", "data_change"),
    Did("DELETE FROM ledger WHERE posted_at < '2026-01-01'", "data_change", "denied", "ledger", "42501"),
    Did("ALTER TABLE invoices ADD COLUMN " + "a_very_long_name_without_any_break_" * 8 + " text", "schema_change"),
    Did(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class ORDER BY 2 DESC LIMIT 10",
        "catalogue_read",
        object="pg_class",
    ),
)


@pytest.fixture
def world() -> Iterator[World]:
    with sealing():
        made = make_world()
        hire_auditor(made)
        yield made


def whole_case(world: World) -> Grant:
    """Asked, approved, used, ended, judged, reviewed."""
    grant = opened(world)
    do(grant, ACTS)
    overdue(grant)
    assert sweep.run_due("test") == 1
    judge(grant, "gap", ["session 6741a0.1f3c: 7-9"], ["Numbers 7-9 of session 6741a0.1f3c never came."])
    review(grant, actor(world.kim), outcome="adverse", adverse_answers=1)
    return grant


def open_bypass(world: World) -> Grant:
    """A bypass that owes everything, open, with actions out of its intent."""
    asked = world.asked("bypass", reason="Writes fail.", incident_ref="", intended_classes=(), category="")
    grant = opening.run(authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=asked).pk)
    do(grant, ACTS[:3], session="6741a9.2")
    return grant


def declined_case(world: World) -> str:
    request = request_of(world, "ben", reason="A thing that an approver turns down, with a reason.")
    decline(by=actor(world.ines), request=request, comment="Use the runbook: the disk can be grown without this.")
    return str(request.pk)


def addresses(world: World) -> list[str]:
    """Each page, in each of its states."""
    whole, bypass, declined = whole_case(world).request_id, open_bypass(world).request_id, declined_case(world)
    listed()
    return [
        "/cases/", "/cases/?q=nothing+like+this", f"/cases/{whole}/", f"/cases/{bypass}/", f"/cases/{declined}/", f"/cases/{whole}/statements/",
        "/log/", f"/log/?case={whole}", "/log/0/",
    ]  # fmt: skip


def test_pages_are_without_fault_for_eye_and_ear(world: World, live_server: LiveServer, browser: Browser) -> None:
    pages = addresses(world)
    with seen(browser, VARIANTS[0]) as page:
        enter(page, live_server.url, world.vera)
        for address in pages:
            page.goto(live_server.url + address)
            for details in page.locator("main details").all():
                details.evaluate("each => each.open = true")
            fits(page)


def test_statement_appears_without_a_reload(world: World, live_server: LiveServer, browser: Browser) -> None:
    grant = open_bypass(world)
    with seen(browser, VARIANTS[2]) as page:
        enter(page, live_server.url, world.vera)
        page.goto(f"{live_server.url}/cases/{grant.request_id}/")
        expect(page.get_by_text("3 actions", exact=False).first).to_be_visible()
        do(grant, [Did("TRUNCATE audit_trail", "data_change")], session="6741a9.7")
        expect(page.get_by_text("TRUNCATE audit_trail")).to_be_visible(timeout=5000)
        overdue(grant)
        assert sweep.run_due("test") == 1
        judge(grant, "complete")
        expect(page.get_by_text("Every numbered line of the target's log is there once.")).to_be_visible(timeout=5000)
        expect(page.locator("#case-activity[hx-get]")).to_have_count(0)


def test_part_is_the_same_afresh_as_polled(world: World, live_server: LiveServer, browser: Browser) -> None:
    grant = open_bypass(world)
    with seen(browser, VARIANTS[2]) as page:
        enter(page, live_server.url, world.vera)
        page.goto(f"{live_server.url}/cases/{grant.request_id}/")
        do(grant, ACTS[3:], session="6741a9.7")
        expect(page.get_by_text("5 actions", exact=False).first).to_be_visible(timeout=5000)
        polled = _words(page)
        page.reload()
        assert _words(page) == polled


def test_auditor_finds_a_case_and_its_proof_by_keyboard_alone(
    world: World, live_server: LiveServer, browser: Browser
) -> None:
    whole_case(world)
    listed()
    with seen(browser, VARIANTS[2]) as page:
        enter(page, live_server.url, world.vera)
        page.goto(f"{live_server.url}/cases/")
        write(page, page.get_by_label("Search"), "INC-1")
        page.keyboard.press("Enter")
        expect(page.locator("#total")).to_have_text("1 case")
        press(page, page.get_by_role("row").get_by_role("link", name="Billing"))
        expect(page.get_by_role("heading", name="Billing emergency on Billing")).to_be_visible()
        reach(page, page.locator("a[href$='/proof']").first)
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename.endswith(".tlog-proof")


def test_list_is_narrowed_without_script(world: World, live_server: LiveServer, browser: Browser) -> None:
    whole_case(world)
    declined_case(world)
    listed()
    with seen(browser, VARIANTS[0], script=False) as page:
        enter(page, live_server.url, world.vera)
        page.goto(f"{live_server.url}/cases/")
        page.get_by_label("Status").select_option("declined")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_text("1 of 2 cases")).to_be_visible()
        page.get_by_role("row").get_by_role("link", name="Billing").click()
        expect(page.get_by_text("Use the runbook").first).to_be_visible()
        expect(page.get_by_text("It was never opened.")).to_be_visible()


def _words(page: Page) -> str:
    return " ".join(page.locator("#case-activity").inner_text().split())
