"""What every channel can do, and the plain value that goes in. No models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class UnknownChannel(LookupError):
    """No channel of that kind is installed."""


class ChannelDown(Exception):
    """The channel, or this address of it, cannot be reached: it is not asked again in this run. ``code`` is a short word, without addresses."""

    def __init__(self, code: str) -> None:
        """Keep the word."""
        super().__init__(code)
        self.code = code


class NotTaken(ChannelDown):
    """The channel answers and did not take this one message; others may still leave."""


@dataclass(frozen=True)
class Message:
    """One message to one recipient, ready to leave. All texts are inert; ``key`` is the same in every sending."""

    key: str
    address: str
    name: str
    subject: str
    text: str
    html: str
    link: str
    queued_at_ms: int
    kind: str = ""
    case: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    seen_link: str = ""  # signed: says that the recipient has seen it
    attachment: Path | None = None


class Channel(Protocol):
    """One way to tell somebody."""

    kind: str
    receipts: bool  # whether a message that was handed over has arrived: the receiver itself said so
    apart: bool  # whether each address is a server of its own, so that one that is down says nothing of the others

    def send(self, message: Message) -> None:
        """Hand the message over. It may come twice, never not at all.

        Raises:
            ChannelDown, NotTaken: it was not handed over; the alert stays queued.
        """
        ...
