"""Carrying out a cut that two administrators decided on: the log says it, it is sealed and published, then the rows go.

The bundles are removed from the published store by the sealer, which looks at each entry itself. Each step can be repeated.
"""

import logging

from django.db import DatabaseError

from audit.events.retention import DAY_MS, ENTRIES
from audit.log.append import Actor, action, append, process
from audit.log.cuts import cases_gone
from audit.log.cutting import StillLocked, cut_stored, need_unlocked_published, said_for_all
from audit.log.erasing import erasing, lock
from audit.log.stores import StoreUnavailable
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.erasing.cutting import need_cuttable
from portal.erasing.models import Cut
from portal.erasing.places import clear_cases
from portal.erasing.retention import could_go, terms, to_carry_out
from portal.erasing.states import APPROVED, CUT_MOVES
from portal.errors import Refused
from portal.moves import make
from portal.rows import lock_row
from portal.sweeping import done

alarms = logging.getLogger("breakglass.alarm")
ERASER = process("eraser")
NOT_NOW = "It is not approved, or done already."


def run_due() -> int:
    """Take each cut a step further, if it can be; how many steps were taken."""
    return sum(done("cuts", _step, cut=each) for each in to_carry_out())


def _step(*, cut: Cut) -> Cut | None:
    """Say it, or finish it. What the store forbids stands beside the cut in words, and is tried again."""
    try:
        if cut.state == APPROVED:
            need_unlocked_published(cut.minimum_index)
            return say(by=ERASER, cut=cut)
        return finish(by=ERASER, cut=cut) if said_for_all(cut.minimum_index) else None
    except (StillLocked, StoreUnavailable, Refused) as error:
        Cut.objects.filter(pk=cut.pk).update(trouble=str(error)[:400])
        return None
    except DatabaseError as error:
        alarms.error("A cut cannot be carried out: is ERASER_DATABASE_URL the eraser's login? %s", type(error).__name__)
        raise


@action(event="log.cut")
def say(*, by: Actor, cut: Cut) -> Cut:
    """Write into the log that it begins later. Whoever sets a hold waits for it, or it sees the hold."""
    row = lock_row(Cut, cut.pk)
    lock()
    begins = need_cuttable(row.minimum_index, row)
    found = could_go()
    make(row, CUT_MOVES["say"], says=NOT_NOW, said_at=now(), trouble="")
    append(
        "log.cut", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, from_index=begins, from_at=found.from_at,
        to_at=found.to_at, keep_until=found.to_at + terms()[ENTRIES] * DAY_MS, asked_by=row.proposed_by_id, approved_by=row.approved_by_id,
        reason=row.reason,
    )  # fmt: skip
    return row


@action(event="cut.done")
def finish(*, by: Actor, cut: Cut) -> Cut:
    """Remove the rows with the eraser's role, which commits first; where the rest breaks off, the next run does it again."""
    row = lock_row(Cut, cut.pk)
    with erasing() as alias:
        gone = cut_stored(alias, row.minimum_index)
    asked = AccessRequest.objects.filter(requested_at__lte=row.said_at).values_list("pk", flat=True)
    cases = cases_gone(map(str, asked))
    clear_cases(cases, at=now())
    make(row, CUT_MOVES["finish"], says=NOT_NOW, closed_at=now(), trouble="")
    append(
        "cut.done", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, asked_by=row.proposed_by_id,
        approved_by=row.approved_by_id, entries=gone.entries, values=gone.values, cases=len(cases), stayed=gone.stayed,
    )  # fmt: skip
    return row
