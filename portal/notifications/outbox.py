"""Who is to be told what: written in the transaction of what it tells, sent later by ``sending.py``."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from audit.log.append import Actor, Entry, append_many
from portal.clock import now
from portal.hints import hint
from portal.notifications.channels import channel
from portal.notifications.channels.webhook.queries import PREFIX, addresses_for
from portal.notifications.digest import leaves_at
from portal.notifications.kinds import GONE, kind_of
from portal.notifications.models import Alert
from portal.people.models import Person

MAIL = "mail"
SECURITY_LIST, OTHER_LIST = "list:security", "list:other"


def tell(
    *,
    by: Actor,
    people: Iterable[Person] = (),
    addresses: Iterable[str] = (),
    kind: str,
    case: object = "",
    about: str = "",
    path: str,
    facts: Mapping[str, Any],
    grant_id: UUID | str | None = None,
    attachment: str = "",
    over: str = MAIL,
) -> list[Alert]:
    """Queue one alert for each recipient, with its event, in the transaction of the running action. Sends nothing.

    Nobody is told twice by one call, and nobody who has left: the others read who that is. ``facts`` are those that ``kinds.py`` declares for the
    kind; ``about`` is the subject that it speaks of (``request:<id>``), ``path`` the page of the portal that it leads
    to, ``attachment`` a file under the data folder, ``over`` a kind of channel. What goes by mail goes to each receiver of webhooks
    as well that takes alerts of the topic.

    Raises:
        UnknownKind, WrongFacts, UnknownChannel: the alert is not one that the portal knows.
    """
    people = list(people)
    gone = dict.fromkeys(person.name for person in people if person.left_at is not None)
    taken, moment = kind_of(kind).take(kind, {**facts, GONE: list(gone) or None}), now()
    channel(over)  # one that is not known is refused before anything is written
    rows = [(over, person, address) for person, address in _recipients(people, addresses)]
    if over == MAIL:
        rows += [("webhook", None, address) for address in addresses_for(kind_of(kind).topic)]
    alerts = [
        Alert(recipient=person, address=address, channel=through, kind=kind, case=str(case), about=about, path=path,
              facts=taken, grant_id=grant_id, attachment=attachment, queued_at=moment, next_try_at=leaves_at(kind, person, taken.get("due_at"), moment))
        for through, person, address in rows
    ]  # fmt: skip
    Alert.objects.bulk_create(alerts)
    append_many(
        Entry("alert.queued", by, case=alert.case, subject=alert.log_subject, fields={
            "alert_id": alert.pk, "recipient_id": recipient_id(alert), "channel": alert.channel, "kind": kind,
            "grant_id": grant_id, "about_id": about or None, "receipts": channel(alert.channel).receipts,
        })
        for alert in alerts
    )  # fmt: skip
    if any(channel(each.channel).apart for each in alerts):
        hint("portal.receivers")
    return alerts


def recipient_id(alert: Alert) -> str:
    """How the log names the recipient: a person's pseudonym, a receiver's, or a list. A mail address is personal and stays out."""
    if alert.recipient_id is not None:
        return str(alert.recipient_id)
    if alert.address.startswith(PREFIX):
        return alert.address
    return SECURITY_LIST if alert.address in settings.PORTAL_SECURITY_LIST else OTHER_LIST


def recipient_name(alert: Alert) -> str:
    """How a page and a link call the recipient, whose row is loaded."""
    if alert.recipient is not None:
        return alert.recipient.name
    if alert.address.startswith(PREFIX):
        return "A receiver of webhooks"
    return "Security list" if recipient_id(alert) == SECURITY_LIST else "A list"


def _recipients(people: Iterable[Person], addresses: Iterable[str]) -> list[tuple[Person | None, str]]:
    present = {person.pk: person for person in people if person.left_at is None}
    lists = [address for address in dict.fromkeys(addresses) if address]
    return [*((person, "") for person in present.values()), *((None, address) for address in lists)]
