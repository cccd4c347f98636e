"""Propose to cut old entries, and decide on it as the second administrator. Carrying it out: ``carrying_cuts.py``."""

from uuid import UUID

from audit.log.append import Actor, action, append
from portal.clock import now
from portal.erasing.models import Cut
from portal.erasing.retention import could_go
from portal.erasing.rules import may_administer, may_approve_cut
from portal.erasing.states import CUT_MOVES
from portal.errors import RefusedByPolicy
from portal.moves import make
from portal.people.strength import need_fresh
from portal.rows import lock_row
from portal.unique import refuse_doubled

WIDTH = 256  # entries of a bundle
NOT_YET = "Entries before {minimum} cannot go: some are within their term, under a legal hold, or of a case that is open. Entry {most} is the most."
WHOLE = "Whole bundles of 256 entries are cut: give a multiple of 256 after {begins}."
ONE_ALREADY = "Another cut is under way."
DECIDED = "This cut was decided on already."


@action(event="cut.proposed", refused="cut.act_refused")
def propose(*, by: Actor, minimum: int, reason: str) -> Cut:
    """Propose that the log begins with entry ``minimum``."""
    may_administer(by)
    need_fresh(by)
    if not reason.strip():
        raise RefusedByPolicy("Say in one sentence why they are cut.")
    begins = need_cuttable(minimum)
    with refuse_doubled(ONE_ALREADY, None):
        row = Cut.objects.create(
            minimum_index=minimum,
            from_index=begins,
            reason=reason.strip(),
            proposed_by_id=UUID(by.id),
            proposed_at=now(),
        )
    append("cut.proposed", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=minimum, reason=row.reason)
    return row


@action(event="cut.approved", refused="cut.act_refused")
def approve(*, by: Actor, cut: Cut) -> Cut:
    """Say yes as the second administrator; it is carried out by the eraser's process and by the sealer's."""
    row = lock_row(Cut, cut.pk)
    may_approve_cut(by, row)
    need_fresh(by, about=row)
    need_cuttable(row.minimum_index, row)
    make(row, CUT_MOVES["approve"], says=DECIDED, approved_by_id=UUID(by.id), approved_at=now())
    append(
        "cut.approved", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, asked_by=row.proposed_by_id,
        approved_by=by.id,
    )  # fmt: skip
    return row


@action(event="cut.declined", refused="cut.act_refused")
def decline(*, by: Actor, cut: Cut) -> Cut:
    """Say no, as long as the log does not say it; who proposed it takes it back."""
    row = lock_row(Cut, cut.pk)
    may_administer(by, row)
    need_fresh(by, about=row)
    make(row, CUT_MOVES["decline"], says=DECIDED, closed_at=now())
    append(
        "cut.declined", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, asked_by=row.proposed_by_id,
    )  # fmt: skip
    return row


def need_cuttable(minimum: int, about: object = None) -> int:
    """See to it that all before may go, at this moment; where the log begins now.

    Raises:
        RefusedByPolicy: some must be kept, or it is no whole number of bundles.
    """
    found = could_go()
    if minimum % WIDTH or minimum <= found.begins:
        raise RefusedByPolicy(WHOLE.format(begins=found.begins), about=about, kind="not whole")
    if minimum > found.minimum:
        raise RefusedByPolicy(NOT_YET.format(minimum=minimum, most=found.minimum), about=about, kind="must be kept")
    return found.begins
