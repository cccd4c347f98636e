"""Say what the log has lost after its database was set back, and sign it as the second administrator. See docs/failover.md."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from audit.log.append import Actor, action, append
from audit.log.checkpoints import lacking
from audit.log.errors import NotVerified
from portal.clock import ms, now
from portal.errors import RefusedByPolicy
from portal.lost.models import LostRange
from portal.lost.rules import may_report, may_sign
from portal.lost.states import MOVES
from portal.moves import make
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.unique import refuse_doubled

MOST_IDS = 1000  # an entry holds 65,535 bytes
ONE_WAITS = "A lost range waits already for a second administrator: sign or decline it first."
DECIDED = "This lost range was decided on already."
TOO_MANY = f"At most {MOST_IDS:,} ids: say in the reason how many there are, and where the whole list is kept."


@action(event="log.loss_reported", refused="log.loss_act_refused")
def report(
    *, by: Actor, from_at: datetime, to_at: datetime, reason: str, checkpoint: str = "", acknowledged: Sequence[UUID] = ()
) -> LostRange:  # fmt: skip
    """Say what is lost. The indexes follow from the checkpoint, which was signed over more than is stored."""
    may_report(by)
    need_fresh(by)
    if not from_at <= to_at <= now():
        raise RefusedByPolicy("It was lost in the past, and ended after it began.")
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence what happened.")
    if len(acknowledged) > MOST_IDS:
        raise RefusedByPolicy(TOO_MANY)
    first, last = _indexes(checkpoint)
    with refuse_doubled(ONE_WAITS):
        row = LostRange.objects.create(
            from_at=from_at, to_at=to_at, checkpoint=checkpoint, first_index=first, last_index=last,
            acknowledged=sorted({str(each) for each in acknowledged}), reason=reason.strip(), reported_by_id=UUID(by.id), reported_at=now(),
        )  # fmt: skip
    append("log.loss_reported", by=by, subject=row.log_subject, **_facts(row), reason=row.reason)
    return row


@action(event="log.range_lost", refused="log.loss_act_refused")
def sign(*, by: Actor, lost: LostRange) -> LostRange:
    """Sign it as the second administrator. The log goes on without it, under the indexes that it has."""
    row = lock_row(LostRange, lost.pk)
    may_sign(by, row)
    need_fresh(by, about=row)
    if row.checkpoint and _indexes(row.checkpoint) != (row.first_index, row.last_index):
        raise RefusedByPolicy(
            "The log has grown or come back meanwhile: decline this, and report what is lost now.", about=row
        )
    make(row, MOVES["sign"], says=DECIDED, signed_by_id=UUID(by.id), closed_at=now())
    append(
        "log.range_lost", by=by, subject=row.log_subject, **_facts(row), reason=row.reason, asked_by=row.reported_by_id, approved_by=by.id,
    )  # fmt: skip
    return row


@action(event="log.loss_declined", refused="log.loss_act_refused")
def decline(*, by: Actor, lost: LostRange) -> LostRange:
    """Say no; who reported it takes it back."""
    row = lock_row(LostRange, lost.pk)
    if by.id != str(row.reported_by_id):
        may_sign(by, row)
    need_fresh(by, about=row)
    make(row, MOVES["decline"], says=DECIDED, closed_at=now())
    append("log.loss_declined", by=by, subject=row.log_subject, lost_id=row.pk, asked_by=row.reported_by_id)
    return row


def _indexes(checkpoint: str) -> tuple[int | None, int | None]:
    if not checkpoint:
        return None, None
    try:
        return lacking(checkpoint)
    except NotVerified as error:
        raise RefusedByPolicy(str(error), kind="not verified") from error


def _facts(row: LostRange) -> dict[str, object]:
    return {
        "lost_id": row.pk, "from_at": ms(row.from_at), "to_at": ms(row.to_at), "first": row.first_index, "last": row.last_index,
        "checkpoint": row.checkpoint or None, "acknowledged": row.acknowledged,
    }  # fmt: skip
