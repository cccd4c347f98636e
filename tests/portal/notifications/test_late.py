"""A channel that takes nothing is told of over another one, once for each outage."""

from datetime import timedelta

import pytest

from audit.log.read import named
from portal.clock import now
from portal.embedded import ports
from portal.notifications import late
from portal.notifications.late import tell_late
from portal.notifications.models import Alert
from portal.notifications.sending import send_due
from tests.at_once import at_once
from tests.portal.notifications.conftest import queue
from tests.portal.notifications.webhook.conftest import Listening, listening, world
from tests.receivers import answers
from tests.servers import MailSink
from tests.worlds import World

__all__ = ["listening", "world"]
MINUTE = timedelta(minutes=1)


def told() -> list[tuple[str, str]]:
    rows = Alert.objects.filter(kind="channel.failed").select_related("recipient")
    return sorted((each.channel, each.recipient.name if each.recipient else each.address) for each in rows)


@pytest.fixture
def _no_mail(settings: object) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", ports.free_port(), False  # type: ignore[attr-defined]


@pytest.mark.usefixtures("_no_mail")
def test_dead_mail_is_told_over_webhooks_once(world: World, listening: Listening) -> None:
    queue(world, "ines", "jon")
    send_due()
    at = now()
    assert (tell_late(at + 4 * MINUTE), told()) == (0, [])
    assert sum(each for each in at_once(6, lambda: tell_late(at + 6 * MINUTE)) if isinstance(each, int)) == 1
    assert (tell_late(at + 60 * MINUTE), told()) == (0, [("webhook", listening.row.address)])
    assert send_due(apart=True) == 1
    assert listening.server.got[-1]["data"]["facts"]["trouble"] == "ConnectionRefusedError"
    (event,) = named(["channel.failed"])
    assert (event.fields["channel"], event.fields["code"]) == ("mail", "ConnectionRefusedError")


def test_dead_receiver_is_told_by_mail_and_again_after_it_worked(
    world: World, listening: Listening, mail_sink: MailSink, settings: object
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    listening.server.behave = answers(500)
    queue(world, "ines")
    send_due()
    at = now() + 6 * MINUTE
    assert (tell_late(at), tell_late(at)) == (1, 0)
    people = [("mail", "Pia"), ("mail", "Quinn"), ("mail", "security@breakglass.example")]
    assert told() == [*people, ("webhook", listening.row.address)]
    listening.server.behave = answers(204)
    assert send_due(now=at) > 0
    assert tell_late(at) == 0
    listening.server.behave = answers(500)
    queue(world, "ines")
    send_due(now=at)
    assert (tell_late(at + 6 * MINUTE), tell_late(at + 6 * MINUTE)) == (1, 0)


@pytest.mark.usefixtures("_no_mail")
def test_mail_without_any_other_channel_waits_for_itself_and_repeats_nothing(world: World) -> None:
    queue(world, "ines")
    send_due()
    at = now()
    assert [tell_late(at + each * MINUTE) for each in (6, 7, 60)] == [1, 0, 0]
    assert told() == [("mail", "Pia"), ("mail", "Quinn"), ("mail", "security@breakglass.example")]


def test_address_that_nobody_takes_is_told_once_though_mail_works(
    world: World, mail_sink: MailSink, settings: object
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", mail_sink.port, False  # type: ignore[attr-defined]
    queue(world, "ines", addresses=["two@example.org, three@example.org"])
    at = now()
    send_due()
    runs = []
    for minutes in range(6, 36, 3):
        runs.append(tell_late(at + minutes * MINUTE))
        send_due(now=at + minutes * MINUTE)
    assert runs == [1] + [0] * 9


@pytest.mark.usefixtures("_no_mail")
def test_channel_that_cannot_be_told_of_stops_no_other(
    world: World, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening.server.behave = answers(500)
    queue(world, "ines")
    send_due()
    send_due(apart=True)

    def broken(topic: str) -> list[str]:
        raise ZeroDivisionError(topic)

    monkeypatch.setattr(late, "addresses_for", broken)  # asked for mail alone, which comes first
    assert tell_late(now() + 6 * MINUTE) == 1
    assert [event.fields["channel"] for event in named(["channel.failed"])] == ["webhook"]
