"""Ways to tell somebody: one folder for each. ``docs/developer/channels.md`` shows how one is added."""

from portal.notifications.channels.base import Channel, ChannelDown, Message, NotTaken, UnknownChannel
from portal.notifications.channels.mail.transport import Mail
from portal.notifications.channels.webhook.transport import Webhook

__all__ = ["CHANNELS", "Channel", "ChannelDown", "Message", "NotTaken", "UnknownChannel", "channel"]

CHANNELS: dict[str, Channel] = {each.kind: each for each in (Mail(), Webhook())}


def channel(kind: str) -> Channel:
    """The channel of that kind. Raises UnknownChannel."""
    if kind not in CHANNELS:
        raise UnknownChannel(f"There is no channel of the kind {kind!r}.")
    return CHANNELS[kind]
