"""The feed's address and its file.

Whoever holds the address can read it, as with every calendar feed, so it is signed (HMAC-SHA-256 under Django's SECRET_KEY), says no
more than systems and dates, and ends with the person's password and with their leaving.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from icalendar import Calendar, Event

from portal.calendars.entries import Entry
from portal.people.models import Person

SALT = "portal.calendar.feed"  # part of every address that was handed out: another one ends them all
LONGEST = 200  # characters of a token; ours have about 80


def token_of(person: Person) -> str:
    """What stands in the person's address."""
    return _signer(person).sign(person.pk.hex).replace(":", "~")


def person_of(token: str) -> Person | None:
    """Whose it is; nobody's where it is not whole, their password has changed, or they have left."""
    key, _, _ = token.partition("~")
    try:
        person = Person.objects.filter(pk=UUID(key), left_at__isnull=True).first() if len(token) <= LONGEST else None
        if person is not None:
            _signer(person).unsign(token.replace("~", ":"))
    except (ValueError, BadSignature):
        return None
    return person


def _signer(person: Person) -> Signer:
    """Of the person's password as it is now: another password makes another address."""
    return Signer(salt=f"{SALT}:{hashlib.sha256(person.password.encode()).hexdigest()}")


def written(entries: Iterable[Entry], *, at: datetime) -> bytes:
    """An iCalendar object (RFC 5545): one event for each, as long as a moment, with the address where it is done."""
    made = Calendar()
    made.add("prodid", "-//Breakglass Portal//Duties//EN")
    made.add("version", "2.0")
    made.add("x-wr-calname", "Breakglass: what falls due")
    made.add("refresh-interval", "PT6H", parameters={"VALUE": "DURATION"}, encode=False)
    for each in entries:
        event = Event()
        event.add("uid", f"{each.key}@{settings.PORTAL_LOG_ORIGIN.partition('/')[0]}")
        event.add("dtstamp", at)
        event.add("dtstart", each.due_at)
        event.add("summary", each.title)
        event.add("categories", [each.kind])
        event.add("url", urljoin(settings.PORTAL_URL, each.path), encode=False)
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    content: bytes = made.to_ical()
    return content
