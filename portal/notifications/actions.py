"""What happens to an alert after it was queued: it left, it could not, it was seen."""

from audit.log.append import Actor, action, append
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
