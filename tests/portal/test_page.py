"""What stands around every page: navigation by role, banners, the log's position; always the same number of queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal.eligibility import actions
from portal.grants import authorising
from portal.navigation import navigation
from tests.factories import client_of, person
from tests.worlds import World, actor, authorised, make_world, request_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def browser(world: World, name: str) -> Client:
    return client_of(world.people[name])


def count(there: Client, address: str) -> int:
    there.get(address)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert there.get(address).status_code == 200
    return len(seen)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zoe", {"Home", "Requests", "Alerts", "Lists"}),
        ("ann", {"Home", "Requests", "Alerts", "Lists", "Drills"}),
    ],
)
def test_navigation_without_a_role_that_looks_after_things(world: World, name: str, expected: set[str]) -> None:
    held = {"responder": True} if name == "ann" else {}
    assert {item["label"] for item in navigation(held, "/")} == expected


def test_navigation_marks_the_page_one_is_on() -> None:
    marked = [
        item["label"] for item in navigation({"administrator": False}, "/systems/new/postgresql/") if item["active"]
    ]
    assert marked == ["Systems"]
    assert [item["label"] for item in navigation({}, "/") if item["active"]] == ["Home"]


def test_first_page_speaks_to_each_role(world: World) -> None:
    request_of(world)
    assert "Break the glass" in browser(world, "ann").get("/").content.decode()
    assert "Waiting for your decision" in browser(world, "ines").get("/").content.decode()
    assert "Your decision" not in browser(world, "ann").get("/").content.decode()
    assert "Evidence" in browser(world, "otto").get("/").content.decode()
    assert "You hold no role yet" in browser(world, "zoe").get("/").content.decode()


def test_open_bypass_is_on_every_page_of_its_responder_alone(world: World) -> None:
    authorising.bypass(by=actor(world.ann), privilege=world.privilege, asked=world.asked("bypass"))
    assert "banners-glass" in browser(world, "ann").get("/me/sign-ins/").content.decode()
    assert "banners-glass" not in browser(world, "ines").get("/").content.decode()


def test_approved_grant_is_no_bypass(world: World) -> None:
    authorised(world)
    assert "banners-glass" not in browser(world, "ann").get("/").content.decode()


def test_menu_tells_until_when_one_is_confirmed(world: World) -> None:
    assert "Confirmed until" in browser(world, "ann").get("/").content.decode()


def test_pages_of_who_is_not_signed_in_ask_the_database_nothing_about_roles() -> None:
    there = Client()
    there.get("/sign-in/")
    with CaptureQueriesContext(connection) as seen:
        there.get("/sign-in/")
    assert [query["sql"] for query in seen if "portal_" in query["sql"]] == []


def test_first_page_and_lists_ask_the_same_for_one_row_and_three(world: World) -> None:
    there, pia = browser(world, "ines"), browser(world, "pia")
    extra = [person(f"Extra{number}") for number in range(6)]
    pages = ("/", "/systems/", f"/systems/{world.system.pk}/", "/me/sign-ins/")

    def one_more(each: int) -> None:
        request_of(world, "ann" if each % 2 else "ben", reason=f"{'x' * 50} {each}")
        for to in (extra[each], extra[each + 3]):
            actions.propose_eligibility(by=actor(world.mo), person=to, privilege=world.privilege)

    one_more(0)
    before = [count(there, "/"), *(count(pia, page) for page in pages)]
    one_more(1)
    one_more(2)
    client_of(world.pia)
    assert [count(there, "/"), *(count(pia, page) for page in pages)] == before
