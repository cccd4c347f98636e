"""Sends what waits in the outbox. Any number of senders may run; none needs the broker.

1. In one short transaction a row is locked (locked ones are skipped) and leased: next try ahead, one more attempt.
2. The channel is called outside of any transaction.
3. It is marked sent, with its event. A crash between 2 and 3 sends it twice, under the same key; never not at all.
"""

import logging
import time
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from audit.log.append import process
from portal.clock import now as read_clock
from portal.errors import ChangedMeanwhile
from portal.notifications.actions import mark_failed, mark_sent
from portal.notifications.channels import CHANNELS, ChannelDown, NotTaken, UnknownChannel, channel
from portal.notifications.digest import companions
from portal.notifications.messages import digest_of, message_of
from portal.notifications.models import Alert

LEASE = timedelta(seconds=90)  # longer than the channel may take; after it, the sender counts as dead
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = {ChannelDown: timedelta(seconds=30), NotTaken: timedelta(minutes=15)}
MOST_IN_DIGEST = 50
SLOW_S = 2.0  # an address that takes longer has its next in the next run
APART = frozenset(kind for kind, each in CHANNELS.items() if each.apart)
Place = tuple[str, str | None]
OUTBOX = process("outbox")
logger = logging.getLogger("breakglass.outbox")


def send_due(
    limit: int = 50, now: datetime | None = None, older_than: timedelta = timedelta(), apart: bool | None = None
) -> int:
    """Send up to ``limit`` alerts that are due and were queued ``older_than`` ago; returns how many left.

    ``apart`` chooses channels: those whose addresses are servers of their own, or all others, so that a slow receiver holds up no mail.
    What cannot be reached is not asked again in this run: the channel, or one address of it. Neither is an address that was slow.
    """
    sent, let_be = 0, set[Place]()
    for _ in range(limit):
        taken = _lease(now or read_clock(), older_than, let_be, apart)
        if not taken:
            break
        alert = taken[0]
        began = time.monotonic()
        try:
            channel(alert.channel).send(digest_of(taken) if len(taken) > 1 else message_of(alert))
        except NotTaken as trouble:
            _keep(taken, trouble)
        except ChannelDown as trouble:
            let_be.add(_place(alert))
            _keep(taken, trouble)
        except UnknownChannel:
            _keep(taken, NotTaken("unknown_channel"))
        else:
            sent += sum(map(_mark, taken))
        if alert.channel in APART and time.monotonic() - began > SLOW_S:
            let_be.add(_place(alert))
    return sent


def _place(alert: Alert) -> Place:
    """What is out of reach where this alert could not be handed over."""
    return alert.channel, alert.address if alert.channel in APART else None


def _lease(at: datetime, older_than: timedelta, let_be: Collection[Place], apart: bool | None = None) -> list[Alert]:
    """One alert that is due; a reminder together with all others that are due to the same person."""
    with transaction.atomic():
        due = Alert.objects.filter(sent_at__isnull=True, next_try_at__lte=at, queued_at__lte=at - older_than)
        if apart is not None:
            due = due.filter(channel__in=APART) if apart else due.exclude(channel__in=APART)
        for kind, address in let_be:
            due = due.exclude(channel=kind) if address is None else due.exclude(channel=kind, address=address)
        rows = due.order_by("next_try_at").select_related("recipient")
        alert = rows.select_for_update(skip_locked=True, of=("self",)).first()
        taken = [alert, *_companions(alert, due)] if alert else []
        for each in taken:
            each.attempts += 1
            each.next_try_at = at + LEASE
            each.save(update_fields=["attempts", "next_try_at"])
        return taken


def _companions(alert: Alert, due: QuerySet[Alert]) -> list[Alert]:
    kinds = companions(alert)
    if not kinds:
        return []
    others = due.filter(recipient_id=alert.recipient_id, channel=alert.channel, kind__in=kinds).exclude(pk=alert.pk)
    rows = others.order_by("queued_at", "pk").select_related("recipient")
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:MOST_IN_DIGEST])


def _mark(alert: Alert) -> int:
    try:
        mark_sent(by=OUTBOX, alert=alert)
    except ChangedMeanwhile:
        logger.warning("alert %s left twice: its lease was over before it was marked", alert.pk)
        return 0
    return 1


def _keep(taken: Iterable[Alert], trouble: ChannelDown) -> None:
    for alert in taken:
        _keep_one(alert, trouble)


def _keep_one(alert: Alert, trouble: ChannelDown) -> None:
    """Put it back with a longer wait; the log gets the first failure and each one that doubles the count."""
    wait = min(FIRST_WAIT * 2 ** min(alert.attempts - 1, 16), LONGEST_WAIT[type(trouble)])
    waiting = Alert.objects.filter(pk=alert.pk, sent_at__isnull=True)
    again = alert.next_try_at - LEASE + wait
    waiting.update(next_try_at=again, last_trouble=trouble.code)
    if alert.channel in APART and not isinstance(
        trouble, NotTaken
    ):  # all that waits for it waits as long: one knock at a time
        others = Alert.objects.filter(channel=alert.channel, address=alert.address, sent_at__isnull=True)
        others.filter(next_try_at__lt=again).update(next_try_at=again, last_trouble=trouble.code)
    logger.warning("alert %s could not be sent (attempt %d): %s", alert.pk, alert.attempts, trouble.code)
    if alert.attempts & (alert.attempts - 1) == 0:
        mark_failed(by=OUTBOX, alert=alert, code=trouble.code)
