"""Carrying out a cut that two administrators decided on: the log says it, it is sealed and published, then the rows go.

The bundles are removed from the published store by the sealer, which looks at each entry itself. Each step can be repeated.
"""

import logging
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q

from audit.events.retention import DAY_MS, ENTRIES
from audit.log.append import Actor, Entry, action, append, append_on, process
from audit.log.cuts import cases_gone
from audit.log.cutting import StillLocked, need_unlocked_published, said_for_all, why_refused
from audit.log.cutting_rows import TooYoung, cut_portion, left, need_old, stayed
from audit.log.erasing import erasing, lock
from audit.log.read import named, of_subject
from audit.log.retained import span
from audit.log.stores import StoreUnavailable
from portal.access_requests.models import AccessRequest
from portal.clock import now
from portal.erasing.cutting import need_cuttable
from portal.erasing.models import Cut
from portal.erasing.places import clear_cases, says_cut
from portal.erasing.refused_cuts import turn_back
from portal.erasing.retention import held, terms, to_carry_out
from portal.erasing.states import APPROVED, CUT, CUT_MOVES
from portal.errors import Refused, WrongState
from portal.moves import make
from portal.rows import lock_row
from portal.sweeping import done

alarms = logging.getLogger("breakglass.alarm")
ERASER = process("eraser")
REMOVED = "cut.portion_removed"
LEFT = "A legal hold was lifted meanwhile: what it kept is removed with the next run."
NOT_NOW = "It is not approved, or done already."


def run_due() -> int:
    """Take each cut a step further, if it can be; how many steps were taken."""
    return sum(done("cuts", _step, cut=each) for each in to_carry_out())


def _step(*, cut: Cut) -> Cut | None:
    """Say it, or finish it, or end it where the sealer refused it. What the store forbids stands beside the cut in words, and is tried again."""
    try:
        if cut.state == APPROVED:
            need_unlocked_published(cut.minimum_index)
            return say(by=ERASER, cut=cut)
        if not said_for_all(cut.minimum_index):
            why = why_refused(cut.log_subject)
            return turn_back(by=ERASER, cut=cut, why=why) if why else None
        remove(cut)
        return finish(by=ERASER, cut=cut)
    except (StillLocked, StoreUnavailable, TooYoung, Refused) as error:
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
    from_at, to_at = span(begins, row.minimum_index)
    make(row, CUT_MOVES["say"], says=NOT_NOW, said_at=now(), trouble="")
    append(
        "log.cut", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, from_index=begins, from_at=from_at,
        to_at=to_at, keep_until=to_at + terms()[ENTRIES] * DAY_MS, asked_by=row.proposed_by_id, approved_by=row.approved_by_id,
        reason=row.reason,
    )  # fmt: skip
    return row


def remove(cut: Cut) -> None:
    """Remove the rows with the eraser's role: portion by portion, each with its event and with the holds as they are then.

    Whoever sets a hold waits for one portion at most. What broke off is done again from the beginning, where nothing is left to look at.

    Raises:
        TooYoung: some must be kept for longer; nothing was removed.
    """
    with erasing() as alias:
        need_old(alias, cut.minimum_index)
    start, named_in = 0, frozenset[str]()
    while True:
        with erasing() as alias:
            cases, people = held(alias)
            gone = cut_portion(alias, cut.minimum_index, start, cases=cases | named_in, people=people)
            if gone.entries:
                said = {
                    "cut_id": cut.pk,
                    "minimum_index": cut.minimum_index,
                    "entries": gone.entries,
                    "values": gone.values,
                }
                append_on(alias, [Entry(REMOVED, ERASER, said, subject=cut.log_subject)])
        if gone.after is None:
            return
        start, named_in = gone.after, named_in | gone.held


@action(event="cut.done")
def finish(*, by: Actor, cut: Cut) -> Cut:
    """Say that nothing is left, under the lock of whoever sets a hold; the rows of the cases that are gone say so.

    What was put under a legal hold since the log said it stays, with what is personal in it.

    Raises:
        WrongState: a hold was lifted meanwhile, so there is more to remove.
    """
    row, at = lock_row(Cut, cut.pk), now()
    lock()
    cases_held, people_held = held()
    if left(row.minimum_index, cases=cases_held, people=people_held):
        raise WrongState(LEFT, about=row)
    cases = cases_gone(map(str, _asked_before(row)))
    clear_cases(cases, at=at)
    make(row, CUT_MOVES["finish"], says=NOT_NOW, closed_at=at, trouble="")
    entries, values = _counted(row)
    append(
        "cut.done", by=by, subject=row.log_subject, cut_id=row.pk, minimum_index=row.minimum_index, asked_by=row.proposed_by_id,
        approved_by=row.approved_by_id, entries=entries, values=values, cases=len(cases), stayed=stayed(row.minimum_index),
    )  # fmt: skip
    return row


def _counted(cut: Cut) -> tuple[int, int]:
    """Entries and values that are gone, over all portions of all runs; but those that came back with a database that was set back, to go again."""
    events = of_subject(cut.log_subject, [REMOVED], limit=None)
    back = [(each.fields["first"], each.fields["last"]) for each in named(["log.recovered"])]
    gone = [each.fields for each in events if not any(first <= (each.index or -1) <= last for first, last in back)]
    return sum(each["entries"] for each in gone), sum(each["values"] for each in gone)


def _asked_before(cut: Cut) -> list[UUID]:
    """Cases that may be gone with it: those that went with an earlier cut say so, and keep its date."""
    went = Q()
    for each in Cut.objects.filter(state=CUT):
        if each.closed_at:  # it always is: the constraint says so
            went |= Q(requested_at__lte=each.said_at, reason=says_cut(each.closed_at))
    asked = AccessRequest.objects.filter(requested_at__lte=cut.said_at).exclude(went)
    return list(asked.values_list("pk", flat=True))
