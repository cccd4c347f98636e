"""The page of one request until it is decided: who sees it, who may do what, what is said while one waits."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.access_requests.actions import decline, lapse, see
from portal.access_requests.models import AccessRequest, Seen
from portal.clock import now
from portal.eligibility.models import RoleAssignment
from portal.grants import authorising
from portal.grants.models import Grant
from portal.notifications.models import Alert
from portal.policy.rules import Policy
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.worlds import REASON, World, actor, make_world, names_of, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def request_(world: World) -> AccessRequest:
    return request_of(world)


def live(browser: Client, page: bytes) -> Any:
    """What a poll of that page gives."""
    asked = re.search(r'hx-get="(/requests/[^"]+/live/[^"]*)"', page.decode())
    assert asked
    return browser.get(asked[1].replace("&amp;", "&"), headers={"HX-Request": "true"})


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("ann", True),
        ("ines", True),
        ("mo", True),
        ("kim", True),
        ("otto", True),
        ("pia", True),
        ("ben", False),
        ("zoe", False),
    ],
)
def test_page_is_there_for_those_concerned_alone(world: World, request_: AccessRequest, name: str, sees: bool) -> None:
    browser = browser_of(world.people[name])
    expected = 200 if sees else 404
    assert browser.get(f"/requests/{request_.pk}/").status_code == expected
    assert browser.get(f"/requests/{request_.pk}/live/").status_code == expected


def test_expired_role_and_role_for_another_system_see_nothing(world: World, request_: AccessRequest) -> None:
    make_world(slug="payments", on_target="payments_emergency", people=world.people)
    RoleAssignment.objects.filter(person__in=[world.jon, world.ines], system=world.system).update(
        to_at=now() - timedelta(minutes=1)
    )
    for name in ("ines", "jon"):
        browser = browser_of(world.people[name])
        assert browser.get(f"/requests/{request_.pk}/").status_code == 404
        assert browser.post(f"/requests/{request_.pk}/decide/", {"decision": "approve"}).status_code == 403
    request_.refresh_from_db()
    assert request_.state == "awaiting"


ACTS = {"seen": {}, "decide": {"decision": "approve"}, "withdraw": {}}
MAY = {"seen": {"ines", "jon"}, "decide": {"ines", "jon"}, "withdraw": {"ann"}}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("name", ["ann", "ben", "ines", "kim", "mo", "otto", "pia", "zoe"])
def test_who_may_act_and_who_is_shown_the_button(world: World, request_: AccessRequest, act: str, name: str) -> None:
    browser = browser_of(world.people[name])
    page = browser.get(f"/requests/{request_.pk}/").content.decode()
    assert (f"/{act}/" in page) == (name in MAY[act])
    with sealing():
        answer = browser.post(f"/requests/{request_.pk}/{act}/", ACTS[act])
    request_.refresh_from_db()
    if name in MAY[act]:
        assert answer.status_code == 302
    else:
        assert (answer.status_code, request_.state, Seen.objects.count()) == (403, "awaiting", 0)
        assert names_of(request_.pk)[-1] in ("request.approval_refused", "request.act_refused")


def test_strangers_are_asked_to_sign_in_and_come_back(request_: AccessRequest) -> None:
    assert Client().get(f"/requests/{request_.pk}/").headers["Location"] == f"/sign-in/?next=/requests/{request_.pk}/"
    answer = Client().get(f"/requests/{request_.pk}/live/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (
        204,
        f"/sign-in/?next=%2Frequests%2F{request_.pk}%2F",
    )


def test_approver_is_shown_what_the_decision_needs(world: World, request_: AccessRequest) -> None:
    said = text(browser_of(world.ines).get(f"/requests/{request_.pk}/").content)
    for words in (
        "Ann says",
        REASON,
        "INC-1",
        "30 minutes, to read data, change data",
        "none on this system in 90 days",
        "Your yes opens Billing for 30 minutes, until about",
    ):
        assert words in said


def test_last_approval_opens_within_the_request(world: World, request_: AccessRequest) -> None:
    with sealing():
        answer = browser_of(world.ines).post(
            f"/requests/{request_.pk}/decide/", {"decision": "approve", "comment": "Go."}, follow=True
        )
    assert Grant.objects.get().state == "active"
    assert "until" in text(answer.content)
    assert "End this access now" in text(answer.content)
    assert "Show the password" not in text(answer.content)


def test_quorum_of_two_waits_for_the_second(world: World) -> None:
    two = make_world(
        slug="payments", on_target="payments_emergency", people=world.people, policy=Policy(min_approvals=2)
    )
    request = request_of(two)
    with sealing():
        said = text(
            browser_of(world.ines).post(f"/requests/{request.pk}/decide/", {"decision": "approve"}, follow=True).content
        )
        assert not Grant.objects.exists()
        assert "Waiting for one yes from Jon." in said
        assert "Your decision" not in said
        browser_of(world.jon).post(f"/requests/{request.pk}/decide/", {"decision": "approve"})
    assert Grant.objects.get().state == "active"


def test_decline_needs_its_reason_and_keeps_what_was_typed(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ines)
    answer = browser.post(f"/requests/{request_.pk}/decide/", {"decision": "decline", "comment": "  "})
    assert answer.status_code == 422
    assert "Say why you decline." in text(answer.content)
    assert (
        browser.post(
            f"/requests/{request_.pk}/decide/", {"decision": "decline", "comment": "Use the <b>replica</b>."}
        ).status_code
        == 302
    )
    said = text(browser_of(world.ann).get(f"/requests/{request_.pk}/").content)
    assert "Use the <b>replica</b>." in said
    assert "Ask again, filled in" in said


def test_decision_that_is_not_one_is_refused(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ines)
    for decision in ("", "maybe"):
        assert browser.post(f"/requests/{request_.pk}/decide/", {"decision": decision}).status_code == 422
    assert browser.get(f"/requests/{request_.pk}/decide/").status_code == 405


def test_stale_second_factor_keeps_comment_and_decision(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ines)
    stale(world.ines)
    asked = browser.post(f"/requests/{request_.pk}/decide/", {"decision": "approve", "comment": "Go."}).content.decode()
    assert 'name="comment" value="Go."' in asked
    assert 'name="decision" value="approve"' in asked
    assert AccessRequest.objects.get().state == "awaiting"
    with sealing():
        code = code_of_device(world.ines)
        answer = browser.post(
            f"/requests/{request_.pk}/decide/", {"decision": "approve", "comment": "Go.", "code": code}
        )
    assert answer.status_code == 302
    assert AccessRequest.objects.get().approvals.get().comment == "Go."
    assert browser.get(f"/requests/{request_.pk}/").status_code == 200


def test_broken_log_decides_nothing_and_keeps_the_comment(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ines)
    with broken_log():
        answer = browser.post(f"/requests/{request_.pk}/decide/", {"decision": "approve", "comment": "Go at once."})
        seen = browser.post(f"/requests/{request_.pk}/seen/")
    request_.refresh_from_db()
    assert (answer.status_code, seen.status_code, request_.state, Seen.objects.count()) == (503, 503, "awaiting", 0)
    assert "Go at once." in text(answer.content)


def test_second_decision_is_told_that_it_is_late(world: World, request_: AccessRequest) -> None:
    decline(by=actor(world.jon), request=request_, comment="No.")
    said = {"decision": "approve", "comment": "I called <them>."}
    answer = browser_of(world.ines).post(f"/requests/{request_.pk}/decide/", said)
    assert answer.status_code == 409
    assert "I called &lt;them&gt;." in answer.content.decode(), "what was typed is said again"
    assert "This request is no longer waiting." in text(answer.content)
    assert f'href="/requests/{request_.pk}/">See how it stands now' in answer.content.decode()


def test_responder_sees_who_was_told_and_who_has_seen_it(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ann)
    said = text(browser.get(f"/requests/{request_.pk}/").content)
    assert "Waiting for one yes from Ines or Jon. Nobody has seen it yet." in said
    assert len(re.findall(r"Called \d+ \w+ \d{4}, \d\d:\d\d:\d\d UTC", said)) == 2
    see(by=actor(world.jon), request=request_)
    said = text(browser.get(f"/requests/{request_.pk}/").content)
    assert "One person has seen it." in said
    assert re.search(r"Called [^,]+, [^,]+, seen \d", said)


def test_poll_brings_news_once_and_the_main_part_only_when_its_shape_changed(
    world: World, request_: AccessRequest
) -> None:
    browser = browser_of(world.ann)
    page = browser.get(f"/requests/{request_.pk}/").content
    assert live(browser, page).status_code == 204
    see(by=actor(world.jon), request=request_)
    news = live(browser, page)
    assert news.status_code == 200
    assert "One person has seen it." in text(news.content)
    assert 'id="stage"' not in news.content.decode()
    decline(by=actor(world.ines), request=request_, comment="Not now.")
    last = live(browser, news.content)
    assert 'id="stage" hx-swap-oob="true"' in last.content.decode()
    assert "Not now." in text(last.content)
    assert "hx-get" not in last.content.decode(), "nothing more will happen, so nothing is asked for"


def test_part_applied_to_the_old_page_is_the_page_loaded_afresh(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ann)
    old = browser.get(f"/requests/{request_.pk}/").content
    decline(by=actor(world.ines), request=request_, comment="Not now.")
    part = without_tokens(live(browser, old).content)
    fresh = without_tokens(browser.get(f"/requests/{request_.pk}/").content)
    names = re.findall(r'<div id="(live|stage|after|facts|whole)"', part)
    pieces = re.split(r'<div id="(?:live|stage|after|facts|whole)"[^>]*>', part)[1:]
    assert names == ["live", "stage", "after", "facts", "whole"]
    for name, piece in zip(names, pieces, strict=True):
        assert f'<div id="{name}"' in fresh
        assert piece.strip().removesuffix("</div>").strip() in fresh


def without_tokens(page: bytes) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page.decode())


def test_looking_is_logged_once_for_each_person(world: World, request_: AccessRequest) -> None:
    for name in ("ines", "ines", "mo", "zoe"):
        browser_of(world.people[name]).get(f"/requests/{request_.pk}/")
    assert names_of(request_.pk).count("page.viewed") == 2


def test_what_cannot_be_logged_is_not_shown(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ines)
    with broken_log():
        answer = browser.get(f"/requests/{request_.pk}/")
    assert answer.status_code == 503
    assert REASON not in text(answer.content)


def test_poll_logs_nothing(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ines)
    page = browser.get(f"/requests/{request_.pk}/").content
    before = names_of(request_.pk)
    for _ in range(3):
        live(browser, page)
    assert names_of(request_.pk) == before


def test_bypass_is_offered_after_the_policys_minutes_and_never_to_others(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ann)
    address = f"/requests/bypass/?from={request_.pk}"
    assert address not in browser.get(f"/requests/{request_.pk}/").content.decode()
    AccessRequest.objects.filter(pk=request_.pk).update(requested_at=now() - timedelta(minutes=10, seconds=1))
    assert address in browser.get(f"/requests/{request_.pk}/").content.decode()
    assert address not in browser_of(world.ines).get(f"/requests/{request_.pk}/").content.decode()


def test_lapsed_request_says_so_and_offers_to_ask_again(world: World, request_: AccessRequest) -> None:
    AccessRequest.objects.filter(pk=request_.pk).update(lapses_at=now() - timedelta(seconds=1))
    browser = browser_of(world.ann)
    assert "Nobody answered in time. It lapses within seconds." in text(
        browser.get(f"/requests/{request_.pk}/").content
    )
    approver = browser_of(world.ines)
    assert "Your decision" not in text(approver.get(f"/requests/{request_.pk}/").content)
    assert approver.post(f"/requests/{request_.pk}/decide/", {"decision": "approve"}).status_code == 409
    lapse(by=actor(world.ann), request=request_)
    page = browser.get(f"/requests/{request_.pk}/").content
    assert "after 60 minutes without an answer it lapsed" in text(page)
    for address in (f"/requests/new/?from={request_.pk}", f"/requests/bypass/?from={request_.pk}"):
        assert address in page.decode()


def test_withdrawn_request_is_over(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ann)
    answer = browser.post(f"/requests/{request_.pk}/withdraw/", follow=True)
    assert "Nothing was opened." in text(answer.content)
    assert browser.post(f"/requests/{request_.pk}/withdraw/").status_code == 409


def test_lists_hold_what_is_ones_own_and_what_waits_for_one(world: World, request_: AccessRequest) -> None:
    link = f"/requests/{request_.pk}/"
    expected = {
        "ann": ("mine", True),
        "ben": ("mine", False),
        "ines": ("waiting", True),
        "mo": ("waiting", False),
        "zoe": ("waiting", False),
    }
    for name, (tab, listed) in expected.items():
        assert (link in browser_of(world.people[name]).get(f"/requests/?list={tab}").content.decode()) == listed
    assert "Nothing waits for you" in text(browser_of(world.zoe).get("/requests/?list=waiting").content)
    assert "You have asked for nothing yet" in text(browser_of(world.zoe).get("/requests/").content)


@pytest.mark.parametrize(("name", "address"), [("ann", "/requests/?list=mine"), ("ines", "/requests/?list=waiting")])
def test_lists_ask_the_same_number_of_queries_for_one_row_and_for_three(
    world: World, request_: AccessRequest, name: str, address: str
) -> None:
    browser = browser_of(world.people[name])
    browser.get(address)
    with CaptureQueriesContext(connection) as one:
        browser.get(address)
    for number in range(2):
        request_of(world, reason=f"{REASON} Number {number}.")
    with CaptureQueriesContext(connection) as three:
        browser.get(address)
    assert len(three) == len(one)


def test_page_asks_the_same_number_of_queries_for_one_approver_and_for_three(
    world: World, request_: AccessRequest
) -> None:
    browser = browser_of(world.ann)
    browser.get(f"/requests/{request_.pk}/")
    with CaptureQueriesContext(connection) as one:
        browser.get(f"/requests/{request_.pk}/")
    at = now() - timedelta(days=1)
    for name in ("kim", "lea", "zoe"):
        RoleAssignment.objects.create(person=world.people[name], role="approver", system=world.system, proposed_by=world.pia, proposed_at=at,
                                      approved_by=world.quinn, approved_at=at, from_at=at)  # fmt: skip
    second = request_of(world, reason=f"{REASON} Again.")
    for name in ("kim", "lea", "zoe"):
        see(by=actor(world.people[name]), request=second)
    browser.get(f"/requests/{second.pk}/")
    with CaptureQueriesContext(connection) as three:
        assert browser.get(f"/requests/{second.pk}/").status_code == 200
    assert len(three) == len(one)


def test_withdrawing_is_asked_once_more_before_it_is_sent(world: World, request_: AccessRequest) -> None:
    page = browser_of(world.ann).get(f"/requests/{request_.pk}/").content.decode()
    asked = page.split('<details class="confirm">')[1].split("</details>")[0]
    assert f'action="/requests/{request_.pk}/withdraw/"' in asked
    assert "Nothing is opened, and whoever was asked is told." in asked


def test_nobody_is_said_to_be_told_while_their_mail_waits(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ann)
    said = text(browser.get(f"/requests/{request_.pk}/").content)
    assert "Mail waits" in said
    assert "Called" in said
    assert "Told" not in said
    Alert.objects.update(sent_at=now())
    said = text(browser.get(f"/requests/{request_.pk}/").content)
    assert "Mail waits" not in said
    assert "Called" not in said


def test_what_was_asked_follows_what_happens(world: World, request_: AccessRequest) -> None:
    browser = browser_of(world.ann)
    page = browser.get(f"/requests/{request_.pk}/").content
    assert "opened now it ends at" in text(page)
    with sealing():
        authorising.approve(by=actor(world.ines), request=request_)
    part = live(browser, page).content.decode()
    assert '<div id="facts" hx-swap-oob="true">' in part
    assert "opened now it ends at" not in part
