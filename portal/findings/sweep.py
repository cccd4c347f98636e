"""Reminds the owner of a finding once, the day before its date, and once when the date has passed."""

from datetime import timedelta

from audit.log.append import Actor, Refused, action, process
from portal.clock import ms, now
from portal.findings.models import Finding
from portal.findings.states import CLOSED
from portal.notifications.models import Alert
from portal.notifications.outbox import tell
from portal.sweeping import done, true_of

BEFORE = timedelta(days=1)
KIND = "finding.due"
SWEEP, ROOM = process("sweep"), "findings"


def remind_due() -> int:
    """Tell the owners of what is due; returns how many were told. Harmless when run twice."""
    near = Finding.objects.filter(due_at__lte=now() + BEFORE).exclude(state=CLOSED).select_related("system", "owner")
    owed = (finding for finding in near.order_by("due_at") if true_of(ROOM, _owed, finding))
    return sum(done(ROOM, remind, by=SWEEP, finding=finding) for finding in owed)


@action(event="alert.queued")
def remind(*, by: Actor, finding: Finding) -> None:
    """Tell the owner, unless they were told since the present date came near or passed.

    Raises:
        Refused: they were.
    """
    rows = Finding.objects.select_for_update(of=("self",)).select_related("system", "owner")
    row = rows.get(pk=finding.pk)
    if not _owed(row) or row.owner is None:
        raise Refused("Told already.", about=row)
    tell(
        by=by, people=[row.owner], kind=KIND, case=row.case, about=row.log_subject, path=f"/findings/{row.pk}/",
        facts={"title": row.title, "system": row.system.name if row.system else "", "due_at": row.due_at},
    )  # fmt: skip


def _owed(row: Finding) -> bool:
    """Whether nothing was said of this date yet: before it, and again once it has passed."""
    at = now()
    if row.state == CLOSED or row.due_at is None or row.due_at - BEFORE > at:
        return False
    since = row.due_at if at >= row.due_at else row.due_at - BEFORE
    of_this_date = Alert.objects.filter(kind=KIND, about=row.log_subject, facts__due_at=ms(row.due_at))
    return not of_this_date.filter(queued_at__gte=since).exists()
