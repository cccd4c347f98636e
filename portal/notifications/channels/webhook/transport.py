"""Hands one message to a receiver as a signed POST. A 2xx says that it has it: that is the receipt."""

import json

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from portal.clock import moment, ms, now
from portal.notifications.channels.base import ChannelDown, Message, NotTaken
from portal.notifications.channels.webhook.addresses import WrongUrl, networks, parse
from portal.notifications.channels.webhook.post import NotReached, post
from portal.notifications.channels.webhook.signing import headers
from portal.secrets import SecretUnreadable

AGAIN = frozenset({408, 425, 429})  # the receiver is there and asks for patience
HEADERS = {"Content-Type": "application/json", "User-Agent": "breakglass-portal"}


class Webhook:
    """Each receiver is a server of its own: one that is down or slow holds up no other."""

    kind = "webhook"
    receipts = True
    apart = True

    @sensitive_variables("receiver", "url", "signed")
    def send(self, message: Message) -> None:
        """The key is the ``webhook-id``, the same in every sending, so a receiver knows a double by it."""
        from portal.notifications.channels.webhook.queries import ready  # noqa: PLC0415 - logging loads channels before models are

        try:
            receiver = ready(message.address, now())
            if receiver is None:
                raise NotTaken("receiver_retired")
            url, body = parse(receiver.url), payload(message)
            signed = headers(message.key, ms(now()) // 1000, body, receiver.secrets)
            status = post(url, body, {**HEADERS, **signed}, named=networks(settings.PORTAL_WEBHOOK_NETWORKS))
        except (SecretUnreadable, WrongUrl) as error:
            raise ChannelDown(type(error).__name__) from None
        except NotReached as trouble:
            raise ChannelDown(trouble.code) from None
        _judge(status)


def payload(message: Message) -> bytes:
    """``type``, ``timestamp`` and ``data``, as the specification advises; the same bytes in every sending."""
    data = {
        "subject": message.subject, "text": message.text, "link": message.link, "seen_link": message.seen_link, "case": message.case,
        "facts": message.facts,
    }  # fmt: skip
    queued = moment(message.queued_at_ms).isoformat(timespec="milliseconds")
    return json.dumps({"type": message.kind, "timestamp": queued, "data": data}, separators=(",", ":")).encode()


def _judge(status: int) -> None:
    """A receiver that says no to this one alert may take the next; one in trouble, or that leads elsewhere, is let be for a while."""
    if 200 <= status < 300:
        return
    if status in AGAIN or status >= 500 or 300 <= status < 400:
        raise ChannelDown(f"http_{status}")
    raise NotTaken(f"http_{status}")
