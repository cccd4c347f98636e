"""What an alert says: its template filled with its facts, as plain text and as the same text in simple HTML."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template import Context, Engine, TemplateDoesNotExist
from django.template.loader import render_to_string

from portal.clock import moment, ms
from portal.notifications.channels import Message, NotTaken
from portal.notifications.inert import one_line, unlinked
from portal.notifications.kinds import CUT, GONE, KINDS
from portal.notifications.links import link_of
from portal.notifications.models import Alert
from portal.notifications.queries import title_of
from portal.people.zones import zone_of

SUBJECT = "Subject: "  # how the first line of each template begins
LONGEST_SUBJECT = 150
BREAK = "\n\n"  # between paragraphs


@cache
def _plain() -> Engine:
    """Templates of plain text. Each context turns escaping for HTML off: the facts are inert lines already."""
    return Engine(dirs=[str(folder) for folder in settings.TEMPLATES[0]["DIRS"]])


def message_of(alert: Alert) -> Message:
    """The message of an alert, ready to leave. The recipient is loaded.

    Raises:
        NotTaken: the alert is of a kind without a template, or its attachment lies outside the data folder.
    """
    subject, body = words(alert)
    return _framed(alert, subject, body, KINDS[alert.kind].to, settings.PORTAL_URL + alert.path, link_of(alert))


def digest_of(alerts: Sequence[Alert]) -> Message:
    """One message for several reminders of one recipient. Its key is the same for the same reminders. Raises NotTaken as `message_of` does."""
    said = [(*words(each), settings.PORTAL_URL + each.path) for each in alerts]
    body = "\n\n".join(f"{subject}\n{text.partition(BREAK)[0]}\n{link}" for subject, text, link in said)
    named = hashlib.sha256("".join(sorted(each.pk.hex for each in alerts)).encode()).hexdigest()[:32]
    subject = f"{len(alerts)} reminders: what waits for you"
    framed = _framed(alerts[0], subject, body, "the person, once a day", settings.PORTAL_URL + "/alerts/", "")
    return replace(framed, key=f"digest-{named}", kind="digest", case="", facts={})


def _framed(alert: Alert, subject: str, body: str, to: str, link: str, seen_link: str) -> Message:
    frame = {
        "subject": subject,
        "body": body,
        "paragraphs": [part.splitlines() for part in body.split(BREAK)],
        "link": link,
        "seen_link": seen_link,
        "portal_name": settings.PORTAL_NAME,
        "to": to,
        "queued": _shown(ms(alert.queued_at), _zone(alert)),
        "demo": settings.PORTAL_DEMO,
    }
    name, address = (alert.recipient.name, alert.recipient.email) if alert.recipient else ("", alert.address)
    return Message(
        key=f"alert-{alert.pk}",
        address=one_line(address),
        name=one_line(name, 120),
        subject=subject,
        text=_plain().get_template("emails/frame.txt").render(Context(frame, autoescape=False)),
        html=render_to_string("emails/frame.html", frame),
        link=link,
        queued_at_ms=ms(alert.queued_at),
        seen_link=seen_link,
        kind=alert.kind,
        case=alert.case,
        facts=alert.facts,
        attachment=_attachment(alert.attachment),
    )


def words(alert: Alert) -> tuple[str, str]:
    """Subject and body of an alert in plain text. Raises NotTaken where its kind has no template."""
    try:
        template = _plain().get_template(f"emails/{alert.kind}.txt")
    except TemplateDoesNotExist as error:
        raise NotTaken("no_template") from error
    if CUT in alert.facts:
        return title_of(alert), alert.facts[CUT]
    first, _, rest = template.render(Context(_for_people(alert), autoescape=False)).partition("\n")
    subject = one_line(first.removeprefix(SUBJECT), LONGEST_SUBJECT)
    paragraphs = [*(part.strip() for part in rest.split("\n\n")), _gone(alert)]
    return subject, "\n\n".join(part for part in paragraphs if part)


def _gone(alert: Alert) -> str:
    """Why somebody is told of it who otherwise is not."""
    names = ", ".join(unlinked(each) for each in alert.facts.get(GONE, ()))
    instead = "Where nobody else owns the system, its administrators are told in place of its owner."
    return f"To be told as well, but has left: {names}. {instead}" if names else ""


def _for_people(alert: Alert) -> Mapping[str, Any]:
    """Times in UTC with the recipient's zone beside them, lists as one line, texts without links."""
    kinds = {each.name: each.kind for each in KINDS[alert.kind].facts} if alert.kind in KINDS else {}
    zone = _zone(alert)
    return {key: _fact(kinds.get(key, "text"), value, zone) for key, value in alert.facts.items()}


def _fact(kind: str, value: Any, zone: ZoneInfo | None) -> Any:
    if kind == "time":
        return _shown(value, zone)
    if kind in ("int", "bool"):
        return value
    if kind == "list":
        return ", ".join(unlinked(each) for each in value)
    return unlinked(str(value))


def _shown(milliseconds: int, zone: ZoneInfo | None) -> str:
    at = moment(milliseconds)
    utc = f"{_clock(at)} UTC"
    return utc if zone is None else f"{utc} ({at.astimezone(zone):%H:%M} {zone.key})"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M}"


def _zone(alert: Alert) -> ZoneInfo | None:
    zone = zone_of(alert.recipient)
    return None if zone.key == "UTC" else zone


def _attachment(name: str) -> Path | None:
    if not name:
        return None
    folder = settings.PORTAL_DATA.resolve()
    file = (folder / name).resolve()
    if not file.is_relative_to(folder):
        raise NotTaken("attachment_outside")
    return Path(file)
