"""Webhooks reach a real receiver whose library is not ours, and whatever it does, nothing is lost and nobody else waits."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook as Library
from standardwebhooks.webhooks import WebhookVerificationError

from audit.log.read import named
from portal.clock import now
from portal.embedded import ports
from portal.notifications.channels.webhook import actions, post
from portal.notifications.channels.webhook.addresses import networks, parse
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.channels.webhook.post import NotReached
from portal.notifications.channels.webhook.signing import headers, new_secret
from portal.notifications.models import Alert
from portal.notifications.sending import send_due
from tests.certificates import make_certificate
from tests.portal.notifications.conftest import FACTS, queue
from tests.portal.notifications.webhook.conftest import Listening, added
from tests.receivers import Server, answers, drips, running_receiver, says_nothing
from tests.servers import MailSink
from tests.worlds import World, actor

LOOPBACK = networks(["127.0.0.0/8"])


@pytest.fixture
def mail(mail_sink: MailSink, settings: object) -> MailSink:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    return mail_sink


def waiting() -> list[tuple[str, int]]:
    rows = Alert.objects.filter(channel="webhook", sent_at__isnull=True)
    return sorted(rows.values_list("last_trouble", "attempts"))


def test_alert_reaches_the_receiver_signed_and_says_all(world: World, listening: Listening) -> None:
    alert = next(each for each in queue(world, "ines", case="c-1") if each.channel == "webhook")
    assert send_due(apart=True) == 1
    (said,) = listening.server.got
    alert.refresh_from_db()
    assert (said["type"], said["data"]["case"], said["data"]["facts"]) == ("system.problem", "c-1", FACTS)
    assert said["data"]["link"] == "http://localhost:8000/requests/1/"
    assert "/alerts/seen/" in said["data"]["seen_link"]
    assert (listening.server.ids, listening.server.forged) == ([f"alert-{alert.pk}"], 0)
    assert alert.delivered_at == alert.sent_at
    (sent,) = named(["alert.sent"])
    told = (sent.fields["recipient_id"], sent.fields["channel"], sent.fields["receipts"])
    assert told == (listening.row.address, "webhook", 1)
    assert sent.fields["delivered_at"] == sent.fields["sent_at"]


def test_tell_adds_a_row_for_each_receiver_of_the_topic(world: World, listening: Listening) -> None:
    with running_receiver() as server:
        other = added(world, server, topics=("duty",))
        rows = {(each.channel, each.address) for each in queue(world, "ines")}
        assert rows == {("mail", ""), ("webhook", listening.row.address)}
        actions.retire(by=actor(world.quinn), receiver=listening.row)
        facts = {"title": "Late", "due_at": now()}
        due = {(each.channel, each.address) for each in queue(world, "ines", kind="finding.due", facts=facts)}
        assert due == {("mail", ""), ("webhook", other.row.address)}


def test_same_webhook_twice_has_the_same_id_and_bytes_and_a_time_of_its_own(world: World, listening: Listening) -> None:
    queue(world, "ines")
    send_due(apart=True)
    Alert.objects.update(
        sent_at=None, delivered_at=None, next_try_at=now()
    )  # as after a crash between sending and marking
    send_due(apart=True)
    server = listening.server
    assert (len(server.ids), len(set(server.ids)), len(server.taken())) == (2, 1, 1)
    assert server.got[0] == server.got[1]


def test_webhooks_out_of_order_are_told_apart_by_id_and_time(world: World, listening: Listening) -> None:
    first = next(each for each in queue(world, "ines") if each.channel == "webhook")
    Alert.objects.filter(pk=first.pk).update(queued_at=now() - timedelta(minutes=5))
    second = next(each for each in queue(world, "ines") if each.channel == "webhook")
    listening.server.behave = answers(503)
    send_due(apart=True, limit=1)
    listening.server.behave = answers(204)
    listening.server.ids.clear()
    listening.server.got.clear()
    Alert.objects.filter(pk=second.pk).update(next_try_at=now())  # the later one is the first to get through
    assert (send_due(apart=True), send_due(apart=True, now=now() + timedelta(minutes=1))) == (1, 1)
    assert listening.server.ids == [f"alert-{second.pk}", f"alert-{first.pk}"]
    assert listening.server.got[1]["timestamp"] < listening.server.got[0]["timestamp"]


@pytest.mark.parametrize(
    ("status", "code", "next_is_tried"),
    [
        (400, "http_400", True),
        (410, "http_410", True),
        (429, "http_429", False),
        (500, "http_500", False),
        (302, "http_302", False),
    ],
)
def test_refusals_keep_the_alert_and_say_whether_the_next_is_tried(
    world: World, listening: Listening, status: int, code: str, next_is_tried: bool
) -> None:
    queue(world, "ines")
    queue(world, "ines")
    with running_receiver() as elsewhere:
        listening.server.behave = answers(status, {"Location": elsewhere.url})
        assert send_due(apart=True) == 0
        assert elsewhere.ids == []  # no redirect is followed
    assert len(listening.server.ids) == (2 if next_is_tried else 1)
    assert waiting() == ([(code, 1), (code, 1)] if next_is_tried else [(code, 0), (code, 1)])
    assert {event.fields["code"] for event in named(["alert.failed"])} == {code}


def test_receiver_that_is_gone_for_a_day_gets_all_that_it_missed(world: World, settings: object) -> None:
    at, port = now(), ports.free_port()
    with running_receiver(port) as server:
        row, secret = added(world, server).row, server.secret
    for _ in range(3):
        queue(world, "ines")
    tries = 0
    for hours in range(25):
        tries += send_due(apart=True, now=at + timedelta(hours=hours))
    assert tries == 0
    assert sorted(attempts for _, attempts in waiting())[-1] >= 8
    assert len(named(["alert.failed"])) < 15  # the first of each, and at doubled counts
    with running_receiver(port) as server:
        server.secret = secret
        assert send_due(apart=True, now=at + timedelta(hours=26)) == 3
        assert (len(server.taken()), server.forged) == (3, 0)
    assert row.address in {event.fields["recipient_id"] for event in named(["alert.sent"])}


def test_slow_and_silent_receivers_hold_up_neither_mail_nor_others(
    world: World, listening: Listening, mail: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "WHOLE_S", 0.3)
    listening.server.behave = says_nothing(listening.server)
    with running_receiver() as quick:
        added(world, quick)
        for _ in range(4):
            queue(world, "ines")
        assert send_due(apart=True) == 4  # all of the quick one's, after one try at the silent one
        assert (len(quick.taken()), len(listening.server.ids)) == (4, 1)
    assert waiting() == [("too_slow", 0), ("too_slow", 0), ("too_slow", 0), ("too_slow", 1)]
    assert send_due(apart=False) == 4
    assert len(mail.mails()) == 4


def test_slow_receiver_has_one_alert_in_each_run(
    world: World, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.notifications.sending.SLOW_S", 0.0)
    queue(world, "ines")
    queue(world, "ines")
    assert (send_due(apart=True), send_due(apart=True), send_due(apart=True)) == (1, 1, 0)


@pytest.fixture
def loose() -> Iterator[Server]:
    """A receiver that checks nothing."""
    with running_receiver() as server:
        yield server


def test_answer_without_end_is_cut(loose: Server) -> None:
    loose.behave = drips(loose)
    began = time.monotonic()
    with pytest.raises(NotReached, match="too_slow"):
        post.post(parse(loose.url), b"{}", {}, named=LOOPBACK, whole_s=0.3)
    assert time.monotonic() - began < 10


def test_name_server_that_never_answers_holds_nobody_up(loose: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr(post, "RESOLVE_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(60) and [])
    try:
        with pytest.raises(NotReached, match="name_too_slow"):
            post.post(parse(loose.url), b"{}", {}, named=LOOPBACK)
        assert not answered.is_set()
    finally:
        answered.set()


def test_long_body_is_not_read(loose: Server) -> None:
    loose.behave = answers(200, body=b"x" * 50_000_000)
    assert post.post(parse(loose.url), b"{}", {}, named=LOOPBACK) == 200


def test_name_that_means_a_private_address_is_not_reached(loose: Server) -> None:
    url = parse(loose.url.replace("127.0.0.1", "localhost"))
    for named_networks in ((), networks(["10.0.0.0/8"])):
        with pytest.raises(NotReached, match="address_not_allowed"):
            post.post(url, b"{}", {}, named=named_networks)
    assert loose.ids == []


def test_certificate_that_nobody_trusts_ends_it(tmp_path: Path) -> None:
    make_certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with running_receiver() as server:
        port = urlsplit(server.url).port
    import socket

    with socket.create_server(("127.0.0.1", port or 0)) as listener:
        taking = threading.Thread(target=lambda: _handshake(listener, context), daemon=True)
        taking.start()
        with pytest.raises(NotReached, match="tls_not_trusted"):
            post.post(parse(f"https://127.0.0.1:{port}/"), b"{}", {}, named=LOOPBACK)
        taking.join(10)


def _handshake(listener: object, context: ssl.SSLContext) -> None:
    accepted, _ = listener.accept()  # type: ignore[attr-defined]
    try:
        context.wrap_socket(accepted, server_side=True).close()
    except OSError:
        accepted.close()


def test_both_secrets_sign_while_one_is_replaced_and_the_old_one_ends(world: World, listening: Listening) -> None:
    old = listening.server.secret
    _, new = actions.replace_secret(by=actor(world.pia), receiver=listening.row)
    for secret in (old, new):
        listening.server.secret = secret
        queue(world, "ines")
        assert send_due(apart=True) == 1
    Receiver.objects.update(old_secret_until=now() - timedelta(seconds=1))
    listening.server.secret = old
    queue(world, "ines")
    assert (send_due(apart=True), listening.server.forged) == (0, 1)
    assert [len(each.split()) for each in listening.server.signatures] == [2, 2]


def test_signature_of_another_library_is_ours() -> None:
    secret, body = new_secret(), json.dumps({"ä": "ö"}).encode()
    made = headers("alert-1", int(time.time()), body, [secret])
    Library(secret).verify(body, made)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Library(secret).verify(body + b" ", made)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Library(secret).verify(body, {**made, "webhook-id": "alert-2"})
