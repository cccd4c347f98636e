"""Receivers are added, changed, given a new secret, tried and retired by an administrator; all others are told of it at once.

Alerts name people and systems, so where they go is not one person's secret. It does not wait for a second administrator either: an alarm that
is to ring tonight is set up tonight.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from audit.log.append import Actor, action, append
from portal.clock import ms, now
from portal.eligibility.queries import administrators
from portal.errors import RefusedByPolicy, WrongState
from portal.notifications.channels.webhook.addresses import WrongUrl, parse
from portal.notifications.channels.webhook.models import Receiver
from portal.notifications.channels.webhook.signing import new_secret
from portal.notifications.kinds import TOPICS
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.people.rights import ADMINISTER, need_permission
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.secrets import encrypt

OLD_SECRET_HOURS = 24
ONLY = "Only an administrator may say where alerts go."


@action(event="receiver.added", refused="receiver.act_refused")
@sensitive_variables("url", "secret")
def add(*, by: Actor, name: str, url: str, topics: Sequence[str]) -> tuple[Receiver, str]:
    """Add a receiver; returns it with its secret, which is shown once."""
    may_configure(by)
    host, secret = _host(url, None), new_secret()
    receiver = Receiver(name=name.strip(), host=host, topics=_known(topics), added_by_id=by.id, added_at=now())
    receiver.url = encrypt(url, f"{receiver.log_subject}:url")
    receiver.secret = encrypt(secret, f"{receiver.log_subject}:secret")
    receiver.save(force_insert=True)
    _tell_others(by, receiver, "was added")
    append("receiver.added", by=by, subject=receiver.log_subject, **_facts(receiver))
    return receiver, secret


@action(event="receiver.changed", refused="receiver.act_refused")
@sensitive_variables("url")
def change(*, by: Actor, receiver: Receiver, name: str, topics: Sequence[str], url: str = "") -> Receiver:
    """Another name, other topics, or another address where one is given."""
    locked = _locked(by, receiver)
    locked.name, locked.topics = name.strip(), _known(topics)
    if url:
        locked.host, locked.url = _host(url, locked), encrypt(url, f"{locked.log_subject}:url")
    locked.save()
    _tell_others(by, locked, "was changed")
    append("receiver.changed", by=by, subject=locked.log_subject, moved=bool(url), **_facts(locked))
    return locked


@action(event="receiver.secret_replaced", refused="receiver.act_refused")
@sensitive_variables("secret")
def replace_secret(*, by: Actor, receiver: Receiver) -> tuple[Receiver, str]:
    """Give it a new secret, which is shown once. The one before signs beside it for a day; one before that is void at once."""
    locked, secret = _locked(by, receiver), new_secret()
    locked.old_secret, locked.old_secret_until = locked.secret, now() + timedelta(hours=OLD_SECRET_HOURS)
    locked.secret = encrypt(secret, f"{locked.log_subject}:secret")
    locked.save()
    append(
        "receiver.secret_replaced", by=by, subject=locked.log_subject, receiver_id=locked.pk, name=locked.name,
        old_until=ms(locked.old_secret_until),
    )  # fmt: skip
    return locked, secret


@action(event="receiver.tried", refused="receiver.act_refused")
def try_out(*, by: Actor, receiver: Receiver) -> Alert:
    """Queue a trial alert to this receiver alone. It goes the way of every other alert."""
    locked = _locked(by, receiver)
    (alert,) = tell(
        by=by, addresses=[locked.address], kind="receiver.trial", about=locked.log_subject, path=f"/receivers/{locked.pk}/",
        facts={"name": locked.name, "by": by.name, "at": now()}, over="webhook",
    )  # fmt: skip
    append(
        "receiver.tried", by=by, subject=locked.log_subject, receiver_id=locked.pk, name=locked.name, alert_id=alert.pk
    )
    return alert


@action(event="receiver.retired", refused="receiver.act_refused")
def retire(*, by: Actor, receiver: Receiver) -> Receiver:
    """It is told nothing more: what still waits for it is let go, and its address and secrets are forgotten."""
    locked = _locked(by, receiver)
    locked.retired_by_id, locked.retired_at = by.id, now()
    locked.url = locked.secret = b""
    locked.old_secret = locked.old_secret_until = None
    locked.save()
    waiting, _ = Alert.objects.filter(channel="webhook", address=locked.address, sent_at__isnull=True).delete()
    _tell_others(by, locked, "was retired")
    append("receiver.retired", by=by, subject=locked.log_subject, waiting=waiting, **_facts(locked))
    return locked


def may_configure(by: Actor, about: object = None) -> None:
    """An administrator with a fresh second factor.

    Raises:
        NotAllowed, StepUpNeeded: the actor is none, or proved themselves too long ago.
    """
    need_permission(by, ADMINISTER, says=ONLY)
    need_fresh(by, about=about)


def _locked(by: Actor, receiver: Receiver) -> Receiver:
    may_configure(by, receiver)
    locked = lock_row(Receiver, receiver.pk)
    if locked.retired_at is not None:
        raise WrongState("This receiver was retired. Add it anew where it is needed again.", about=locked)
    return locked


def _host(url: str, about: Receiver | None) -> str:
    try:
        return parse(url).host
    except WrongUrl as error:
        raise RefusedByPolicy(str(error), about=about) from None


def _known(topics: Sequence[str]) -> list[str]:
    chosen = [topic for topic in TOPICS if topic in topics]
    if not chosen or len(chosen) != len(set(topics)):
        raise RefusedByPolicy("Choose at least one of the topics of the list.")
    return chosen


def _facts(receiver: Receiver) -> dict[str, object]:
    return {"receiver_id": receiver.pk, "name": receiver.name, "host": receiver.host, "topics": receiver.topics}


def _tell_others(by: Actor, receiver: Receiver, what: str) -> None:
    tell(
        by=by, people=[each for each in administrators() if str(each.pk) != by.id], addresses=settings.PORTAL_SECURITY_LIST,
        kind="receiver.changed", about=receiver.log_subject, path=f"/receivers/{receiver.pk}/",
        facts={"name": receiver.name, "host": receiver.host, "what": what, "by": by.name, "at": now(), "topics": [TOPICS[each] for each in receiver.topics]},
    )  # fmt: skip
