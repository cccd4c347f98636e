"""What happens to an alert after it was queued: it left, it could not, it was before its recipient, and they said that they have seen it."""

from collections.abc import Iterable
from uuid import UUID

from audit.log.append import Actor, Entry, action, append, append_many
from portal.clock import ms, now, optional_ms
from portal.errors import ChangedMeanwhile, NotAllowed
from portal.notifications.channels import channel
from portal.notifications.models import Alert
from portal.notifications.outbox import recipient_id
from portal.rows import lock_row

PAGE, LINK = "page", "link"  # over what a recipient says that they have seen an alert


@action(event="alert.acknowledged", refused="alert.act_refused")
def acknowledge(*, by: Actor, alert: Alert, over: str = PAGE) -> Alert:
    """The recipient says that they have seen it, on a page or by the signed link of the message. It decides nothing.

    A list is no person: for it acts whoever read its message, as ``list:security``, by the link alone.
    """
    locked = lock_row(Alert, alert.pk)
    if recipient_id(locked) != by.id:
        raise NotAllowed("Only its recipient can say that they have seen an alert.", about=locked, kind="not recipient")
    if locked.acknowledged_at is not None:
        raise ChangedMeanwhile(
            "You have said already that you have seen this alert. Nothing was changed.", about=locked
        )
    locked.acknowledged_at, locked.acknowledged_over = now(), over
    locked.save(update_fields=["acknowledged_at", "acknowledged_over"])
    append(
        "alert.acknowledged", by=by, case=locked.log_case, subject=locked.log_subject, alert_id=locked.pk,
        recipient_id=recipient_id(locked), grant_id=locked.grant_id, over=over,
    )  # fmt: skip
    return locked


@action(event="alert.seen")
def note_seen(*, by: Actor, alerts: Iterable[Alert]) -> int:
    """The recipient has had these alerts, or what they lead to, before them on a page; each is noted once. Returns how many were new.

    Raises:
        ChangedMeanwhile: all of them were noted already.
    """
    wanted = Alert.objects.filter(pk__in=[each.pk for each in alerts], recipient_id=UUID(by.id), seen_at__isnull=True)
    rows = list(wanted.select_for_update(of=("self",)).order_by("pk"))
    if not rows:
        raise ChangedMeanwhile("It was noted already.")
    Alert.objects.filter(pk__in=[each.pk for each in rows]).update(seen_at=now())
    append_many(
        Entry("alert.seen", by, case=each.log_case, subject=each.log_subject, fields={
            "alert_id": each.pk, "recipient_id": each.recipient_id, "grant_id": each.grant_id,
        })
        for each in rows
    )  # fmt: skip
    return len(rows)


@action(event="alert.sent")
def mark_sent(*, by: Actor, alert: Alert) -> None:
    """The channel took it. Raises ChangedMeanwhile where another sender marked it first: then it left twice."""
    at, receipts = now(), channel(alert.channel).receipts
    delivered = at if receipts else None
    waiting = Alert.objects.filter(pk=alert.pk, sent_at__isnull=True)
    if not waiting.update(sent_at=at, delivered_at=delivered, last_trouble=""):
        raise ChangedMeanwhile("Another sender was faster.", about=alert)
    append(
        "alert.sent", by=by, case=alert.log_case, subject=alert.log_subject, alert_id=alert.pk,
        recipient_id=recipient_id(alert), channel=alert.channel, kind=alert.kind, grant_id=alert.grant_id,
        receipts=receipts, sent_at=ms(at), attempts=alert.attempts, delivered_at=optional_ms(delivered),
    )  # fmt: skip


@action(event="alert.failed")
def mark_failed(*, by: Actor, alert: Alert, code: str) -> None:
    """The channel did not take it; it stays queued."""
    append(
        "alert.failed", by=by, case=alert.log_case, subject=alert.log_subject, alert_id=alert.pk,
        recipient_id=recipient_id(alert), channel=alert.channel, kind=alert.kind, attempts=alert.attempts, code=code,
    )  # fmt: skip
