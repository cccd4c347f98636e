"""The signed link: opening it changes nothing, its button acknowledges once, and whatever is wrong with it says what to do."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.signing import Signer
from django.test import Client

from audit.log.read import named
from portal.clock import now
from portal.errors import LogUnavailable
from portal.notifications.links import FORGED, GONE, GOOD_FOR, OLD, OTHERS, follow, link_of, token_of
from portal.notifications.messages import message_of
from portal.notifications.models import Alert
from tests.browsing import browser_of
from tests.portal.notifications.conftest import queue
from tests.worlds import World, actor

LIST = "security@breakglass.example"


def path_of(alert: Alert) -> str:
    return urlsplit(link_of(alert)).path


def acknowledged() -> list[tuple[str, str, str]]:
    return [(event.by, event.fields["recipient_id"], event.fields["over"]) for event in named(["alert.acknowledged"])]


def test_scanner_that_opens_the_link_acknowledges_nothing(world: World) -> None:
    alert = queue(world, "ines")[0]
    scanner = Client()
    answers = [getattr(scanner, how)(path_of(alert)).status_code for how in ("get", "head", "get", "options", "put")]
    assert answers == [200, 200, 200, 405, 405]
    alert.refresh_from_db()
    assert (alert.acknowledged_at, acknowledged()) == (None, [])


def test_button_acknowledges_once_without_signing_in(world: World) -> None:
    alert, browser = queue(world, "ines")[0], Client(enforce_csrf_checks=True)
    page = browser.get(path_of(alert)).content.decode()
    assert "I have seen it" in page
    key = browser.cookies["csrftoken"].value
    assert browser.post(path_of(alert)).status_code == 403  # a page of others cannot press it
    assert browser.post(path_of(alert), {"csrfmiddlewaretoken": key})["Location"] == path_of(alert)
    after = browser.get(path_of(alert)).content.decode()
    assert "It is recorded that the alert was seen" in after
    assert "<button" not in after.partition("<main")[2]
    assert browser.post(path_of(alert), {"csrfmiddlewaretoken": key}).status_code == 409
    assert acknowledged() == [(str(world.ines.pk), str(world.ines.pk), "link")]
    alert.refresh_from_db()
    assert (alert.acknowledged_over, alert.acknowledged_at is not None) == ("link", True)


def test_page_shows_nothing_that_the_message_said(world: World) -> None:
    alert = queue(world, "ines", facts={"title": "A very private title", "sentence": "s"})[0]
    assert "private" not in Client().get(path_of(alert)).content.decode()
    assert message_of(alert).subject == "A very private title"


def test_list_is_acknowledged_by_whoever_read_its_message(world: World) -> None:
    first, second = queue(world, addresses=[LIST, "other@example.org"])
    assert Client().post(path_of(first)).status_code == 302
    assert browser_of(world.mo).post(path_of(second)).status_code == 302  # a sign-in does not hinder
    assert acknowledged() == [("list:security", "list:security", "link"), ("list:other", "list:other", "link")]


def test_every_message_carries_its_own_link_once(world: World) -> None:
    alert = queue(world, "ines")[0]
    message = message_of(alert)
    assert (message.seen_link, message.text.count(link_of(alert)), message.html.count(link_of(alert))) == (
        link_of(alert),
        1,
        1,
    )


def test_links_that_are_not_taken_say_why_and_what_to_do(world: World) -> None:
    alert, of_jon = queue(world, "ines", "jon")
    if alert.recipient != world.ines:
        alert, of_jon = of_jon, alert
    good, at = token_of(alert), now()
    body, _, signature = good.partition(".")
    other = token_of(of_jon).partition(".")[0]
    foreign = Signer(salt="another", sep=".").sign_object([alert.pk.hex, str(world.ines.pk), 9_999_999_999_999])
    handed_on = Signer(salt="portal.alert.seen", sep=".").sign_object(
        [alert.pk.hex, str(world.jon.pk), 9_999_999_999_999]
    )
    forged = [good[:-1], good + "A", f"{other}.{signature}", body, "x", "." * 9, "é.x", "A" * 4_000, foreign, handed_on]
    assert [follow(token, None, at).trouble for token in forged] == [FORGED] * len(forged)
    assert follow(good, None, alert.queued_at + GOOD_FOR).trouble == OLD
    assert follow(good, None, alert.queued_at + GOOD_FOR - timedelta(seconds=1)).trouble is None
    assert follow(good, actor(world.jon), at).trouble == OTHERS
    world.ines.left_at = at
    world.ines.save()
    assert follow(good, None, at).trouble == GONE
    assert (Client().post(path_of(alert)).status_code, Client().get("/alerts/seen/x/").status_code) == (403, 403)
    page = Client().get("/alerts/seen/x/").content.decode()
    assert FORGED.sentence in page
    assert FORGED.todo in page
    assert acknowledged() == []


def test_link_of_another_is_refused_on_record(world: World) -> None:
    alert = queue(world, "ines")[0]
    jon = browser_of(world.jon)
    assert (jon.get(path_of(alert)).status_code, jon.post(path_of(alert)).status_code) == (403, 403)
    assert [(event.by, event.fields["kind"]) for event in named(["alert.act_refused"])] == [
        (str(world.jon.pk), "not recipient")
    ]
    assert acknowledged() == []


def test_nothing_is_acknowledged_that_the_log_does_not_take(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = queue(world, "ines")[0]

    def refuse(*_: object, **__: object) -> None:
        raise LogUnavailable("no")

    monkeypatch.setattr("portal.notifications.actions.append", refuse)
    assert Client().post(path_of(alert)).status_code == 503
    alert.refresh_from_db()
    assert alert.acknowledged_at is None
