"""Fifty at once: one effect, one event, and everybody else is told so."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from portal.access_requests.models import AccessRequest
from portal.grants import actions
from portal.grants.models import Extension, Grant
from portal.grants.tasks import end_grant
from tests.browsing import browser_of
from tests.worlds import World, actor, make_world, names_of, opened, request_of, sealing

pytestmark = pytest.mark.django_db(transaction=True)
MANY, HANDS = 50, 16


@pytest.fixture(autouse=True)
def _sealing() -> Iterator[None]:
    with sealing():
        yield


@pytest.fixture
def world() -> World:
    return make_world()


def at_once(send: Callable[[Client], int], browser: Client) -> Counter[int]:
    """Send fifty times, sixteen at a time and all let go together; how often each status came back."""
    answers: list[int] = []
    ready, turns = threading.Barrier(HANDS), iter(range(MANY))
    taking = threading.Lock()

    def hand() -> None:
        client = Client(raise_request_exception=False)
        client.cookies = browser.cookies
        ready.wait(timeout=90)
        try:
            while True:
                with taking:
                    if next(turns, None) is None:
                        return
                answers.append(send(client))
        finally:
            connection.close()

    hands = [threading.Thread(target=hand) for _ in range(HANDS)]
    for each in hands:
        each.start()
    for each in hands:
        each.join()
    return Counter(answers)


def poster(address: str, data: dict[str, str] | None = None) -> Callable[[Client], int]:
    return lambda client: client.post(address, data or {}).status_code


def test_fifty_approvals_are_one(world: World) -> None:
    request = request_of(world)
    answers = at_once(poster(f"/requests/{request.pk}/decide/", {"decision": "approve"}), browser_of(world.ines))
    assert answers == {302: 1, 409: MANY - 1}
    names = names_of(request.pk)
    assert (Grant.objects.count(), names.count("request.approved"), names.count("grant.authorised")) == (1, 1, 1)
    assert names.count("grant.activated") == 1
    assert names.count("request.approval_refused") == MANY - 1


def test_fifty_approvals_of_two_approvers_make_one_grant(world: World) -> None:
    request = request_of(world)
    first, second = browser_of(world.ines), browser_of(world.jon)
    address = f"/requests/{request.pk}/decide/"
    totals: list[Counter[int]] = []
    threads = [
        threading.Thread(
            target=lambda browser=browser: totals.append(at_once(poster(address, {"decision": "approve"}), browser))
        )
        for browser in (first, second)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(totals, Counter()) == {302: 1, 409: 2 * MANY - 1}
    assert (Grant.objects.count(), names_of(request.pk).count("grant.activated")) == (1, 1)


def test_fifty_requests_of_the_same_words_are_one(world: World) -> None:
    said = {"criterion": "outage", "reason": "Writes fail."}
    assert at_once(poster("/requests/bypass/", said), browser_of(world.ann)) == {302: 1, 409: MANY - 1}
    assert (AccessRequest.objects.count(), Grant.objects.count()) == (1, 1)


def test_fifty_reveals_are_one_and_the_others_may_ask_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        actions, "SHOWN_AGAIN_AFTER", timedelta(minutes=5)
    )  # a slow machine needs more than five seconds for fifty
    grant = opened(world)
    shown: list[str] = []

    def send(client: Client) -> int:
        answer = client.post(f"/grants/{grant.pk}/reveal/")
        shown.append(
            "password" if b'id="password"' in answer.content else "again" if b"Show it again" in answer.content else "?"
        )
        return answer.status_code

    assert at_once(send, browser_of(world.ann)) == {200: 1, 409: MANY - 1}
    assert Counter(shown) == {"password": 1, "again": MANY - 1}
    assert names_of(grant.request_id).count("grant.revealed") == 1


def test_fifty_askings_for_more_time_are_one(world: World) -> None:
    grant = opened(world)
    assert at_once(poster(f"/grants/{grant.pk}/extend/", {"minutes": "10"}), browser_of(world.ann)) == {
        302: 1,
        409: MANY - 1,
    }
    assert (Extension.objects.count(), names_of(grant.request_id).count("grant.extension_asked")) == (1, 1)


def test_fifty_extensions_are_one(world: World) -> None:
    grant = opened(world)
    before = grant.expires_at
    asked = actions.ask_extension(by=actor(world.ann), grant=grant, minutes=10)
    answers = at_once(poster(f"/extensions/{asked.pk}/decide/", {"decision": "give"}), browser_of(world.mo))
    grant.refresh_from_db()
    assert answers == {302: 1, 409: MANY - 1}
    assert before is not None
    assert grant.expires_at is not None
    assert (grant.expires_at - before).total_seconds() == 600
    assert names_of(grant.request_id).count("grant.extended") == 1


@pytest.mark.parametrize(
    ("act", "name", "data"), [("return", "ann", {}), ("revoke", "mo", {"reason": "Wrong system."})]
)
def test_fifty_ends_are_one(world: World, act: str, name: str, data: dict[str, str]) -> None:
    grant = opened(world)
    assert at_once(poster(f"/grants/{grant.pk}/{act}/", data), browser_of(world.people[name])) == {
        302: 1,
        409: MANY - 1,
    }
    end_grant(str(grant.pk))
    grant.refresh_from_db()
    names = names_of(grant.request_id)
    assert grant.state == "ended"
    assert (names.count("grant.returned") + names.count("grant.revoked"), names.count("grant.ended")) == (1, 1)
