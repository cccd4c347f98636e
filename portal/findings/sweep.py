"""Reminds the owner of a finding once, the day before its date, and once when the date has passed; has another found for one whose owner left."""

from datetime import timedelta

from django.conf import settings

from audit.log.append import Actor, Refused, action, process
from portal.clock import ms, now
from portal.findings.models import Finding
from portal.findings.queries import abandoned, givers_of
from portal.findings.states import CLOSED
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.sweeping import done, true_of

BEFORE = timedelta(days=1)
KIND = "finding.due"
LEFT_KIND, LEFT = "system.problem", "A finding whose owner has left"
SWEEP, ROOM = process("sweep"), "findings"


def remind_due() -> int:
    """Tell of what is due, and of what nobody has any longer; returns how many were told. Harmless when run twice."""
    near = Finding.objects.filter(due_at__lte=now() + BEFORE).exclude(state=CLOSED).select_related("system", "owner")
    owed = (finding for finding in near.order_by("due_at") if true_of(ROOM, _owed, finding))
    left = (finding for finding in abandoned() if true_of(ROOM, _untold, finding))
    return sum(done(ROOM, remind, by=SWEEP, finding=finding) for finding in owed) + sum(
        done(ROOM, tell_abandoned, by=SWEEP, finding=finding) for finding in left
    )


@action(event="alert.queued")
def remind(*, by: Actor, finding: Finding) -> None:
    """Tell the owner, or who is to find another where they have left, unless they were told since the present date came near or passed.

    Raises:
        Refused: they were.
    """
    rows = Finding.objects.select_for_update(of=("self",)).select_related("system__owner")
    row = rows.get(pk=finding.pk)
    if not _owed(row) or row.owner is None:
        raise Refused("Told already.", about=row)
    people = [row.owner] if row.owner.left_at is None else givers_of(row)
    tell(
        by=by, people=people, kind=KIND, case=row.case, about=row.log_subject, path=f"/findings/{row.pk}/",
        facts={"title": row.title, "system": row.system.name if row.system else "", "due_at": row.due_at},
    )  # fmt: skip


@action(event="alert.queued")
def tell_abandoned(*, by: Actor, finding: Finding) -> None:
    """Have who may do so give it to somebody else: its owner left before they answered. Once.

    Raises:
        Refused: they were told, or it has another owner by now, or was answered.
    """
    row = Finding.objects.select_for_update(of=("self",)).select_related("system__owner").get(pk=finding.pk)
    if not row.is_abandoned or not _untold(row):
        raise Refused("Told already.", about=row)
    people = givers_of(row)
    tell(
        by=by, people=people, addresses=() if people else settings.PORTAL_SECURITY_LIST, kind=LEFT_KIND, case=row.case, about=row.log_subject,
        path=f"/findings/{row.pk}/",
        facts={
            "title": LEFT, "sentence": f"{row.title}: its owner has left before they answered it. Give it to somebody else; its date stays.",
            "system": row.system.name if row.system else "", "at": row.due_at,
        },
    )  # fmt: skip


def _untold(row: Finding) -> bool:
    told = Alert.objects.filter(kind=LEFT_KIND, about=row.log_subject, facts__title=LEFT)
    return row.owner is not None and not told.filter(queued_at__gte=row.owner.left_at).exists()


def _owed(row: Finding) -> bool:
    """Whether nothing was said of this date yet: before it, and again once it has passed."""
    at = now()
    if row.state == CLOSED or row.due_at is None or row.due_at - BEFORE > at:
        return False
    since = row.due_at if at >= row.due_at else row.due_at - BEFORE
    of_this_date = Alert.objects.filter(kind=KIND, about=row.log_subject, facts__due_at=ms(row.due_at))
    return not of_this_date.filter(queued_at__gte=since).exists()
