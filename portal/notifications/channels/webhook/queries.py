"""Receivers: those that are told of a kind, one of them ready to be sent to, and what an administrator sees."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet
from django.views.decorators.debug import sensitive_variables

from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.models import Alert
from portal.people.models import Person
from portal.people.rights import ADMINISTER
from portal.secrets import decrypt

PREFIX = "webhook:"


@dataclass(frozen=True)
class Ready:
    """Where to send, and what to sign with: the newest secret first, and the one before it until its end. Never shown."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Course:
    """How a receiver does."""

    waiting: int = 0
    taken_at: datetime | None = None
    trouble: str = ""


def addresses_for(topic: str) -> list[str]:
    """Of the receivers in use that take alerts of the topic. One query."""
    found = Receiver.objects.filter(retired_at__isnull=True).order_by("added_at")
    return [each.address for each in found.only("pk", "topics") if topic in each.topics]


def in_use() -> list[Receiver]:
    """All that were not retired."""
    return list(Receiver.objects.filter(retired_at__isnull=True).select_related("added_by"))


def all_for(viewer: Person) -> QuerySet[Receiver]:
    """All of them, those retired too, for administrators."""
    return Receiver.objects.all() if viewer.has_perm(ADMINISTER) else Receiver.objects.none()


def receiver_for_act(pk: UUID) -> Receiver | None:
    """For the act alone, which refuses whoever may not, and has that on record."""
    return Receiver.objects.select_related("added_by", "retired_by").filter(pk=pk).first()


@sensitive_variables()
def ready(address: str, at: datetime) -> Ready | None:
    """The receiver behind an alert's address; nothing where it was retired.

    Raises:
        SecretUnreadable: the portal's key for secrets is another one by now.
    """
    found = Receiver.objects.filter(pk=address.removeprefix(PREFIX), retired_at__isnull=True).first()
    if found is None:
        return None
    secrets = [decrypt(found.secret, f"{found.log_subject}:secret")]
    if found.old_secret is not None and found.old_secret_until is not None and found.old_secret_until > at:
        secrets.append(decrypt(found.old_secret, f"{found.log_subject}:secret"))
    return Ready(decrypt(found.url, f"{found.log_subject}:url"), tuple(secrets))


def courses(receivers: Iterable[Receiver]) -> dict[str, Course]:
    """How each does, by its address. One query."""
    waits = Q(sent_at__isnull=True)
    rows = Alert.objects.filter(channel="webhook", address__in=[each.address for each in receivers]).values("address")
    counted = rows.annotate(
        waiting=Count("pk", filter=waits), taken=Max("delivered_at"), trouble=Max("last_trouble", filter=waits)
    )
    return {row["address"]: Course(row["waiting"], row["taken"], row["trouble"] or "") for row in counted.order_by()}


def last_alerts(receiver: Receiver, limit: int = 20) -> list[Alert]:
    """What went to it, or is to go, the newest first."""
    return list(
        Alert.objects.filter(channel="webhook", address=receiver.address).order_by(F("queued_at").desc(), "pk")[:limit]
    )


def names_of(addresses: Iterable[str]) -> dict[str, str]:
    """What a page calls receivers. One query, none where no address is a receiver's."""
    keys = [each.removeprefix(PREFIX) for each in addresses if each.startswith(PREFIX)]
    return {each.address: each.name for each in Receiver.objects.filter(pk__in=keys).only("pk", "name")} if keys else {}
