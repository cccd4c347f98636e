"""Hints reach a worker's queue after the commit, and a broker that is dead or hangs costs a page nothing."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from django.db import transaction

from portal import hints
from portal.celery import app
from portal.embedded import ports
from portal.hints import hint
from tests.servers import Valkey, running_valkey, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hints, "_sender", hints._Sender())
    before = app.conf.broker_url
    yield
    broker(before)


def broker(url: str) -> None:
    app.conf.update(broker_url=url)


def resting() -> bool:
    return hints._sender._rests_until > time.monotonic()


@pytest.fixture
def own() -> Iterator[Valkey]:
    """A broker of which no worker that another test left takes anything."""
    with running_valkey() as server:
        yield server


def test_hint_waits_for_the_commit_and_reaches_the_queue(own: Valkey) -> None:
    client = redis.Redis.from_url(own.url())
    broker(own.url())
    with transaction.atomic():
        hint("portal.never", 1)
        transaction.set_rollback(True)
    with transaction.atomic():
        hint("portal.trial", "word", 7)
        assert client.llen("celery") == 0
    wait_until(lambda: client.llen("celery") == 1, "the message")
    message = client.lpop("celery")
    assert isinstance(message, bytes)
    assert b"portal.trial" in message
    client.close()


@pytest.fixture
def hanging() -> Iterator[int]:
    """A broker that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]


@pytest.mark.parametrize("kind", ["dead", "hanging"])
def test_broker_in_trouble_holds_up_no_page_and_is_let_be(
    kind: str, hanging: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker(f"redis://127.0.0.1:{hanging if kind == 'hanging' else ports.free_port()}/0")
    pages_are_done, asked, send = threading.Event(), list[str](), hints._send

    def after_the_pages(name: str, arguments: tuple[object, ...]) -> None:
        pages_are_done.wait(90)
        asked.append(name)
        send(name, arguments)

    monkeypatch.setattr(hints, "_send", after_the_pages)
    for number in range(20):
        hint("portal.trial", number)
    assert asked == [], "a page waited for the broker"
    pages_are_done.set()
    wait_until(lambda: resting() and not hints._sender._working, "the circuit to open")
    hint("portal.trial", 21)
    assert (hints._sender._working, len(hints._sender._waiting), len(asked)) == (False, 0, 1)


def test_broker_is_asked_again_after_its_rest(own: Valkey) -> None:
    broker(f"redis://127.0.0.1:{ports.free_port()}/0")
    hint("portal.trial", 1)
    wait_until(lambda: resting() and not hints._sender._working, "the circuit to open")
    hints._sender._rests_until = time.monotonic()  # the rest is over
    broker(own.url())
    client = redis.Redis.from_url(own.url())
    hint("portal.trial", 2)
    wait_until(lambda: client.llen("celery") == 1, "the message")
    client.close()
