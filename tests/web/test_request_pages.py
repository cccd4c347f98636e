"""The emergency in a browser: on a phone, by keyboard alone, without script, and on a page that follows by itself."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from portal.access_requests.actions import see
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.grants import actions, authorising, ending, opening
from portal.grants.models import Grant
from portal.policy.actions import propose
from portal.policy.rules import Policy
from tests.browsing import code_of_device, enter, stale
from tests.web.looking import VARIANTS, axe, fits, no_sideways_scroll, press, reach, seen, touchable, write
from tests.worlds import REASON, World, actor, make_world, opened, request_of, sealing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PHONE, DESK = VARIANTS[0], VARIANTS[3]


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


# --- asking


def test_request_on_a_phone(browser: Browser, world: World, base: str) -> None:
    with seen(browser, PHONE) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/new/")
        page.get_by_label("A service is down, or about to be").check()
        page.get_by_label("What is wrong, and what will you do?").fill("Disk is full.")
        expect(page.get_by_text("27 more characters needed")).to_be_visible()
        page.get_by_label("What is wrong, and what will you do?").fill(REASON)
        expect(page.get_by_text(re.compile("characters, enough"))).to_be_visible()
        page.get_by_label("What kind of trouble is it?").select_option("availability")
        page.get_by_label("Read data").check()
        page.get_by_label("Incident").fill("INC-1")
        before = page.locator("#ends").inner_text()
        page.get_by_role("button", name="120").click()
        expect(page.get_by_label("For how long?")).to_have_value("120")
        expect(page.locator("#ends")).not_to_have_text(before)
        page.get_by_role("button", name="Ask for access").click()
        expect(page.get_by_text("Waiting for one yes from Ines or Jon. Nobody has seen it yet.")).to_be_visible()
        no_sideways_scroll(page)
        touchable(page)


def test_emergency_by_keyboard_alone(browser: Browser, world: World, base: str) -> None:
    with seen(browser, PHONE) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/new/")
        press(page, page.locator("a.btn-to-glass"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Break the glass: Billing")
        reach(page, page.locator("input[name=criterion]").first)
        page.keyboard.press("Space")
        write(page, page.locator("textarea[name=reason]"), "Writes fail.")
        press(page, page.locator("button.btn-glass"))
        expect(page.get_by_role("button", name="Show the password")).to_be_visible(timeout=15_000)
        press(page, page.locator("form.reveal button"))
        expect(page.locator("#password")).to_have_text(re.compile(r"^\S{20,}$"))
        press(page, page.locator("main a.btn-primary"))
        expect(page.locator(".end-row summary")).to_be_visible()
        press(page, page.locator(".end-row summary"))
        press(page, page.locator(".end-row button"))
        expect(page.get_by_text("Ended, and the target confirmed it")).to_be_visible(timeout=15_000)


def test_errors_lead_to_their_fields_and_lose_nothing(browser: Browser, world: World, base: str) -> None:
    with seen(browser, PHONE, expected="422") as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/new/")
        page.get_by_label("What is wrong, and what will you do?").fill("Too short.")
        page.get_by_role("button", name="Ask for access").click()
        summary = page.get_by_role("alert")
        expect(summary).to_be_focused()
        places = [page.locator(each).bounding_box() for each in ("#id_reason", "#policy")]
        tops = [place["y"] for place in places if place]
        assert (len(tops), tops) == (2, sorted(tops)), "nothing stands between what must be put right and its fields"
        summary.get_by_role("link", name="What is wrong").click()
        expect(page.get_by_label("What is wrong, and what will you do?")).to_be_focused()
        expect(page.get_by_label("What is wrong, and what will you do?")).to_have_value("Too short.")
        axe(page)
        no_sideways_scroll(page)


# --- without script


def test_whole_way_without_script(browser: Browser, world: World, base: str) -> None:
    with seen(browser, PHONE, script=False) as ann, seen(browser, PHONE, script=False) as ines:
        enter(ann, base, world.ann)
        enter(ines, base, world.ines)
        ann.goto(f"{base}/requests/new/")
        ann.get_by_label("A service is down, or about to be").check()
        ann.get_by_label("What is wrong, and what will you do?").fill(REASON)
        ann.get_by_label("What kind of trouble is it?").select_option("availability")
        ann.get_by_label("Read data").check()
        ann.get_by_label("Incident").fill("INC-1")
        ann.get_by_role("button", name="Ask for access").click()
        ines.goto(f"{base}/requests/")
        ines.get_by_role("link", name="Ann: Billing").click()
        ines.get_by_role("button", name="I have seen it").click()
        ann.get_by_role("link", name="Look again").click()
        expect(ann.get_by_text("One person has seen it.")).to_be_visible()
        stale(world.ines)
        ines.get_by_label("Comment").fill("Go.")
        ines.get_by_role("button", name="Approve").click()
        ines.get_by_label("Code of your authenticator").fill(code_of_device(world.ines))
        ines.get_by_role("button", name="Confirm and go on").click()
        expect(ines.get_by_text("End this access now")).to_be_visible()
        ann.get_by_role("link", name="Look again").click()
        ann.get_by_role("button", name="Show the password").click()
        expect(ann.locator("#password")).to_have_text(re.compile(r"^\S{20,}$"))
        ann.get_by_role("link", name="Back to the access").click()
        ann.locator("summary", has_text="I am done").click()
        ann.get_by_role("button", name="End my access").click()
        expect(ann.get_by_text("Ended, and the target confirmed it")).to_be_visible()


def test_withdrawing_is_asked_again_in_place_without_script(browser: Browser, world: World, base: str) -> None:
    waiting = request_of(world)
    with seen(browser, PHONE, script=False) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/{waiting.pk}/")
        button = page.get_by_role("button", name="Withdraw it")
        expect(button).to_be_hidden()
        page.get_by_text("Withdraw the request").click()
        button.click()
        expect(page.get_by_text("Withdrawn")).to_be_visible()


def test_what_was_done_is_read_over_the_whole_width(browser: Browser, world: World, base: str) -> None:
    grant = opened(world)
    widths = {}
    for variant in (PHONE, DESK):
        with seen(browser, variant) as page:
            enter(page, base, world.ann)
            page.goto(f"{base}/requests/{grant.request_id}/")
            done, asked, around = (page.locator(each).bounding_box() for each in ("#done", "#asked", ".columns"))
            assert done
            assert asked
            assert around
            widths[variant.width] = round(around["width"] - done["width"])
            assert (done["y"] < asked["y"]) == (variant is PHONE)
    assert widths == {PHONE.width: 0, DESK.width: 0}


def test_bypass_and_anothers_end_without_script(browser: Browser, world: World, base: str) -> None:
    with seen(browser, PHONE, script=False) as ann, seen(browser, PHONE, script=False) as owner:
        enter(ann, base, world.ann)
        enter(owner, base, world.mo)
        ann.goto(f"{base}/requests/bypass/")
        ann.get_by_label("A service is down, or about to be").check()
        ann.get_by_label("What is wrong? One sentence is enough.").fill("Writes fail.")
        ann.get_by_role("button", name="Break the glass now").click()
        expect(ann.get_by_role("button", name="Show the password")).to_be_visible()
        owner.goto(ann.url)
        owner.locator("summary", has_text="End this access now").click()
        owner.get_by_label("Why do you end it?").fill("Wrong system.")
        owner.get_by_role("button", name="End it now").click()
        expect(owner.get_by_text("Ended, and the target confirmed it")).to_be_visible()
        ann.get_by_role("link", name="Look again").click()
        expect(ann.get_by_text("You still owe something")).to_be_visible()


# --- the page follows by itself


def test_page_follows_by_itself_from_waiting_to_the_end(browser: Browser, world: World, base: str) -> None:
    request = request_of(world)
    with seen(browser, PHONE) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/{request.pk}/")
        see(by=actor(world.ines), request=request)
        expect(page.get_by_text("One person has seen it.").first).to_be_visible()
        expect(page.locator("#voice")).to_have_text(re.compile("One person has seen it."))
        grant = authorising.approve(by=actor(world.ines), request=request)
        assert grant is not None
        opening.run(grant.pk)
        expect(page.get_by_role("button", name="Show the password")).to_be_visible()
        expect(page.locator("[data-left]")).to_have_text(re.compile(r"^(30|29) min$"))
        actions.revoke(by=actor(world.mo), grant=grant, reason="Enough.")
        expect(page.get_by_text("Still live until it is read back")).to_be_visible()
        ending.run(grant.pk)
        expect(page.get_by_text("Ended, and the target confirmed it")).to_be_visible()


def test_what_is_typed_outlives_what_happens_meanwhile(browser: Browser, world: World, base: str) -> None:
    grant = opened(world)
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    with seen(browser, DESK) as page:
        enter(page, base, world.mo)
        page.goto(f"{base}/requests/{grant.request_id}/")
        page.locator("summary", has_text="End this access now").click()
        page.get_by_label("Why do you end it?").fill("I type this")
        actions.decide_extension(by=actor(world.jon), extension=asked, give=True)
        expect(page.get_by_text("More time was given")).to_be_visible()
        expect(page.get_by_label("Why do you end it?")).to_be_visible()
        expect(page.get_by_label("Why do you end it?")).to_have_value("I type this")


def test_page_of_one_whose_sign_in_was_ended_asks_to_sign_in(browser: Browser, world: World, base: str) -> None:
    request = request_of(world)
    with seen(browser, PHONE) as page:
        enter(page, base, world.ann)
        page.goto(f"{base}/requests/{request.pk}/")
        world.ann.sign_ins.update(ended_at=now(), ended_cause="signed out")
        page.wait_for_url("**/sign-in/?next=**")


# --- looks


def shown(world: World) -> list[tuple[str, str]]:
    """Each page in each of its stages: whose, and where."""
    waiting = request_of(world, "ben", reason=f"{REASON} And so on.")
    open_grant = opened(world)
    actions.ask_extension(by=actor(world.ann), grant=open_grant, minutes=10, reason="The index still builds.")
    lapsed = request_of(world, "ben", reason=f"{REASON} Long ago.")
    AccessRequest.objects.filter(pk=lapsed.pk).update(state="lapsed", decided_at=now())
    bypassed = opening.run(
        authorising.bypass(
            by=actor(world.ben), privilege=world.privilege, asked=world.asked("bypass", incident_ref="")
        ).pk
    )
    actions.give_back(by=actor(world.ben), grant=bypassed)
    ending.run(bypassed.pk)
    long = request_of(world, "ben", reason=f"{REASON} So long.")
    AccessRequest.objects.filter(pk=long.pk).update(requested_at=now() - timedelta(minutes=11))
    version = propose(by=actor(world.pia), system=world.system, policy=Policy(max_grant_minutes=90))
    make_world(slug="payments-settlement-reconciliation", on_target="settlement", people=world.people)
    chosen = f"?privilege={world.privilege.pk}"
    return [
        ("ann", "/requests/new/"), ("ann", f"/requests/new/{chosen}"), ("ann", "/requests/bypass/"), ("ann", f"/requests/bypass/{chosen}"),
        ("ann", "/requests/?list=mine"), ("ines", "/requests/?list=waiting"), ("ben", f"/requests/{waiting.pk}/"), ("ines", f"/requests/{waiting.pk}/"),
        ("ann", f"/requests/{open_grant.request_id}/"), ("mo", f"/requests/{open_grant.request_id}/"), ("ben", f"/requests/{lapsed.pk}/"),
        ("ben", f"/requests/{bypassed.request_id}/"), ("ben", f"/requests/{bypassed.request_id}/supplement/"), ("ben", f"/requests/{long.pk}/"),
        ("pia", "/policies/"), ("pia", f"/policies/{world.system.pk}/"), ("pia", f"/policies/{world.system.pk}/new/"),
        ("quinn", f"/policies/versions/{version.pk}/"),
    ]  # fmt: skip


def test_every_page_is_accessible_and_fits(browser: Browser, world: World, base: str) -> None:
    pages = shown(world)
    for name in sorted({name for name, _ in pages}):
        with seen(browser, PHONE) as page:
            enter(page, base, world.people[name])
            for address in (address for whose, address in pages if whose == name):
                page.goto(base + address)
                fits(page)
    assert Grant.objects.filter(state="ended").count() == 1
