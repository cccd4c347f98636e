"""The signed link of a message: whoever it was sent to says by it that they have seen the alert, without signing in.

The claim (alert, recipient, until when) is signed with HMAC-SHA-256 under Django's SECRET_KEY and a salt of its own, so it opens nothing
else. Opening the link changes nothing, whoever opens it: only the button does. It decides nothing, and shows nothing that the message said.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from audit.log.append import Actor
from portal.clock import ms
from portal.notifications.models import Alert
from portal.notifications.outbox import recipient_id, recipient_name
from portal.notifications.queries import alert_with_recipient

GOOD_FOR = timedelta(days=7)
"""From the time when the alert was queued; so a message that is sent twice carries the same link."""
LONGEST = 500  # characters of a link's claim; ours have about 190


@dataclass(frozen=True)
class Claim:
    """What a link says: this recipient was sent this alert. ``until_ms`` is its end (ms since 1970 UTC)."""

    alert: UUID
    recipient: str
    until_ms: int


@dataclass(frozen=True)
class Trouble:
    """Why a link is not taken, and what to do instead. ``status`` is the answer's."""

    status: int
    sentence: str
    todo: str


FORGED = Trouble(403, "This link is not whole, or was not made by this portal.",
                 "Copy it whole from the message, in one piece; or sign in and say it on the page of your alerts.")  # fmt: skip
OLD = Trouble(
    410, "This link is too old: it was good for seven days.", "Sign in, and say it on the page of your alerts."
)
OTHERS = Trouble(403, "This link was sent to somebody else than the person who is signed in here.",
                 "Open the link in the message that was sent to you, or sign out first if this is not your browser.")  # fmt: skip
GONE = Trouble(
    403, "The person to whom this link was sent no longer uses the portal.", "Tell an administrator how you came by it."
)


def link_of(alert: Alert) -> str:
    """The whole address, for a message."""
    return settings.PORTAL_URL + reverse("alert_link", args=[token_of(alert)])


def token_of(alert: Alert) -> str:
    """The signed claim."""
    return _signer().sign_object([alert.pk.hex, recipient_id(alert), ms(alert.queued_at + GOOD_FOR)])


def read(token: str) -> Claim | None:
    """The claim that we signed; ``None`` for everything else."""
    if len(token) > LONGEST:
        return None
    try:
        alert, recipient, until = _signer().unsign_object(token)
        return Claim(UUID(alert), recipient, until)
    except (BadSignature, ValueError):
        return None


@dataclass(frozen=True)
class Link:
    """A link as one viewer may use it: the alert and in whose name, or why not."""

    alert: Alert | None = None
    by: Actor | None = None
    trouble: Trouble | None = None


def follow(token: str, viewer: Actor | None, at: datetime) -> Link:
    """What the link is worth at that time, in the browser of that viewer (nobody, where nobody is signed in)."""
    claim = read(token)
    alert = alert_with_recipient(claim.alert) if claim else None
    if claim is None or alert is None or recipient_id(alert) != claim.recipient:
        return Link(trouble=FORGED)
    if claim.until_ms <= ms(at):
        return Link(trouble=OLD)
    if alert.recipient is None:
        return Link(alert, Actor(claim.recipient, recipient_name(alert)))
    if alert.recipient.left_at is not None:
        return Link(trouble=GONE)
    person = viewer or Actor(claim.recipient, alert.recipient.name)
    return Link(alert, person, OTHERS if person.id != claim.recipient else None)


def _signer() -> Signer:
    return Signer(salt="portal.alert.seen", sep=".")
