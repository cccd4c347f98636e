"""A channel that takes nothing is told of over another one: mail's trouble to the receivers of webhooks, a receiver's by mail.

Looked at is the outbox alone: an alert that was tried in vain and has waited for five minutes. Told once, and again after it had worked in between.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.eligibility.queries import administrators
from portal.errors import ChangedMeanwhile
from portal.notifications.channels.webhook.queries import addresses_for, names_of
from portal.notifications.kinds import kind_of
from portal.notifications.models import Alert
from portal.notifications.outbox import MAIL, tell
from portal.notifications.sending import APART, OUTBOX, Place
from portal.parameters import values
from portal.sweeping import done

KIND, ROOM = "channel.failed", "channels"
alarms = logging.getLogger("breakglass.alarm")


def late_after() -> timedelta:
    """So long an alert may take."""
    return timedelta(minutes=min(values("alert_minutes")))


def tell_late(at: datetime | None = None) -> int:
    """Tell of every channel, and every receiver, that takes nothing; returns of how many."""
    at = at or now()
    places = [(kind, address if kind in APART else None) for kind, address in _failing(at)]
    return sum(done(ROOM, note_failed, by=OUTBOX, place=place, at=at) for place in places)


@action(event="channel.failed")
def note_failed(*, by: Actor, place: Place, at: datetime) -> None:
    """Put it on record and tell of it over the other channels; without any, in the alarm file alone.

    Raises:
        ChangedMeanwhile: it was told already, or works again.
    """
    first = (
        _waiting(place, at).select_for_update().order_by("queued_at").first()
    )  # two that find it at once wait for each other here
    if first is None or not _is_news(place, at):
        raise ChangedMeanwhile("It was told already.", about=first)
    seen = _waiting(place, at).aggregate(waiting=Count("pk"), oldest=Min("queued_at"))
    name, about = _name(place), _about(place)
    facts = {"channel": name, "waiting": seen["waiting"], "oldest_at": seen["oldest"], "trouble": first.last_trouble}
    others = addresses_for(kind_of(KIND).topic) if place[0] == MAIL else []
    if others:
        tell(by=by, addresses=others, kind=KIND, about=about, path="/status/", facts=facts, over="webhook")
    else:  # where mail is all there is, it leaves when mail works again; the alarm file has it now
        tell(
            by=by,
            people=administrators(),
            addresses=settings.PORTAL_SECURITY_LIST,
            kind=KIND,
            about=about,
            path="/status/",
            facts=facts,
        )
    append(
        "channel.failed",
        by=by,
        channel=place[0],
        recipient_id=place[1],
        waiting=seen["waiting"],
        oldest_at=ms(seen["oldest"]),
        code=first.last_trouble,
    )
    alarms.error("Alerts have waited for five minutes over %s: %s", place[0], first.last_trouble)


def _failing(at: datetime) -> list[tuple[str, str]]:
    """Places with an alert that waits in vain: all addresses of mail are one."""
    late = Alert.objects.filter(sent_at__isnull=True, queued_at__lte=at - late_after()).exclude(last_trouble="")
    rows = late.exclude(kind=KIND).values_list("channel", "address").distinct()
    return sorted({(kind, address if kind in APART else "") for kind, address in rows})


def _of(place: Place) -> QuerySet[Alert]:
    rows = Alert.objects.filter(channel=place[0])
    return rows if place[1] is None else rows.filter(address=place[1])


def _waiting(place: Place, at: datetime) -> QuerySet[Alert]:
    return (
        _of(place)
        .filter(sent_at__isnull=True, queued_at__lte=at - late_after())
        .exclude(last_trouble="")
        .exclude(kind=KIND)
    )


def _is_news(place: Place, at: datetime) -> bool:
    """Not told yet; or it has worked since, and something that was queued since waits in vain again."""
    told = Alert.objects.filter(kind=KIND, about=_about(place)).aggregate(last=Max("queued_at"))["last"]
    if told is None:
        return True
    worked = _of(place).aggregate(last=Max("sent_at"))["last"]
    return worked is not None and worked > told and _waiting(place, at).filter(queued_at__gt=told).exists()


def _about(place: Place) -> str:
    return f"channel:{place[1] or place[0]}"


def _name(place: Place) -> str:
    return names_of([place[1]]).get(place[1], "a receiver") if place[1] else place[0]
