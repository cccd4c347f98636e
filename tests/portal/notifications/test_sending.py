"""Alerts leave through a real mail server; twice is possible, never is not."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from audit.log.read import named
from portal.celery import app
from portal.clock import now
from portal.embedded import ports
from portal.notifications import sending
from portal.notifications.models import Alert
from portal.notifications.sending import send_due
from tests.at_once import at_once
from tests.portal.notifications.conftest import queue
from tests.servers import MailSink, running_mail_sink
from tests.worlds import World


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_send_due_sends_each_once_and_says_so(world: World, mail: MailSink) -> None:
    queue(world, "ines", "jon", addresses=["security@breakglass.example"])
    assert (send_due(), send_due()) == (3, 0)
    assert sorted(each.recipients[0] for each in mail.mails()) == [
        "ines@example.org",
        "jon@example.org",
        "security@breakglass.example",
    ]
    assert all(alert.sent_at and alert.attempts == 1 for alert in Alert.objects.all())
    assert [event.fields["attempts"] for event in named(["alert.sent"])] == [1, 1, 1]


def test_mail_carries_link_and_a_key_that_shows_doubles(world: World, mail: MailSink) -> None:
    alert = queue(world, "ines")[0]
    send_due()
    Alert.objects.update(sent_at=None, next_try_at=now())  # as after a crash between sending and marking
    send_due()
    first, second = (read(each.content) for each in mail.mails())
    assert first["Message-ID"] == second["Message-ID"] == f"<alert-{alert.pk}@localhost>"
    assert (first["Subject"], first["To"]) == ("The target does not answer", "Ines <ines@example.org>")
    bodies = {part.get_content_type(): part.get_content() for part in first.walk() if not part.is_multipart()}
    assert set(bodies) == {"text/plain", "text/html"}
    assert "http://localhost:8000/requests/1/" in bodies["text/plain"]
    assert 'href="http://localhost:8000/requests/1/"' in bodies["text/html"]


def test_attachment_comes_from_the_data_folder_alone(world: World, mail: MailSink, settings: object) -> None:
    folder = Path(settings.PORTAL_DATA)  # type: ignore[attr-defined]
    (folder / "dossier.pdf").write_bytes(b"%PDF-1.7 trial")
    queue(world, "ines", attachment="dossier.pdf")
    queue(world, "jon", attachment="../log.key")
    queue(world, "kim", attachment="missing.pdf")
    assert send_due() == 1
    parts = list(read(mail.mails()[0].content).iter_attachments())
    assert [(part.get_filename(), part.get_content_type(), part.get_content()) for part in parts] == [
        ("dossier.pdf", "application/pdf", b"%PDF-1.7 trial")
    ]
    trouble = {
        alert.recipient.name: alert.last_trouble
        for alert in Alert.objects.select_related("recipient")
        if alert.recipient
    }
    assert trouble == {"Ines": "", "Jon": "attachment_outside", "Kim": "attachment_missing"}


def test_two_senders_at_once_send_each_alert_once(world: World, mail: MailSink) -> None:
    for _ in range(8):
        queue(world, "ines", "jon")
    sent = [each for each in at_once(2, send_due) if isinstance(each, int)]
    assert (sum(sent), len(mail.mails()), len(named(["alert.sent"]))) == (16, 16, 16)
    assert min(sent) > 0, "one sender did it all; the trial shows nothing"


def test_dead_mail_server_keeps_alerts_and_is_asked_once_a_run(world: World, settings: object, tmp_path: Path) -> None:
    port = ports.free_port()
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False  # type: ignore[attr-defined]
    queue(world, "ines", "jon", "kim")
    assert send_due() == 0
    assert sorted(Alert.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    assert [(event.fields["code"], event.fields["attempts"]) for event in named(["alert.failed"])] == [
        ("ConnectionRefusedError", 1)
    ]
    with running_mail_sink(tmp_path, port) as sink:
        assert send_due(now=now() + timedelta(seconds=6)) == 3
        assert len(sink.mails()) == 3
    assert sorted(event.fields["attempts"] for event in named(["alert.sent"])) == [1, 1, 2]


def test_failures_are_logged_at_the_first_and_at_longer_steps(world: World, settings: object) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", ports.free_port(), False  # type: ignore[attr-defined]
    alert, waits = queue(world, "ines")[0], []
    for _ in range(9):
        alert.refresh_from_db()
        send_due(now=alert.next_try_at)
        before = alert.next_try_at
        alert.refresh_from_db()
        waits.append((alert.next_try_at - before).total_seconds())
    assert waits == [5, 10, 20, 30, 30, 30, 30, 30, 30]
    assert [event.fields["attempts"] for event in named(["alert.failed"])] == [1, 2, 4, 8]


def test_sender_that_dies_after_leasing_delays_and_loses_nothing(world: World, mail: MailSink) -> None:
    queue(world, "ines")
    at = now()
    assert sending._lease(at, timedelta(), set())  # the sender is killed here
    assert send_due(now=at + timedelta(seconds=80)) == 0
    assert send_due(now=at + timedelta(seconds=91)) == 1
    assert len(mail.mails()) == 1


def test_one_refused_recipient_does_not_hold_up_the_others(world: World, mail: MailSink) -> None:
    queue(world, addresses=["two@example.org, three@example.org", "b@example.org"])
    assert send_due() == 1
    assert [each.recipients for each in mail.mails()] == [("b@example.org",)]
    kept = Alert.objects.get(sent_at__isnull=True)
    assert (kept.address, kept.attempts) == ("two@example.org, three@example.org", 1)
    assert kept.last_trouble


def test_last_resort_leaves_fresh_alerts_to_the_first_sender(world: World, mail: MailSink) -> None:
    queue(world, "ines")
    assert send_due(older_than=timedelta(seconds=10)) == 0
    assert send_due(older_than=timedelta(seconds=10), now=now() + timedelta(seconds=11)) == 1


HOSTILE = "<script>alert(1)</script>\r\nBcc: evil@example.org\u202egnp.exe {{ 7|add:7 }} https://evil.example/x"


def test_hostile_facts_are_inert_in_every_part_of_a_mail(world: World, mail: MailSink) -> None:
    world.ines.name = 'Ines\r\nBcc: evil@example.org, "x" <y@evil.example>'
    world.ines.save()
    queue(world, "ines", facts={"title": HOSTILE, "sentence": HOSTILE})
    assert send_due() == 1
    (stored,) = mail.mails()
    message = read(stored.content)
    assert (stored.recipients, message["Bcc"], len(message["To"].addresses)) == (("ines@example.org",), None, 1)
    bodies = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert "\u202e" not in str(message["Subject"]) + "".join(bodies.values())
    assert (
        message["Subject"]
        .strip()
        .startswith("<script>alert(1)</script> / Bcc: evil@example.org\ufffdgnp.exe {{ 7|add:7 }}")
    )
    assert "<script" not in bodies["text/html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; / Bcc" in bodies["text/html"]
    assert "https://evil" not in bodies["text/plain"] + bodies["text/html"]


@pytest.fixture
def broker() -> Iterator[socket.socket]:
    """Where the broker would be: it takes connections and never answers."""
    before = app.conf.broker_url
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        app.conf.update(broker_url=f"redis://127.0.0.1:{listening.getsockname()[1]}/0")
        yield listening
    app.conf.update(broker_url=before)


def test_sending_asks_no_broker(world: World, mail: MailSink, broker: socket.socket) -> None:
    queue(world, "ines")
    assert send_due() == 1
    with pytest.raises(BlockingIOError):  # nobody knocked
        broker.accept()
