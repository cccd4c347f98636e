"""Alerts as their recipients see them, those of a case, and how much waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from portal.notifications.channels.webhook.queries import names_of
from portal.notifications.kinds import KINDS
from portal.notifications.models import Alert
from portal.people.models import Person

MOST_AT_ONCE = 50  # noted by one look


@dataclass(frozen=True)
class AlertLine:
    """One alert of a case: who was told what, and how far it got. A list of addresses has no person."""

    id: UUID
    recipient: str
    recipient_id: UUID | None
    kind: str
    title: str
    channel: str
    queued_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    trouble: str
    looked_at: datetime | None = None

    @property
    def state(self) -> str:
        """``seen`` (its recipient said so), ``looked_at``, ``delivered`` (the receiver said so), ``sent``, ``late`` (a try failed) or ``queued``."""
        if self.acknowledged_at:
            return "seen"
        if self.looked_at:
            return "looked_at"
        if self.delivered_at:
            return "delivered"
        if self.sent_at:
            return "sent"
        return "late" if self.trouble else "queued"


@dataclass(frozen=True)
class Backlog:
    """What waits in the outbox."""

    waiting: int
    in_trouble: int
    oldest_at: datetime | None


def alerts_for(viewer: Person) -> QuerySet[Alert]:
    """The viewer's own alerts, the newest first."""
    return Alert.objects.filter(recipient=viewer).select_related("recipient").order_by("-queued_at", "pk")


def unseen_that_lead_to(viewer: Person, path: str) -> list[Alert]:
    """The viewer's alerts that lead to a page and that they have not had before them yet."""
    return list(Alert.objects.filter(recipient=viewer, path=path, seen_at__isnull=True)[:MOST_AT_ONCE])


def alert_for_act(pk: UUID) -> Alert | None:
    """For the act only, which itself refuses everybody but the recipient."""
    return Alert.objects.filter(pk=pk).first()


def alert_with_recipient(pk: UUID) -> Alert | None:
    """For a signed link, which itself says whose it is."""
    return Alert.objects.select_related("recipient").filter(pk=pk).first()


def alerts_of_case(case: object) -> list[AlertLine]:
    """Everybody who was told of a case, in that order. One query, a second for names of receivers. Whoever asks has checked who may see the case."""
    rows = (
        Alert.objects.filter(case=str(case)).select_related("recipient").order_by("queued_at", "recipient__name", "pk")
    )
    found = list(rows)
    receivers = names_of({row.address for row in found})
    return [_line(row, receivers) for row in found]


def backlog() -> Backlog:
    """How much waits. One query."""
    waiting = Alert.objects.filter(sent_at__isnull=True)
    found = waiting.aggregate(
        waiting=Count("pk"), trouble=Count("pk", filter=~Q(last_trouble="")), oldest=Min("queued_at")
    )
    return Backlog(found["waiting"], found["trouble"], found["oldest"])


def _line(row: Alert, receivers: Mapping[str, str]) -> AlertLine:
    return AlertLine(
        row.pk, row.recipient.name if row.recipient else receivers.get(row.address, "Security list"), row.recipient_id, row.kind, title_of(row),
        row.channel, row.queued_at, row.sent_at, row.delivered_at, row.acknowledged_at, row.last_trouble, row.seen_at,
    )  # fmt: skip


def line_of(row: Alert) -> AlertLine:
    """One alert, where the page says itself whose it is."""
    return _line(row, {})


def title_of(alert: Alert) -> str:
    """What a page calls its kind."""
    return KINDS[alert.kind].title if alert.kind in KINDS else alert.kind
