"""Findings, alerts and the status as people see them: both widths, both themes, nothing sideways, axe silent."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from audit.log.heartbeats import beat
from audit.log.models import Heartbeat
from portal.clock import now
from portal.findings import actions
from portal.findings.models import Finding
from portal.notifications.models import Alert
from portal.reconciliation import heartbeats
from tests.browsing import browser_of
from tests.portal.reconciliation.conftest import declare
from tests.web.looking import VARIANTS, fits, press, reach, seen, write
from tests.worlds import World, actor, request_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW, WIDE = VARIANTS[0], VARIANTS[2]
LONG = "payments-settlement-reconciliation-eu-central-production-primary-database"


def enter(page: Page, base: str, world: World, who: str) -> None:
    cookie = browser_of(world.people[who]).cookies["breakglass"]
    page.context.add_cookies([{"name": "breakglass", "value": cookie.value, "url": base}])


def raised(world: World, title: str, owner: str | None = "ben") -> Finding:
    return actions.raise_finding(
        by=actor(world.kim), kind="gap", title=title, about="w-1", details=f"Missing: {LONG}.", system=world.system,
        owner=world.people[owner] if owner else None,
    )  # fmt: skip


def test_pages_are_accessible_and_fit(browser: Browser, base: str, world: World) -> None:
    answered = raised(world, f"Records of {LONG} are missing")
    actions.answer(by=actor(world.ben), finding=answered, cause="A full disk.", response="A bigger one.")
    for title, owner in (("A session that no grant explains", None), ("Logs less", "mo")):
        raised(world, title, owner)
    late = raised(world, "Late")
    Finding.objects.filter(pk=late.pk).update(due_at=now() - timedelta(hours=1))
    request_of(world)
    declare(world)
    heartbeats.send_due()
    for name in ("sealer", "worker", "watch"):
        beat(name)
    Heartbeat.objects.filter(process="worker").update(at=now() - timedelta(minutes=3))
    with seen(browser, WIDE) as page:
        enter(page, base, world, "mo")
        for path in (
            "/findings/", "/findings/?show=closed", f"/findings/{answered.pk}/", f"/findings/{late.pk}/", "/findings/new/", "/alerts/", "/status/",
        ):  # fmt: skip
            page.goto(base + path, wait_until="load")
            fits(page)


@pytest.mark.parametrize("script", [True, False], ids=["script, 390", "no script, 1280"])
def test_finding_is_answered_and_closed_by_two_people(browser: Browser, base: str, world: World, script: bool) -> None:
    row = raised(world, "Records are missing")
    with seen(browser, NARROW if script else WIDE, script=script, expected="422") as page:
        enter(page, base, world, "ben")
        page.goto(f"{base}/findings/?show=mine")
        _saved_and_taken_away(page)
        page.get_by_role("link", name="Records are missing").click()
        press(page, page.get_by_role("button", name="Answer"))
        expect(page.get_by_role("alert")).to_contain_text("2 things to put right")
        write(page, page.get_by_label("What did it come from?"), "A full disk.")
        write(page, page.get_by_label("What is done about it?"), "A bigger one.")
        press(page, page.get_by_role("button", name="Answer"))
        expect(page.get_by_text("A bigger one.").first).to_be_visible()
        expect(page.get_by_role("button", name="Close the finding")).to_have_count(0)
        enter(page, base, world, "mo")
        page.goto(f"{base}/findings/{row.pk}/")
        reach(page, page.get_by_label("Yes, and it holds"))
        page.keyboard.press("Space")
        press(page, page.get_by_role("button", name="Close the finding"))
        expect(page.get_by_text("Tested again: it holds.")).to_be_visible()
    assert Finding.objects.get(pk=row.pk).state == "closed"


def _saved_and_taken_away(page: Page) -> None:
    """By keyboard: the search is saved under a name, and what it finds is a file."""
    press(page, page.locator("summary", has_text="Save this search"))
    write(page, page.get_by_label("Name of the search"), "Mine")
    press(page, page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_role("list", name="Saved searches").get_by_role("link", name="Mine")).to_be_visible()
    with page.expect_download() as taken:
        press(page, page.get_by_role("button", name="As a file (CSV)"))
    lines = taken.value.path().read_text().splitlines()
    assert (taken.value.suggested_filename, len(lines), "Records are missing" in lines[1]) == ("findings.csv", 2, True)


def test_alert_is_said_to_be_seen(browser: Browser, base: str, world: World) -> None:
    request_of(world)
    with seen(browser, WIDE, script=False) as page:
        enter(page, base, world, "ines")
        page.goto(f"{base}/alerts/")
        page.get_by_role("button", name="I have seen it").click()
        expect(page.get_by_text("You said that you have seen it")).to_be_visible()
    assert Alert.objects.get(recipient=world.ines).acknowledged_at is not None


def test_status_turns_by_itself(browser: Browser, base: str, world: World) -> None:
    beat("worker")
    with seen(browser, WIDE) as page:
        enter(page, base, world, "pia")
        page.goto(f"{base}/status/")
        line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Worker", exact=True))
        expect(line).to_contain_text("Healthy")
        Heartbeat.objects.filter(process="worker").update(at=now() - timedelta(minutes=1))
        expect(line).to_contain_text("Down", timeout=10_000)
