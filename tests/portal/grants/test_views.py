"""Acts on an open grant by its pages: the password, more time, done, another's end; and what the page says until the read-back."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.conninfo import conninfo_to_dict

from portal.clock import now
from portal.grants import actions, opening
from portal.grants.models import Extension, Grant
from portal.grants.tasks import end_grant, extend_grant, open_grant
from portal.grants.way_in import way_in
from portal.systems.models import System
from tests.browsing import browser_of, code_of_device, stale
from tests.factories import broken_log
from tests.portal.access_requests.test_asking import text
from tests.worlds import World, actor, authorised, make_world, names_of, opened, overdue, sealing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def grant(world: World) -> Grant:
    return opened(world)


def controlled(world: World) -> World:
    """A target that can be made to misbehave."""
    world.system.settings["controls_path"] = str(world.state.parent / "controls.json")
    world.system.save()
    return world


def target_is(world: World, **controls: object) -> None:
    (world.state.parent / "controls.json").write_text(json.dumps(controls))


# --- the password


def test_password_is_shown_to_the_responder_on_a_page_of_its_own(world: World, grant: Grant) -> None:
    browser = browser_of(world.ann)
    live = browser.get(f"/requests/{grant.request_id}/").content.decode()
    answer = browser.post(f"/grants/{grant.pk}/reveal/")
    found = re.search(r'<pre id="password"><code>([^<]+)</code>', answer.content.decode())
    assert found
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert len(found[1]) >= 20
    assert found[1] not in live
    assert found[1] not in browser.get(f"/requests/{grant.request_id}/").content.decode()
    assert browser.get(f"/grants/{grant.pk}/reveal/").headers["Location"] == f"/requests/{grant.request_id}/"


@pytest.mark.parametrize("name", ["ben", "ines", "mo", "otto", "pia", "zoe"])
def test_password_is_shown_to_nobody_else(world: World, grant: Grant, name: str) -> None:
    answer = browser_of(world.people[name]).post(f"/grants/{grant.pk}/reveal/")
    assert answer.status_code == 403
    assert names_of(grant.request_id)[-1] == "grant.act_refused"


def test_password_needs_a_fresh_second_factor(world: World, grant: Grant) -> None:
    browser = browser_of(world.ann)
    stale(world.ann)
    asked = browser.post(f"/grants/{grant.pk}/reveal/")
    assert "Confirm that it is you" in text(asked.content)
    assert 'id="password"' not in asked.content.decode()
    assert (
        'id="password"'
        in browser.post(f"/grants/{grant.pk}/reveal/", {"code": code_of_device(world.ann)}).content.decode()
    )


def test_lost_double_click_does_not_lose_the_password(
    world: World, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_of(world.ann)
    browser.post(f"/grants/{grant.pk}/reveal/")
    lost = browser.post(f"/grants/{grant.pk}/reveal/")
    assert lost.status_code == 409
    assert f'action="/grants/{grant.pk}/reveal/"' in lost.content.decode()
    assert "Show it again" in text(lost.content)
    monkeypatch.setattr(actions, "SHOWN_AGAIN_AFTER", timedelta(0))
    assert 'id="password"' in browser.post(f"/grants/{grant.pk}/reveal/").content.decode()


def test_password_that_cannot_be_logged_is_not_shown(world: World, grant: Grant) -> None:
    browser = browser_of(world.ann)
    with broken_log():
        answer = browser.post(f"/grants/{grant.pk}/reveal/")
    assert answer.status_code == 503
    assert 'id="password"' not in answer.content.decode()


# --- the way in


def test_open_page_says_how_to_get_in_and_counts_from_the_real_opening(world: World, grant: Grant) -> None:
    page = browser_of(world.ann).get(f"/requests/{grant.request_id}/").content.decode()
    assert grant.expires_at is not None
    ends = grant.expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert f'data-countdown="{ends}"' in page
    for words in ("Call it.", grant.login, "Show the password", "Ask for more time", "I am done"):
        assert words in text(page.encode())
    assert page.index("data-countdown") < page.index("Show the password") < page.index('class="way-in"')


def test_psql_line_is_ready_and_holds_no_password(grant: Grant) -> None:
    grant.system.connector = "postgresql"
    grant.system.settings = {"host": "db.example.org", "port": 6432, "dbname": "shop's own"}
    words = shlex.split(way_in(grant).line)
    assert words[0] == "psql"
    assert conninfo_to_dict(words[1]) == {
        "host": "db.example.org",
        "port": "6432",
        "dbname": "shop's own",
        "user": grant.login,
        "sslmode": "verify-full",
    }
    grant.system.settings["host"] = "127.0.0.1"
    assert "sslmode" not in way_in(grant).line


def test_way_in_is_the_responders_and_not_the_portals(grant: Grant) -> None:
    grant.system.connector = "postgresql"
    public = {"public_host": "db.example.org", "public_port": 7432}
    grant.system.settings = {"host": "127.0.0.1", "port": 6432, "dbname": "shop", "sslmode": "prefer", **public}
    way = way_in(grant)
    told = conninfo_to_dict(shlex.split(way.line)[1])
    assert way.host == "db.example.org, port 7432"
    assert (told["host"], told["port"], told["sslmode"]) == ("db.example.org", "7432", "verify-full")


def test_demo_offers_its_own_psql_and_its_statements_wherever_the_way_in_stands(
    world: World, grant: Grant, settings: Any
) -> None:
    address, browser = f"/requests/{grant.request_id}/", browser_of(world.ann)
    given = {"host": "127.0.0.1", "port": 6432, "dbname": "shop"}
    System.objects.filter(pk=grant.system_id).update(connector="postgresql", settings=given)
    line = f"make psql CONN='host=127.0.0.1 port=6432 dbname=shop user={grant.login}'"
    real = browser.get(address).content.decode()
    assert "make psql" not in real
    assert "/demo/" not in real
    settings.PORTAL_DEMO, settings.ROOT_URLCONF = True, "tests.architecture.every_url"
    for page in (browser.get(address), browser.post(f"/grants/{grant.pk}/reveal/")):
        said = unescape(page.content.decode())
        assert line in said
        assert f'href="/demo/try/{grant.pk}/"' in said


def test_last_minutes_are_told(world: World, grant: Grant) -> None:
    browser = browser_of(world.ann)
    assert "Less than five minutes left" not in text(browser.get(f"/requests/{grant.request_id}/").content)
    Grant.objects.filter(pk=grant.pk).update(expires_at=now() + timedelta(minutes=4))
    assert "Less than five minutes left" in text(browser.get(f"/requests/{grant.request_id}/").content)
    assert "Less than five minutes left" not in text(browser_of(world.mo).get(f"/requests/{grant.request_id}/").content)


# --- more time


def test_more_time_is_asked_by_one_and_given_by_another(world: World, grant: Grant) -> None:
    before = grant.expires_at
    responder = browser_of(world.ann)
    said = text(
        responder.post(
            f"/grants/{grant.pk}/extend/", {"minutes": "15", "reason": "Index <b>builds</b>."}, follow=True
        ).content
    )
    assert "Somebody else must give it" in said
    assert "Ask for more time" not in said
    asked = Extension.objects.get()
    assert responder.post(f"/extensions/{asked.pk}/decide/", {"decision": "give"}).status_code == 403
    owner = browser_of(world.mo)
    assert "Ann asks for 15 more minutes : Index <b>builds</b>." in text(
        owner.get(f"/requests/{grant.request_id}/").content
    )
    assert str(grant.request_id) in owner.get("/requests/").content.decode()
    answer = owner.post(f"/extensions/{asked.pk}/decide/", {"decision": "give"}, follow=True)
    grant.refresh_from_db()
    asked.refresh_from_db()
    assert before is not None
    assert grant.expires_at == before + timedelta(minutes=15)
    assert asked.applied_at is not None, "carried to the target within the request"
    assert "15 minutes more by Mo" in text(answer.content)
    assert owner.post(f"/extensions/{asked.pk}/decide/", {"decision": "give"}).status_code == 409
    assert responder.post(f"/grants/{grant.pk}/extend/", {"minutes": "15"}).status_code == 422


@pytest.mark.parametrize(
    ("name", "status"), [("ben", 403), ("kim", 403), ("otto", 403), ("pia", 403), ("zoe", 403), ("jon", 302)]
)
def test_more_time_is_decided_by_approver_or_owner_alone(world: World, grant: Grant, name: str, status: int) -> None:
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    answer = browser_of(world.people[name]).post(
        f"/extensions/{asked.pk}/decide/", {"decision": "decline", "comment": "No."}
    )
    asked.refresh_from_db()
    assert (answer.status_code, asked.decision) == (status, "decline" if status == 302 else "")


@pytest.mark.parametrize("minutes", ["", "0", "121", "soon", "-1"])
def test_wrong_minutes_are_said_beside_their_field(world: World, grant: Grant, minutes: str) -> None:
    answer = browser_of(world.ann).post(f"/grants/{grant.pk}/extend/", {"minutes": minutes, "reason": "Still at it."})
    assert answer.status_code == 422
    assert 'id="id_extension_minutes-error"' in answer.content.decode()
    assert "Still at it." in text(answer.content)
    assert not Extension.objects.exists()


def test_later_end_that_the_target_does_not_carry_is_told(world: World) -> None:
    grant = opened(controlled(world))
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    target_is(world, down=True)
    said = text(browser_of(world.mo).post(f"/extensions/{asked.pk}/decide/", {"decision": "give"}, follow=True).content)
    assert "The later end is not on the target yet" in said
    target_is(world)
    extend_grant(str(grant.pk))
    assert "The later end is not on the target yet" not in text(
        browser_of(world.mo).get(f"/requests/{grant.request_id}/").content
    )


# --- the end


def test_i_am_done_ends_and_reads_back_within_the_request(world: World, grant: Grant) -> None:
    answer = browser_of(world.ann).post(f"/grants/{grant.pk}/return/", follow=True)
    grant.refresh_from_db()
    assert (grant.state, grant.end_cause, grant.secret) == ("ended", "returned", None)
    said = text(answer.content)
    assert "Ended, and the target confirmed it" in said
    assert "by somebody who was not involved" in said
    assert browser_of(world.ann).post(f"/grants/{grant.pk}/return/").status_code == 409


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("ann", False),
        ("ben", False),
        ("kim", False),
        ("otto", False),
        ("zoe", False),
        ("ines", True),
        ("mo", True),
        ("pia", True),
    ],
)
def test_anothers_access_is_ended_by_those_entitled_with_a_reason(
    world: World, grant: Grant, name: str, allowed: bool
) -> None:
    browser = browser_of(world.people[name])
    page = browser.get(f"/requests/{grant.request_id}/").content.decode()
    assert ("End this access now" in page) == allowed
    if allowed:
        assert browser.post(f"/grants/{grant.pk}/revoke/", {"reason": " "}).status_code == 422
    answer = browser.post(f"/grants/{grant.pk}/revoke/", {"reason": "Wrong system."})
    grant.refresh_from_db()
    assert (answer.status_code, grant.state) == ((302, "ended") if allowed else (403, "active"))


def test_grant_that_is_not_open_yet_is_ended_before_it_opens(world: World) -> None:
    grant = authorised(world)
    said = text(
        browser_of(world.mo).post(f"/grants/{grant.pk}/revoke/", {"reason": "Not needed."}, follow=True).content
    )
    grant.refresh_from_db()
    assert grant.state == "failed"
    assert "It was not opened" in said
    assert "before it was opened" in said


def test_stale_second_factor_keeps_the_reason(world: World, grant: Grant) -> None:
    browser = browser_of(world.mo)
    stale(world.mo)
    asked = browser.post(f"/grants/{grant.pk}/revoke/", {"reason": "Wrong system."})
    assert 'name="reason" value="Wrong system."' in asked.content.decode()
    assert (
        browser.post(
            f"/grants/{grant.pk}/revoke/", {"reason": "Wrong system.", "code": code_of_device(world.mo)}
        ).status_code
        == 302
    )


def test_end_is_not_claimed_before_the_read_back(world: World) -> None:
    grant = opened(controlled(world))
    target_is(world, down=True)
    browser = browser_of(world.ann)
    said = text(browser.post(f"/grants/{grant.pk}/return/", follow=True).content)
    assert "Still live until it is read back" in said
    assert "It could not be ended yet: access may still be live." in said
    assert re.search(r"attempts? so far; the next one at \d", said)
    assert "confirmed it" not in said
    target_is(world)
    end_grant(str(grant.pk))
    assert "Ended, and the target confirmed it" in text(browser.get(f"/requests/{grant.request_id}/").content)


def test_target_that_is_down_at_opening_is_told_honestly(world: World) -> None:
    target_is(controlled(world), down=True)
    grant = authorised(world)
    opening.run(grant.pk)
    said = text(browser_of(world.ann).get(f"/requests/{grant.request_id}/").content)
    assert "It could not be opened yet. It is tried again." in said
    assert "1 attempt so far; the next one at" in said
    target_is(world)
    open_grant(str(grant.pk))
    assert "Show the password" in text(browser_of(world.ann).get(f"/requests/{grant.request_id}/").content)


def test_broken_log_ends_nothing_and_keeps_what_was_typed(world: World, grant: Grant) -> None:
    owner, responder = browser_of(world.mo), browser_of(world.ann)
    with broken_log():
        answers = [
            owner.post(f"/grants/{grant.pk}/revoke/", {"reason": "Wrong system."}),
            responder.post(f"/grants/{grant.pk}/extend/", {"minutes": "10", "reason": "Still at it."}),
            responder.post(f"/grants/{grant.pk}/return/"),
        ]
    grant.refresh_from_db()
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert (grant.state, Extension.objects.count()) == ("active", 0)
    assert "Wrong system." in text(answers[0].content)
    assert "Still at it." in text(answers[1].content)


@pytest.mark.parametrize(
    "address",
    ["/grants/{}/reveal/", "/grants/{}/return/", "/grants/{}/extend/", "/grants/{}/revoke/", "/extensions/{}/decide/"],
)
def test_what_does_not_exist_is_not_found(world: World, address: str) -> None:
    assert (
        browser_of(world.ann)
        .post(address.format(uuid4()), {"reason": "x", "minutes": "5", "decision": "give"})
        .status_code
        == 404
    )


# --- hints for workers


def test_each_task_run_twice_does_its_work_once(world: World) -> None:
    grant = authorised(world)
    for _ in range(2):
        open_grant(str(grant.pk))
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    actions.decide_extension(by=actor(world.mo), extension=asked, give=True)
    for _ in range(2):
        extend_grant(str(grant.pk))
    overdue(grant)
    for _ in range(2):
        end_grant(str(grant.pk))
    names = names_of(grant.request_id)
    once = (
        "grant.opening",
        "grant.activated",
        "grant.extension_applied",
        "grant.expired",
        "grant.closing",
        "grant.read_back",
        "grant.ended",
    )
    assert {name: names.count(name) for name in once} == dict.fromkeys(once, 1)


def test_task_for_a_grant_that_is_gone_is_no_error() -> None:
    for task in (open_grant, extend_grant, end_grant):
        task(str(uuid4()))


def test_page_of_an_open_grant_asks_a_constant_number_of_queries(world: World, grant: Grant) -> None:
    browser = browser_of(world.mo)
    browser.get("/requests/")
    with CaptureQueriesContext(connection) as one:
        browser.get("/requests/?list=waiting")
    for name in ("ann", "ben"):
        actions.ask_extension(
            by=actor(world.people[name]),
            grant=opened(world, name, reason=f"Another disk is full, and {name} looks at it now."),
            minutes=5,
        )
    with CaptureQueriesContext(connection) as three:
        browser.get("/requests/?list=waiting")
    assert len(three) == len(one)
